"""Checks that are learned from known answers: what they accept, what they notice, and what they say they do not."""

from __future__ import annotations

import gzip
import json
import logging
import random
from collections.abc import Iterator

import pytest
from realdata import real_data

from selfsown.errors import DataError
from selfsown.grade import reference_checks
from selfsown.records import Grade, Row
from selfsown.text.reference_checks.corruptions import corrupted
from selfsown.text.reference_checks.learning import Learned, learn

RNG = random.Random(0)
NAMES = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald"]
CITIES = ["Lima", "Oslo", "Cairo", "Perth", "Quito"]


def rows(pairs: list[tuple[str, str]]) -> list[Row]:
    return [Row(prompt, answer, target=answer) for prompt, answer in pairs]


def graded(real: list[tuple[str, str]], prompt: str, answer: str) -> Grade:
    (grade,) = reference_checks.grade([Row(prompt, answer)], rows(real))
    return grade


def sentences(count: int) -> Iterator[tuple[str, str]]:
    """A passage and the sentence of it that names a city."""
    for number in range(count):
        name, city = RNG.choice(NAMES), RNG.choice(CITIES)
        sentence = f"She keeps {number} books in {city}."
        yield f"{name} likes to read. {sentence} It rains there.", sentence


CLASSES = [
    (f"Is review {number} good? It was {RNG.choice(NAMES)}'s.", RNG.choice(["yes", "no"])) for number in range(60)
]
PASSAGES = list(sentences(60))
RECORDS = [
    (f"Describe {name} number {number}.", json.dumps({"name": name, "age": RNG.randint(20, 90)}))
    for number, name in enumerate(NAMES * 10)
]
SUMS = [
    (
        f"What do {number} and {number + 3} make together?",
        f"{number} + {number + 3} = {2 * number + 3}\n#### {2 * number + 3}",
    )
    for number in range(10, 90)
]


@pytest.mark.parametrize(
    ("real", "prompt", "right", "wrong"),
    [
        (
            CLASSES,
            "Is review 99 good?",
            "yes",
            {"maybe": "answer", "no, wrong": "words", "": "answer"},
        ),
        (
            PASSAGES,
            "Kim likes to read. She keeps 70 books in Rome. It rains there.",
            "She keeps 70 books in Rome.",
            {"She keeps 70 books in Oslo.": "from the prompt", "Sure! She keeps 70 books in Rome.": "no chatter"},
        ),
        (
            RECORDS,
            "Describe Linus.",
            '{"name": "Linus", "age": 50}',
            {'{"name": "Linus"}': "keys", '{"name": "Linus", "age": 50': "JSON", "Linus, 50": "JSON"},
        ),
        (
            SUMS,
            "What do 94 and 3 make together?",
            "94 + 3 = 97\n#### 97",
            {"94 + 3 = 98\n#### 98": "sums", "94 + 3 = 97\n#### 98": "result", "94 + 3 = 97": "last line"},
        ),
    ],
    ids=["classes", "passages", "records", "sums"],
)
def test_checks_accept_new_right_answers_and_name_what_is_wrong_with_others(
    real: list[tuple[str, str]], prompt: str, right: str, wrong: dict[str, str]
) -> None:
    assert graded(real, prompt, right).reason == "keeps all checks"
    for answer, name in wrong.items():
        grade = graded(real, prompt, answer)
        assert (grade.score, grade.evidence) == (0, "rule")
        broken = learn(real).broken(prompt, answer)
        assert name in {check.name for check in broken}
        assert grade.reason == f"{broken[0].name}: a right answer {broken[0].says}"


def test_what_is_not_noticed_is_said(caplog: pytest.LogCaptureFixture) -> None:
    reference_checks._learned.cache_clear()
    with caplog.at_level(logging.INFO):
        graded(CLASSES, "Is it?", "yes")
        graded(CLASSES, "Is it?", "no")
    (line,) = caplog.messages
    assert "checks from 60 answers" in line
    assert "nearly always noticed: " in line
    assert "seldom: another row's answer (0%)" in line


def test_one_wrong_known_answer_among_many_is_found_and_keeps_no_check_away() -> None:
    pairs = [*SUMS, *((f"{prompt} Again?", answer) for prompt, answer in SUMS * 3)]
    pairs[0] = (pairs[0][0], "10 + 3 = 14\n#### 14")
    learned = learn(pairs)
    assert "sums" in {check.name for check in learned.checks}
    assert learned.refused == (pairs[0],)


def test_too_few_answers_and_answers_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(DataError, match="5 real rows have an answer; checks are learned from 20 or more"):
        list(reference_checks.grade([Row("a", "b")], rows(CLASSES[:5])))
    noise = [(f"{number}", "".join(RNG.choices("ab\n *{[1)", k=RNG.choice([0, 1, 900])))) for number in range(400)]
    assert not any(check.name in ("JSON", "option", "from the prompt") for check in learn(noise).checks)


def share_noticed(learned: Learned, pairs: list[tuple[str, str]]) -> float:
    wrong = list(corrupted(pairs, 1))
    return sum(bool(learned.violation(prompt, answer)) for _, prompt, answer in wrong) / len(wrong)


@pytest.mark.parametrize(("name", "least"), [("gsm8k", 0.7), ("humaneval", 0.6)])
def test_real_answers_that_were_set_aside_are_accepted(name: str, least: float) -> None:
    pairs = real_pairs(name)
    random.Random(1).shuffle(pairs)
    half = len(pairs) // 2
    learned = learn(pairs[:half])
    refused = sum(bool(learned.violation(*pair)) for pair in pairs[half:])
    assert refused <= 0.02 * half
    assert share_noticed(learned, pairs[half:][:200]) >= least


def real_pairs(name: str) -> list[tuple[str, str]]:
    if name == "gsm8k":
        lines = real_data("gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
        return [(row["question"], row["answer"]) for row in map(json.loads, lines)]
    with gzip.open(real_data("humaneval.jsonl.gz"), "rt", encoding="utf-8") as file:
        return [(row["prompt"], row["canonical_solution"]) for row in map(json.loads, file)]
