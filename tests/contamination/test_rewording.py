"""Edited copies and paraphrases of questions are found; other questions of the same kind are not."""

from __future__ import annotations

import random

import pytest

from selfsown.contamination.planted import KINDS, edited, paraphrased, planted_copies
from selfsown.contamination.questions import Question
from selfsown.curate import decontaminate
from selfsown.records import Row
from selfsown.text.content_words import features
from selfsown.text.reworded import RewordedIndex

QUESTIONS = [
    "A baker sells 12 loaves each hour and works from 6 in the morning until noon. How many loaves does she sell?",
    "Tim collects stamps. He has 340 stamps from Peru and gives 85 of them to his cousin. How many stamps remain?",
    "A train leaves Oslo at 9 with 214 passengers; 37 get off in Hamar. How many passengers are still on the train?",
    "Write a Python function that returns the longest palindrome among the substrings of a given string.",
    "Explain in a short letter to a customer why the delivery of the ordered blender is late, and apologize.",
    "Which river flows through Vienna, Budapest and Belgrade before it reaches the Black Sea?",
]
HELD_OUT = [Row(question, "an answer") for question in QUESTIONS]
PARAPHRASES = [
    "From 6 until noon a baker is at work, and in each hour 12 loaves are sold. What number of loaves is that?",
    "Of his 340 Peru stamps, Tim lets his cousin have 85. Find how many stamps are left to the collector.",
    "With 214 passengers on board a train departs from Oslo at 9. In Hamar 37 passengers leave. How many stay on?",
    "Among all substrings of a string, find the longest one that is a palindrome; give it as a Python function.",
]
OTHERS = [
    "A gardener plants 15 roses each hour and works from 8 in the morning until noon. How many roses does she plant?",
    "Tim collects coins. He has 120 coins from Chile and buys 30 more of them from his cousin. How many coins is that?",
    "A bus leaves Rome at 7 with 51 passengers; 12 get off in Siena. How many passengers are still on the bus?",
    "Write a Python function that returns the number of vowels in a given string.",
    "Explain in a short letter to a landlord why the rent is late.",
]


def reasons(texts: list[str], real: list[Row] | None = None, **options: bool) -> list[str]:
    rows = decontaminate.curate([Row(text, "So it is.") for text in texts], real or [], HELD_OUT, **options)
    return [row.reason for row in rows]


def test_paraphrases_are_rejected_with_the_row_that_they_paraphrase() -> None:
    for reason, row in zip(reasons(PARAPHRASES), HELD_OUT, strict=False):
        assert f"of held-out row {row.id}: " in reason, reason
    assert reasons(PARAPHRASES, paraphrases=False) == [""] * 4


def test_other_questions_of_the_same_kind_stay() -> None:
    assert reasons(OTHERS) == [""] * len(OTHERS)


def test_the_same_problem_with_other_numbers_is_another_problem() -> None:
    assert reasons([PARAPHRASES[1].replace("340", "512").replace("85", "77")]) == [""]


@pytest.mark.parametrize("where", ["{}", "Solve it.\n{}\nThink first, and then write the result down.", "Q: {}\n#"])
def test_edited_copies_are_rejected_wherever_they_stand(where: str) -> None:
    copy = "a BAKER sells 12 loaves every hour, and she works from 6 in the early morning till noon; loaves sold?"
    (prompt,) = reasons([where.format(copy)])
    (row,) = decontaminate.curate([Row("Write a problem.", where.format(copy))], [], HELD_OUT)
    assert HELD_OUT[0].id in prompt
    assert HELD_OUT[0].id in row.reason


def test_short_questions_are_found_with_one_word_changed_but_not_within_a_text() -> None:
    held_out = [Row("Name a festival of Sicily with fireworks", "x")]
    assert next(
        decontaminate.curate([Row("name one famous festival of Sicily with fireworks", "x")], [], held_out)
    ).status
    within = (
        "Here we list what a traveller in Italy may like, such as the festival of fireworks that Sicily has in May."
    )
    assert not next(decontaminate.curate([Row("Tell me more.", within)], [], held_out)).status


def test_what_is_as_near_to_a_real_row_is_no_copy() -> None:
    real = [Row(PARAPHRASES[1], "255")]
    assert reasons([PARAPHRASES[1]], real) == [""]
    assert reasons([QUESTIONS[1]], real)[0].startswith("decontaminate: same problem")


def test_words_agree_in_other_inflections_numbers_in_other_spellings_and_names_in_their_parts() -> None:
    assert features("Purchased 1,200 apples twice, twelve of them_too") == features("purchase 1200 apple double 12")
    assert features("has_close_elements") == ("clos", "elem")
    assert features("x1 and x2") == ("x1", "x2")
    assert features("北京在哪里") == ("北京", "京在", "在哪", "哪里")


def test_common_words_of_many_questions_make_no_match() -> None:
    form = "In the following list of animals, plants, rivers and towns, which entry comes first: {}?"
    questions = [form.format(" ".join(f"thing{9 * number + part}" for part in range(5))) for number in range(60)]
    index = RewordedIndex(questions)
    assert index.find(features(form.format("thing5000 thing6000 thing7000 thing8000 thing9000"))) is None
    match = index.find(features(f"Tell me, {questions[7].lower()}"))
    assert match
    assert match.question == 7


def test_planted_copies_are_the_same_for_a_seed_and_lose_no_number() -> None:
    questions = [Question(text, "exam", f"exam:{number}") for number, text in enumerate(QUESTIONS)]
    copies = planted_copies(questions, 4, 3)
    assert copies == planted_copies(questions, 4, 3) != planted_copies(questions, 4, 4)
    assert [kind for kind, _, _ in copies].count("verbatim") == 4
    assert {kind for kind, _, _ in copies} == set(KINDS)
    assert len({row.id for _, _, row in copies}) == len(copies)
    for _, question, row in copies:
        numbers = {word for word in features(question.text) if word.isdigit()}
        assert numbers <= set(features(f"{row.prompt} {row.answer}"))
    draw = random.Random(0)
    assert edited(QUESTIONS[0], ["tree"], draw) != QUESTIONS[0]
    assert set(features(paraphrased(QUESTIONS[0], ["tree"], draw))) & set(features(QUESTIONS[0]))
