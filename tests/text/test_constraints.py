"""Every kind of constraint, both ways: right answers in several forms pass, wrong ones and gamed ones fail."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from selfsown.text.constraints.adherence import adherence
from selfsown.text.constraints.constraint import (
    Constraint,
    ConstraintError,
    constraint,
    draw_constraint,
    draw_constraints,
    read_constraints,
    write_constraints,
)
from selfsown.text.constraints.demonstrations import DEMONSTRATIONS
from selfsown.text.constraints.kinds import KINDS, kind_named, kind_names
from selfsown.text.constraints.own_words import gaming
from selfsown.text.constraints.parts import bullets, numbered, paragraphs, sentences, spaced_words, starts_with

REQUEST = "What is the best way to learn a language?"
PLAIN = "Speak with natives daily. Read novels. Watch films too!"

# kind, parameters, answers that keep it, answers that do not
BOTH_WAYS: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    (
        "max_words",
        {"words": 5},
        ["Speak well-known phrases don't stop", "one two"],
        ["Speak with natives every single day."],
    ),
    ("min_words", {"words": 4}, ["Speak with natives daily."], ["Speak well-known phrases.", ""]),
    (
        "words_between",
        {"low": 2, "high": 3},
        ["Speak daily.", "Speak 3.5 hours"],
        ["Speak.", "Speak with natives daily."],
    ),
    (
        "sentences",
        {"count": 2},
        ["Ask Dr. Smith. Then go!", "Read e.g. novels... and more. Talk?", "* Talk\n* Read", "你好。再见。"],
        [PLAIN, "Speak with natives daily."],
    ),
    ("max_sentences", {"count": 2}, ["Go.", "It costs 3.50 dollars. Fine."], [PLAIN, "A. Go! Now? Yes."]),
    ("min_sentences", {"count": 3}, [PLAIN], ["It costs 3.50 dollars. Fine.", ""]),
    ("one_line", {}, ["Speak daily.\n", "Speak. Read."], ["Speak.\nRead.", ""]),
    ("lowercase", {}, ["speak daily, o 2 times", "été à paris"], ["speak Daily", "É", "123 ..."]),
    ("uppercase", {}, ["SPEAK DAILY, 2 TIMES!", "ÉTÉ"], ["SPEAK daily", "ß", "123"]),
    ("capital_words", {"count": 2}, ["SPEAK daily AND read", "NASA, ESA"], ["SPEAK daily", "I am A boy", ""]),
    ("no_comma", {}, ["Speak daily and read."], ["Speak, read.", "说,读", "说，读", "١، ٢"]),
    ("no_digits", {}, ["Speak two hours."], ["Speak 2 hours.", "٣"]),
    ("keywords", {"words": ["time", "day"]}, ["Day by day it takes TIME."], ["Take time daily.", "sometimes day"]),
    ("keyword_count", {"word": "day", "count": 2}, ["Day after day.", "A day, one day more"], ["One day, daily.", ""]),
    ("forbidden_words", {"words": ["very", "good"]}, ["Everything is goodness."], ["It is Very fine.", "GOOD"]),
    ("min_letter", {"letter": "p", "count": 3}, ["Peel a Pip"], ["Peel a pear"[:6], "none"]),
    ("max_letter", {"letter": "e", "count": 1}, ["The cat", "cat"], ["The Eel"]),
    ("no_letter", {"letter": "e"}, ["A cat sat"], ["A tree", "EVA"]),
    ("first_sentence_word", {"word": "time"}, ["Take time. Go on."], ["Go on. Take time.", "", "Sometimes. Time"]),
    ("last_sentence_word", {"word": "time"}, ["Go on. Take time."], ["Take time. Go on.", ""]),
    (
        "paragraphs",
        {"count": 2},
        ["One here.\n\nTwo here.", "One\n \n\n\nTwo\nlines"],
        ["One.\nTwo.", "One.", "1\n\n2\n\n3"],
    ),
    (
        "paragraph_word",
        {"count": 2, "paragraph": 2, "word": "Often"},
        ["Go on.\n\nOften it works.", "Go.\n\n*often* so"],
        ["Often it works.\n\nGo on.", "Go.\n\nOftentimes so.", "Often so.", "A.\n\nOften.\n\nC."],
    ),
    (
        "bullets",
        {"count": 2},
        ["* Speak\n* Read", "Do this:\n- speak\n- read", "• a b\n• c"],
        ["* Speak", "* \n* Read", "**a**\n***"],
    ),
    (
        "sorted_bullets",
        {"count": 2},
        ["* apple\n* Pear", "* *Ant*\n* bee"],
        ["* pear\n* Apple", "* apple", "apple\npear"],
    ),
    (
        "numbered_list",
        {"count": 2},
        ["1. Speak\n2. Read", "Steps:\n1) Go\n2) Stop"],
        ["1. Speak", "1. a\n3. b", "2. a\n1. b", "1 a\n2 b"],
    ),
    (
        "highlights",
        {"count": 2},
        ["Go *far* and **fast**.", "*one two*, *three*"],
        ["Go *far*.", "* far\n* fast", "*a* *a*", "2*3*4"],
    ),
    ("placeholders", {"count": 2}, ["Dear [name], on [date]"], ["Dear [name]", "[a] [a]", "[] []", "[ ] [.]"]),
    (
        "sections",
        {"count": 2, "splitter": "Part"},
        ["Part 1\nGo.\nPart 2\nStop.", "**Part 1:** Go\n\n## Part 2 - Stop"],
        ["Part 1\nGo.", "Part 1\nPart 2\nStop", "Part 2 a\nPart 1 b", "Go and stop", "Part 1 a\nPart 2 b\nPart 3 c"],
    ),
    ("line_words", {"words": 3}, ["Go on now\nand stop"], ["Go on right now\nand stop", "Go on"]),
    (
        "start_word",
        {"word": "Often"},
        ["Often it works.", '"often, so', "OFTEN"],
        ["It often works.", "Oftentimes it works.", ""],
    ),
    (
        "end_phrase",
        {"phrase": "That is all."},
        ["Go. That is all.", "go. that  IS all.\n"],
        ["That is all. Go.", "That is all"],
    ),
    ("quotation", {}, ['"Go on!"', "“Go on!”", '"He said \\"go\\""'], ['Go "on"', '"Go" and "stop"', '"', '"Go']),
    (
        "title",
        {},
        ["<<A Way>>\nGo on.", "Go on. <<A way>>"],
        ["<A Way> Go.", "<<A Way>>", "<<Title>> Go on.", "<<>> Go"],
    ),
    (
        "postscript",
        {},
        ["Go on.\nP.S. Stop soon.", "Go.\n\nP. S.: stop"],
        ["Go on.", "P.S. Go on.", "Go on.\nP.S.", "Go P.S. x"],
    ),
    (
        "json_keys",
        {"keys": ["a", "b"]},
        ['{"a": "go", "b": 2}', '```json\n{"b": ["x"], "a": {"c": "d"}}\n```'],
        [
            '{"a": "go"}',
            '{"a": "go", "b": ""}',
            '{"a": 1, "b": 2, "c": 3}',
            '["a", "b"]',
            "a: b",
            '{"a": 1, "a": 2, "b": 3}',
            '{"a": NaN, "b": 1}',
        ],
    ),
    ("options", {"options": ["yes", "no"]}, ["yes", "No.", '"yes"'], ["maybe", "yes and no", ""]),
    (
        "two_responses",
        {},
        ["Go on.\n******\nStop soon."],
        ["Go on.", "Go on.\n******\nGo on.", "******\nGo", "A b\n******\nC d\n******\nE f"],
    ),
    (
        "repeat_request",
        {"request": "Why go?"},
        ["Why go?\nTo see more.", '"Why  go?" To see more.', "why go? Since"],
        ["Why go?", "To see more. Why go?", "Why stop? To see."],
    ),
]


def test_every_kind_is_tested_both_ways_and_has_wordings_and_a_demonstration() -> None:
    names = kind_names()
    assert len(names) == len(set(names)) >= 25
    assert {name for name, *_ in BOTH_WAYS} == set(names)
    assert sorted(item.constraint.name for item in DEMONSTRATIONS) == sorted(names)
    assert all(len(kind.wordings) >= 2 for kind in KINDS)


@pytest.mark.parametrize(("name", "parameters", "right", "wrong"), BOTH_WAYS, ids=[row[0] for row in BOTH_WAYS])
def test_a_kind_accepts_right_answers_and_names_what_is_wrong_with_others(
    name: str, parameters: dict[str, Any], right: list[str], wrong: list[str]
) -> None:
    item = constraint({"kind": name, **parameters})
    assert {answer: item.violation(answer) for answer in right} == dict.fromkeys(right, "")
    for answer in wrong:
        reason = item.violation(answer)
        assert reason, answer
        assert "\n" not in reason


@pytest.mark.parametrize("item", DEMONSTRATIONS, ids=lambda item: item.constraint.name)
def test_a_demonstration_keeps_its_constraint_honestly_and_briefly_and_no_other_one_keeps_it_by_chance(
    item: Any,
) -> None:
    for sentence in item.constraint.sentences():
        for limit in ("", "Use at most 20 words. "):
            prompt = f"{item.request}\n\n{limit}{sentence}"
            assert adherence([item.constraint], item.answer, prompt, item.request).reason == "keeps its constraints"
    assert len(spaced_words(item.answer)) <= 20 or not item.constraint.kind.short


@pytest.mark.parametrize(
    ("name", "parameters", "answer"),
    [
        ("end_phrase", {"phrase": "That is all."}, "then rinse with cold water. That is all."),
        ("start_word", {"word": "Perhaps"}, "Perhaps curiosity pulls them abroad"),
        ("bullets", {"count": 2}, "* Ripe mango\n* Sour cherry"),
        ("sentences", {"count": 2}, "A baker kneads dough. Before dawn, the ovens are hot."),
        ("json_keys", {"keys": ["topic"]}, '{"topic": "the Pacific Ocean"}'),
        ("json_keys", {"keys": ["name", "reason"]}, '"name": "the Pacific Ocean", "reason": "it covers'),
    ],
)
def test_a_demonstration_is_fitted_to_other_parameters(name: str, parameters: dict[str, Any], answer: str) -> None:
    asked = constraint({"kind": name, **parameters})
    shown = next(item for item in DEMONSTRATIONS if item.constraint.name == name).fitted(asked)
    assert shown.constraint == asked
    assert answer in shown.answer
    assert not asked.violation(shown.answer)


def test_a_demonstration_that_cannot_be_fitted_stays_as_it_is() -> None:
    shown = {item.constraint.name: item for item in DEMONSTRATIONS}
    for asked in ({"kind": "min_letter", "letter": "u", "count": 9}, {"kind": "keywords", "words": ["zebra"]}):
        item = shown[asked["kind"]]
        assert item.fitted(constraint(asked)) is item


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("seed", range(5))
def test_drawn_parameters_are_valid_posed_in_full_and_survive_json(kind: Any, seed: int) -> None:
    rng = random.Random(seed)
    item = draw_constraint(kind, rng, "Is this a good day?")
    assert item
    assert read_constraints(write_constraints([item])) == [item]
    sentences_posed = item.sentences()
    assert len(set(sentences_posed)) == len(kind.wordings)
    for sentence in sentences_posed:
        assert "{" not in sentence
        for value in item.parameters.values():
            for text in value if isinstance(value, list) else [value]:
                assert str(text) in sentence or kind.name in ("repeat_request",)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_sentence_of_a_constraint_and_the_request_are_no_answer(kind: Any) -> None:
    rng = random.Random(kind.name)
    item = draw_constraint(kind, rng, "Is this a good day?")
    assert item
    for sentence in item.sentences():
        prompt = f"{REQUEST}\n\n{sentence}"
        for answer in (sentence, REQUEST, prompt, f"{sentence} {sentence}", "", " \n", "?!"):
            assert not adherence([item], answer, prompt, REQUEST).kept, answer


GAMED = [
    ({"kind": "start_word", "word": "First"}, "First, I'll start with the word First."),
    ({"kind": "start_word", "word": "First"}, 'First, I\'ll start with the word "First".'),
    ({"kind": "start_word", "word": "Surely"}, 'Surely the first word of this answer is "Surely".'),
    ({"kind": "start_word", "word": "Surely"}, "Surely."),
    ({"kind": "start_word", "word": "Surely"}, "Surely surely surely surely it helps."),
    ({"kind": "keywords", "words": ["garden", "salt"]}, "garden, salt"),
    ({"kind": "keywords", "words": ["garden", "salt"]}, "A garden of salt."),
    ({"kind": "keywords", "words": ["garden", "salt"]}, 'Grammar helps, as do the words "garden" and "salt".'),
    ({"kind": "keywords", "words": ["garden", "salt", "river"]}, "Practice grammar: garden, salt and river."),
    ({"kind": "end_phrase", "phrase": "That is all."}, "That is all."),
    ({"kind": "end_phrase", "phrase": "That is all."}, "I will end my answer with exactly these words: That is all."),
    ({"kind": "lowercase"}, "this response is written in lowercase letters."),
    ({"kind": "lowercase"}, "what is the best way to learn a language? use at most 20 words."),
    ({"kind": "lowercase"}, "the best way to learn a language"),
    ({"kind": "uppercase"}, "HERE IS MY ANSWER IN ALL CAPITAL LETTERS."),
    ({"kind": "bullets", "count": 3}, "* a\n* b\n* c"),
    ({"kind": "bullets", "count": 3}, "* First bullet point\n* Second bullet point\n* Third bullet point"),
    ({"kind": "bullets", "count": 3}, "* practice more\n* practice more\n* practice more"),
    ({"kind": "json_keys", "keys": ["answer"]}, '{"answer": "answer"}'),
    ({"kind": "json_keys", "keys": ["answer"]}, '{"answer": "What is the best way to learn a language?"}'),
    ({"kind": "sentences", "count": 2}, "This is a sentence. This is another sentence."),
    ({"kind": "sentences", "count": 2}, "Practice every day. Practice every day."),
    ({"kind": "keyword_count", "word": "time", "count": 3}, "time time time"),
    ({"kind": "min_letter", "letter": "p", "count": 3}, "pppp helps people"),
    ({"kind": "min_letter", "letter": "p", "count": 3}, "p q r p s t"),
    ({"kind": "no_comma"}, "I will not use any commas in what follows."),
    ({"kind": "no_letter", "letter": "b"}, "I avoid the letter in question."),
    ({"kind": "quotation"}, '"I put quotation marks around my answer."'),
    ({"kind": "min_words", "words": 6}, "go on go on go on go on go on"),
    ({"kind": "repeat_request", "request": REQUEST}, f"{REQUEST} {REQUEST}"),
    ({"kind": "two_responses"}, "Here is the first response.\n******\nA different reply follows."),
]


@pytest.mark.parametrize(("values", "answer"), GAMED, ids=[f"{row[0]['kind']}: {row[1][:30]}" for row in GAMED])
def test_an_answer_that_games_its_constraint_fails(values: dict[str, Any], answer: str) -> None:
    item = constraint(values)
    result = adherence([item], answer, f"{REQUEST}\n\nUse at most 20 words. {item.sentences()[0]}", REQUEST)
    assert result.gaming
    assert f"gamed: {result.gaming}" in result.reason


HONEST = [
    ({"kind": "start_word", "word": "First"}, "First find a friend who speaks it, then talk every evening."),
    ({"kind": "lowercase"}, "the best way to learn a language is to speak it daily with friends."),
    ({"kind": "keywords", "words": ["garden", "salt"]}, "Label things: salt in the kitchen, tools in the garden."),
    ({"kind": "no_digits"}, "I'm not so smart, but I'm smarter than I was; don't give up."),
    ({"kind": "no_comma"}, "Use flash cards and write a diary."),
    ({"kind": "no_comma"}, "Paris is the capital of France and lies at the end of a basin."),
    ({"kind": "sentences", "count": 2}, "Start with songs. In the end it is fun."),
    ({"kind": "json_keys", "keys": ["answer"]}, '{"answer": "daily practice"}'),
    ({"kind": "keyword_count", "word": "day", "count": 2}, "Read one page each day, and talk for an hour a day."),
    ({"kind": "options", "options": ["yes", "no"]}, "yes"),
    ({"kind": "repeat_request", "request": REQUEST}, f"{REQUEST}\nTalk with natives every evening."),
    ({"kind": "end_phrase", "phrase": "That is all."}, "Talk daily and read novels. That is all."),
]


@pytest.mark.parametrize(("values", "answer"), HONEST, ids=[row[1][:30] for row in HONEST])
def test_an_honest_answer_passes(values: dict[str, Any], answer: str) -> None:
    item = constraint(values)
    prompt = f"{REQUEST}\n\nUse at most 20 words. {item.sentences()[0]}"
    assert adherence([item], answer, prompt, REQUEST).reason == "keeps its constraints"


def test_words_about_form_are_fine_where_the_request_has_them() -> None:
    request = "Which words should a sentence about ducks contain?"
    answer = "A fitting sentence contains the words pond and feathers."
    item = constraint({"kind": "no_digits"})
    assert gaming([item], answer, f"{request}\n\nDo not use any digits.", request) == ""
    assert "speaks of its form" in gaming([item], answer, f"{REQUEST}\n\nDo not use any digits.", REQUEST)


def test_words_about_form_that_the_request_has_excuse_no_others() -> None:
    request = "Write two sentences with a pun."
    item = constraint({"kind": "max_sentences", "count": 2})
    prompt = f"{request} {item.sentences()[0]}"
    assert "speaks of its form" in gaming([item], "A sentence that includes the phrase clever.", prompt, request)
    assert gaming([item], "A clever sentence that includes bread and dough.", prompt, request) == ""


def test_an_answer_may_stand_in_a_long_passage_but_not_copy_most_of_it() -> None:
    passage = " ".join(f"In year {number} the town number {number} grew by {number * 7} souls." for number in range(12))
    prompt = f"{passage} Which town grew by fourteen?"
    item = constraint({"kind": "no_comma"})
    assert gaming([item], "Number 2.", prompt) == ""
    assert "copied from the request" in gaming([item], "In year 2 the town number 2 grew by 14 souls.", prompt)


def test_every_constraint_that_fails_is_named_with_its_reason() -> None:
    items = [
        constraint({"kind": "lowercase"}),
        constraint({"kind": "bullets", "count": 2}),
        constraint({"kind": "no_comma"}),
    ]
    result = adherence(items, "Talk daily and read.", REQUEST)
    assert set(result.violations) == {"lowercase", "bullets"}
    assert result.reason == "lowercase: it has 1 capital letters, the first 'T'; bullets: it has 0 bullet points, not 2"


@pytest.mark.parametrize("seed", range(40))
def test_constraints_that_are_drawn_together_come_from_families_that_do_not_contradict(seed: int) -> None:
    rng = random.Random(seed)
    drawn = draw_constraints(rng.choice(KINDS), KINDS, 3, rng, REQUEST)
    families = [item.kind.family for item in drawn]
    assert 1 <= len(drawn) <= 3
    assert len(set(families)) == len(families)
    assert len(drawn) == 1 or not any(item.kind.alone for item in drawn)
    assert not {"length", "layout"} <= set(families)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a list"),
        ('"x"', "must be a list"),
        ('[{"kind": "bulets"}]', "did you mean 'bullets'"),
        ('[{"kind": 3}]', "no kind of constraint 3"),
        ('[{"kind": "bullets"}]', "takes count, not none"),
        ('[{"kind": "no_comma", "count": 2}]', "takes no parameters, not count"),
        ('[{"kind": "bullets", "count": 0}]', "a whole number of 1 or more"),
        ('[{"kind": "bullets", "count": true}]', "a whole number of 1 or more"),
        ('[{"kind": "keywords", "words": []}]', "a list of texts"),
        ('[{"kind": "start_word", "word": " "}]', "a text"),
    ],
)
def test_constraints_that_cannot_be_read_say_why(text: str, message: str) -> None:
    with pytest.raises(ConstraintError, match=message):
        read_constraints(text)


def test_one_constraint_needs_no_list() -> None:
    assert read_constraints(json.dumps({"kind": "no_comma"})) == [Constraint(kind_named("no_comma"), {})]  # type: ignore[arg-type]


def test_the_parts_of_a_text() -> None:
    assert sentences("Mr. Li paid 3.50. Did J. Doe? Yes... maybe so!\n* Go\n2. Stop.") == [
        "Mr. Li paid 3.50.",
        "Did J. Doe?",
        "Yes... maybe so!",
        "Go",
        "Stop.",
    ]
    assert sentences('He said "Go." Then he left.') == ['He said "Go."', "Then he left."]
    assert spaced_words("Don't stop: well-known, 3.5 & _this_") == ["Don't", "stop", "well-known", "3.5", "this"]
    assert paragraphs("a\nb\n\n \n\nc\n\n---\n") == ["a\nb", "c"]
    assert bullets("- a\n+ b\n* c\n*d*\n---\n* * *") == ["a", "c"]
    assert numbered("1. a\n 2) b\n3 c\n4. ") == [(1, "a"), (2, "b")]
    assert starts_with("“Often”, so", "Often")
    assert not starts_with("Oftener", "Often")
