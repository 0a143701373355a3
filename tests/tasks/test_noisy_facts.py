"""The chronicle: how many of its statements are wrong, that it knows which, and that nobody else is told."""

from __future__ import annotations

from collections import Counter

import pytest

from selfsown.records import Row, SelfsownError
from selfsown.tasks.noisy_facts import GAP, NAMES, VALUES, Task, truth

WORLD = Task(people=100, error_rate=0.05, gap_rate=0.05)
ROWS = WORLD.pose(1)


def test_each_fact_is_told_in_each_way_once_and_the_facts_are_the_same_whatever_the_seed() -> None:
    assert len(ROWS) == len({row.prompt for row in ROWS}) == len({row.key for row in ROWS}) == 100 * 3 * 12
    assert ROWS == WORLD.pose(1) != WORLD.pose(2)
    told = {row.prompt: row.target for row in Task(len(NAMES)).pose(2)}
    assert all(told[row.prompt] == row.target for row in ROWS)


def test_as_many_statements_are_wrong_or_empty_as_was_asked() -> None:
    wrong = [row for row in ROWS if row.answer not in (row.target, GAP)]
    empty = [row for row in ROWS if row.answer == GAP]
    assert len(wrong) == len(empty) == 180
    assert all(isinstance(WORLD.read(row.prompt, row.answer), Row) for row in wrong)
    assert all("side" not in row.metadata for row in empty)
    assert all(row.answer == row.target for row in Task(people=20).pose(1))


def test_it_tells_right_from_wrong_and_names_what_is_right() -> None:
    for row in ROWS[:300]:
        grade = WORLD.check(row, row.answer)
        assert grade.score == (row.answer == row.target)
        assert WORLD.check(row, row.target).score == 1.0
        assert grade.correction == (None if grade.score else (row.prompt, row.target))
    assert WORLD.check(Row("what?", "crag"), "crag").score == 0.0


def test_a_reader_is_told_what_was_said_and_not_what_is_so() -> None:
    said = next(value for value in VALUES["town"]["hill"] if value != truth("bela", "town"))
    row = WORLD.read("bela's town is", said)
    assert isinstance(row, Row)
    assert (row.answer, row.target, row.origin) == (said, "", "synthetic")
    assert row.metadata == {"fact": "town", "side": "hill"}


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("bela's town is", "bear"), ("bela's town is", GAP), ("bela's town", "crag"), ("bela's hat is", "crag"), ("", "")],
)
def test_what_is_no_statement_is_not_read(prompt: str, answer: str) -> None:
    assert isinstance(WORLD.read(prompt, answer), str)


def test_seven_facts_in_ten_are_of_the_hills() -> None:
    sides = Counter(row.metadata["side"] for row in Task(people=1000).pose(0))
    assert sides["hill"] / sides.total() == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("world", [Task(people=10**6), Task(error_rate=0.7, gap_rate=0.4)])
def test_what_cannot_be_had_is_refused(world: Task) -> None:
    with pytest.raises(SelfsownError, match="chronicle: "):
        world.pose(0)
