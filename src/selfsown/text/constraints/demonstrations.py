"""One demonstration a kind: a request, its constraint, and an answer that keeps it.

They are written by hand for this program; they are no human data of the field. All but those of kinds that need more
keep to 20 words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfsown.text.constraints.constraint import Constraint, constraint
from selfsown.text.constraints.fitted import fitted_answer


@dataclass(frozen=True)
class Demonstration:
    """A request without its constraint, the constraint, and an answer that keeps it."""

    request: str
    constraint: Constraint
    answer: str

    def fitted(self, required: Constraint) -> Demonstration:
        """The demonstration for other parameters of its kind; unchanged where its answer cannot be fitted to them."""
        answer = fitted_answer(self.answer, self.constraint, required)
        return self if answer is None else Demonstration(self.request, required, answer)


_LENGTH: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "max_words",
        "How do I keep bread fresh?",
        {"words": 15},
        "Wrap the loaf in a cotton cloth and store it in a cool, dry box.",
    ),
    (
        "min_words",
        "Describe a walk along a beach.",
        {"words": 20},
        "The tide had just gone out, so we strolled over wet sand, picked up three white shells, and watched gulls "
        "argue about a crab.",
    ),
    (
        "words_between",
        "Why do leaves turn red in autumn?",
        {"low": 10, "high": 20},
        "When days grow shorter, trees stop making chlorophyll, and red pigments that were hidden become visible.",
    ),
    (
        "sentences",
        "What does a baker do?",
        {"count": 3},
        "A baker kneads dough. Before dawn, the ovens are hot. By eight, warm loaves are on sale.",
    ),
    (
        "max_sentences",
        "Why is the sky blue?",
        {"count": 2},
        "Air scatters short waves of sunlight more than long ones.",
    ),
    (
        "min_sentences",
        "Tell me about owls.",
        {"count": 3},
        "Owls hunt at night. Soft feathers make them silent. Most species swallow mice in one piece.",
    ),
    ("one_line", "Name a good breakfast.", {}, "Oatmeal with a sliced apple, cinnamon and a spoon of honey."),
)
_CASE: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("lowercase", "Where do penguins live?", {}, "most penguins live on cold coasts south of the equator."),
    ("uppercase", "What should I bring to a picnic?", {}, "BRING A BLANKET, RIPE PEACHES AND COLD LEMONADE."),
    (
        "capital_words",
        "How can I sleep better?",
        {"count": 2},
        "Go to bed at the SAME hour, and keep your phone OUT of reach.",
    ),
    ("no_comma", "What is a glacier?", {}, "A glacier is a mass of ice that slides slowly down a mountain."),
    ("no_digits", "How many legs does a spider have?", {}, "A spider has eight legs, two more than any insect."),
)
_VOCABULARY: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "keywords",
        "Give me advice for a job interview.",
        {"words": ["light", "story"]},
        "Keep the mood light, and tell one short story about a problem that you solved.",
    ),
    (
        "keyword_count",
        "What makes a town pleasant?",
        {"word": "river", "count": 2},
        "A river cools it in summer, and paths beside the river invite people to stroll.",
    ),
    (
        "forbidden_words",
        "Recommend a film for children.",
        {"words": ["very", "great"]},
        "Try My Neighbor Totoro, a calm tale of two sisters and a forest spirit.",
    ),
    (
        "min_letter",
        "What can I cook with potatoes?",
        {"letter": "p", "count": 3},
        "Peel them, chop them up and simmer a pot of creamy leek soup.",
    ),
    ("max_letter", "What is a desert?", {"letter": "o", "count": 2}, "It is dry land where rain hardly ever falls."),
    ("no_letter", "What do cows eat?", {"letter": "b"}, "Mostly fresh grass, hay and clover."),
    (
        "first_sentence_word",
        "How do I start running?",
        {"word": "small"},
        "Take small steps and jog slowly for ten minutes. Rest a day, then go again.",
    ),
    (
        "last_sentence_word",
        "What is a library for?",
        {"word": "quiet"},
        "It lends novels and films to everyone. Many visitors love its quiet rooms.",
    ),
)
_LAYOUT: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "paragraphs",
        "Compare cats and dogs.",
        {"count": 2},
        "Cats clean themselves and enjoy being left alone.\n\nDogs want company and a long walk each day.",
    ),
    (
        "paragraph_word",
        "How is cheese made?",
        {"count": 2, "paragraph": 2, "word": "Usually"},
        "Milk is warmed and curdled with rennet.\n\nUsually the curds are pressed and aged for weeks.",
    ),
    ("bullets", "Name some fruits.", {"count": 4}, "* Ripe mango\n* Sour cherry\n* Juicy pear\n* Sweet plum"),
    ("sorted_bullets", "Name some animals of the forest.", {"count": 3}, "* Badger\n* Fox\n* Roe deer"),
    (
        "numbered_list",
        "How do I make tea?",
        {"count": 3},
        "1. Boil fresh water.\n2. Pour it over the leaves.\n3. Wait four minutes.",
    ),
    (
        "highlights",
        "What should a hiker pack?",
        {"count": 2},
        "Take a *rain jacket* and a *paper map*, even for a short trip.",
    ),
    (
        "placeholders",
        "Write an invitation to a party.",
        {"count": 2},
        "Dear [guest], come and celebrate with us on [date]; there will be cake!",
    ),
    (
        "sections",
        "How do I repot a plant?",
        {"count": 2, "splitter": "Step"},
        "Step 1: Loosen the roots gently.\nStep 2: Fill a bigger pot with soil.",
    ),
    ("line_words", "Describe rain.", {"words": 5}, "Grey drops tap the window.\nGutters hum and puddles grow."),
)
_ENDS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("start_word", "Why do people travel?", {"word": "Often"}, "Often curiosity pulls them abroad, away from routine."),
    (
        "end_phrase",
        "How do I remove a wine stain?",
        {"phrase": "I hope this helps."},
        "Cover it with salt at once, then rinse with cold water. I hope this helps.",
    ),
    ("quotation", "What might a captain say in a storm?", {}, '"Hold on to the ropes, and reef the sails!"'),
    ("title", "Describe a volcano.", {}, "<<Fire Below>>\nMelted rock rises through a vent and bursts out as lava."),
    (
        "postscript",
        "Thank a neighbor for feeding the cat.",
        {},
        "Dear Ann, Misty purred all week because of you.\nP.S. Fresh plums are on your porch.",
    ),
)
_FORM: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "json_keys",
        "What is the largest ocean?",
        {"keys": ["answer", "detail"]},
        '{"answer": "the Pacific Ocean", "detail": "it covers a third of the Earth"}',
    ),
    ("options", "Is ice lighter than liquid water?", {"options": ["yes", "no"]}, "yes"),
    (
        "two_responses",
        "Suggest a hobby.",
        {},
        "Painting with watercolors calms the mind.\n******\nTry climbing: gyms lend shoes.",
    ),
    (
        "repeat_request",
        "Where does coffee grow?",
        {"request": "Where does coffee grow?"},
        "Where does coffee grow?\nOn shrubs in warm highlands, such as those of Ethiopia.",
    ),
)

DEMONSTRATIONS: tuple[Demonstration, ...] = tuple(
    Demonstration(request, constraint({"kind": name, **parameters}), answer)
    for name, request, parameters, answer in (*_LENGTH, *_CASE, *_VOCABULARY, *_LAYOUT, *_ENDS, *_FORM)
)
