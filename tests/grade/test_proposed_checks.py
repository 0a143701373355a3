"""A teacher proposes checks: those that hold and help are kept, the others are counted, and nothing is paid twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from selfsown.errors import DataError
from selfsown.grade import proposed_checks
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row
from selfsown.run_folder import RunFolder
from selfsown.text.reference_checks.learning import halves, learn
from selfsown.text.reference_checks.proposals import BROKEN, INVALID, UNHELPFUL, USED, parsed, with_proposals
from selfsown.usage.ledger import usage_entries
from testing.echo_model import Parrot
from testing.mock_server import Server

KEYS = ["red", "blue", "green", "black"]
PAIRS = [
    (
        f"Which drawer holds key {number}?",
        f"Key {number} is in the {KEYS[number % 4]} drawer, left of drawer {number + 7}.",
    )
    for number in range(80)
]
HELPS = {"kind": "contains", "texts": ["."], "max": 1}  # a denial has another sentence
PROPOSALS: list[Any] = [
    HELPS,
    {"kind": "excludes", "texts": ["wrong"]},  # notices what the first does
    {"kind": "contains", "texts": ["blue"]},  # true of every fourth answer
    {"kind": "excludes", "texts": ["zebra"]},  # true, and no help
    {"kind": "run", "texts": ["import os"]},
    {"kind": "contains"},
    "no object",
]


def real() -> list[Row]:
    return [Row(prompt, answer, target=answer) for prompt, answer in PAIRS]


def graded(reply: str, answers: Sequence[str]) -> list[Grade]:
    rows = [Row("Which drawer holds key 5?", answer) for answer in answers]
    return list(proposed_checks.grade(rows, Parrot(lambda prompt, index: reply), real()))


def test_what_holds_and_helps_is_kept_and_the_rest_is_counted() -> None:
    learned, ended = with_proposals(learn(PAIRS), PROPOSALS, PAIRS)
    assert ended == {USED: 1, UNHELPFUL: 2, BROKEN: 1, INVALID: 3}
    assert learned.checks[:-1] == learn(PAIRS).checks
    assert learned.checks[-1].name == "proposed: contains"
    assert (learn(PAIRS).noticed["denied"], learned.noticed["denied"]) == (0, 1)


@pytest.mark.parametrize(
    ("proposal", "right", "wrong"),
    [
        ({"kind": "contains", "texts": ["#"], "min": 2, "max": 3}, "# a #", "# a"),
        ({"kind": "excludes", "texts": ["sorry"]}, "It is 4.", "I am sorry."),
        ({"kind": "starts_with", "texts": ["A", "B"]}, "B: yes", "C: yes"),
        ({"kind": "ends_with", "texts": ["."]}, "Yes. ", "Yes"),
        ({"kind": "one_of", "texts": ["Yes", "No"]}, "yes", "yes, no"),
        ({"kind": "last_line_starts_with", "texts": ["####"]}, "a\n#### 4", "#### 4\na"),
        ({"kind": "in_order", "texts": ["b", "a"]}, "b a", "a b"),
        ({"kind": "words", "min": 2, "max": 3}, "two words", "one"),
        ({"kind": "lines", "max": 1}, "a", "a\nb"),
        ({"kind": "numbers", "min": 1, "max": 1}, "4 apples", "4 of 5"),
        ({"kind": "last_number", "min": 0, "max": 9}, "12 and 9", "9 and 12"),
        ({"kind": "last_number", "max": 9}, "-3", "none"),
        ({"kind": "shared_words", "min": 1}, "a question", "a reply"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_each_kind_of_proposal_is_checked(proposal: dict[str, Any], right: str, wrong: str) -> None:
    check = parsed(proposal)
    assert check.keeps("The question?", right)
    assert not check.keeps("The question?", wrong)
    assert check.says


@pytest.mark.parametrize(
    "proposal",
    [
        {"kind": "pattern", "texts": ["(a+)+$"]},
        {"kind": "contains", "texts": []},
        {"kind": "contains", "texts": [""]},
        {"kind": "contains", "texts": ["a" * 1_000]},
        {"kind": "contains", "texts": ["a"] * 100},
        {"kind": "contains", "texts": "a"},
        {"kind": "words", "min": "two"},
        {"kind": "words", "min": True},
        {"kind": "words", "max": float("nan")},
        {"kind": ["words"]},
        {},
    ],
)
def test_what_is_not_in_the_language_is_no_check(proposal: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(proposal)


def test_the_grader_names_the_proposed_check_that_an_answer_breaks(caplog: pytest.LogCaptureFixture) -> None:
    right = "Key 5 is in the red drawer, left of drawer 12."
    wrong = f"{right} This is wrong."
    with caplog.at_level(logging.INFO):
        grades = graded(json.dumps({"checks": [HELPS, {"kind": "words", "min": 500}]}), [right, wrong])
    assert [grade.score for grade in grades] == [1, 0]
    assert grades[1].reason == "proposed: contains: a right answer has 1 to 1 times one of '.'"
    (line,) = [message for message in caplog.messages if "proposed_checks" in message]
    assert "1 of 2 proposals are used, 1 broken by known answers; " in line
    assert "seldom: " in line


def test_a_teacher_that_proposes_nothing_leaves_the_learned_checks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        grades = graded("I would rather not.", ["Key 5 is in the red drawer, left of drawer 12.", ""])
    assert [grade.score for grade in grades] == [1, 0]
    assert "the teacher proposed nothing that could be read: " in caplog.text


def test_the_teacher_sees_no_answer_on_which_its_proposals_are_tried() -> None:
    prompts: list[str] = []

    def propose(prompt: str, index: int) -> str:
        prompts.append(prompt)
        return json.dumps({"checks": [HELPS]})

    assert list(proposed_checks.grade([], Parrot(propose), real(), shown=60)) == []
    assert not prompts, "a dry run asks nothing"
    assert len(list(proposed_checks.grade(real(), Parrot(propose), real(), shown=60))) == len(PAIRS)
    first, second = halves(PAIRS)
    assert all(answer in prompts[0] for _, answer in first)
    assert not any(answer in prompts[0] for _, answer in second)


def test_too_few_known_answers_are_refused() -> None:
    with pytest.raises(DataError, match=r"grade\.proposed_checks: 5 real rows have an answer"):
        list(proposed_checks.grade([], Parrot(lambda prompt, index: ""), real()[:5]))


def test_a_run_asks_once_books_it_and_resumes_from_the_journal(tmp_path: Path) -> None:
    asked: list[str] = []

    def say(prompt: str, body: dict[str, Any]) -> str:
        if "Propose up to" in prompt:
            asked.append(prompt)
            return json.dumps({"checks": [HELPS]})
        return (
            "Key 1 is in the red drawer, left of drawer 12." if "key 1" in prompt else "Left of drawer 9, it is in the"
        )

    (tmp_path / "rows.jsonl").write_text("".join(_lines()), encoding="utf-8")
    with Server(models=("m",), say=say) as server:
        tree = {
            "name": "mine",
            "real": str(tmp_path / "rows.jsonl"),
            "teacher": {"endpoint": {"url": server.url, "model": "m", "price": {"input": 1.0, "output": 3.0}}},
            "generate": [{"sample": {"n": 1}}],
            "grade": ["proposed_checks"],
            "curate": ["min_score"],
        }
        make(Recipe.of(tree, tmp_path), tmp_path / "out")
        assert len(asked) == 1, asked
        requests = len(server.bodies)
        make(Recipe.of(tree, tmp_path), tmp_path / "out")
        assert len(server.bodies) == requests
    entries = usage_entries(RunFolder(tmp_path / "out").journal.path)
    (entry,) = [entry for entry in entries if entry.stage == "grade.proposed_checks"]
    assert (entry.role, entry.requests) == ("teacher", 1)
    assert entry.usd > 0


def _lines() -> Iterator[str]:
    yield from (json.dumps({"prompt": prompt, "answer": answer}) + "\n" for prompt, answer in PAIRS)
