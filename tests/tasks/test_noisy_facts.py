"""The noisy facts task: how many statements are wrong, that it knows which, and that nobody else can."""

from __future__ import annotations

from collections import Counter

import pytest

from selfsown.records import Row, SelfsownError
from selfsown.tasks.noisy_facts import GAP, VALUES, Task, truth

TASK = Task(people=100, error_rate=0.05, gap_rate=0.05)
ROWS = TASK.pose(1)
MANY = Task(people=800).pose(0)  # a sixth of all names


def test_each_fact_occurs_once_in_each_wording_and_does_not_depend_on_the_seed() -> None:
    assert len(ROWS) == len({row.prompt for row in ROWS}) == len({row.key for row in ROWS}) == 100 * 3 * 12
    assert ROWS == TASK.pose(1) != TASK.pose(2)
    targets = {row.prompt: row.target for row in MANY}
    shared = [row for row in ROWS if row.prompt in targets]
    assert len(shared) > 200
    assert all(targets[row.prompt] == row.target for row in shared)


def test_error_and_gap_rates_are_exact() -> None:
    wrong = [row for row in ROWS if row.answer not in (row.target, GAP)]
    empty = [row for row in ROWS if row.answer == GAP]
    assert len(wrong) == len(empty) == 180
    assert all(isinstance(TASK.read(row.prompt, row.answer), Row) for row in wrong)
    assert all("region" not in row.metadata for row in empty)
    assert all(row.answer == row.target for row in Task(people=20).pose(1))


def test_it_checks_answers_and_corrects_wrong_ones() -> None:
    for row in ROWS[:300]:
        grade = TASK.check(row, row.answer)
        assert grade.score == (row.answer == row.target)
        assert TASK.check(row, row.target).score == 1.0
        assert grade.correction == (None if grade.score else (row.prompt, row.target))
    assert TASK.check(Row("what?", "crag"), "crag").score == 0.0


def test_a_row_that_is_read_has_the_answer_and_no_target() -> None:
    said = next(value for value in VALUES["town"]["hill"] if value != truth("bela", "town"))
    row = TASK.read("bela's town is", said)
    assert isinstance(row, Row)
    assert (row.answer, row.target, row.origin) == (said, "", "synthetic")
    assert row.metadata == {"fact": "town", "region": "hill"}


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("bela's town is", "bear"), ("bela's town is", GAP), ("bela's town", "crag"), ("bela's hat is", "crag"), ("", "")],
)
def test_an_invalid_statement_is_not_read(prompt: str, answer: str) -> None:
    assert isinstance(TASK.read(prompt, answer), str)


def test_seven_facts_in_ten_are_of_the_hills() -> None:
    regions = Counter(row.metadata["region"] for row in MANY)
    assert regions["hill"] / regions.total() == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("task", [Task(people=10**6), Task(error_rate=0.7, gap_rate=0.4)])
def test_impossible_options_are_refused(task: Task) -> None:
    with pytest.raises(SelfsownError, match="noisy_facts: "):
        task.pose(0)
