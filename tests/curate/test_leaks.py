"""What is held out never becomes a lesson."""

from __future__ import annotations

from dataclasses import replace

from selfsown.curate import leaks
from selfsown.records import Row
from selfsown.tasks.programs import World

WORLD = World(rows=200)
ROWS = WORLD.pose(0)
HELD_OUT, OTHERS = ROWS[:100], [row for row in ROWS[100:] if row.key not in {each.key for each in ROWS[:100]}]


def test_rows_about_other_problems_stay() -> None:
    assert list(leaks.curate(OTHERS, HELD_OUT)) == OTHERS


def test_rows_about_held_out_problems_are_rejected_by_their_name() -> None:
    out = list(leaks.curate(HELD_OUT, HELD_OUT))
    assert [row.reason for row in out[:3]] == [f"leaks: its problem is held-out row {row.id}" for row in HELD_OUT[:3]]
    assert {row.end for row in out} == {"rejected"}


def test_the_same_problem_in_the_other_form_is_a_leak() -> None:
    twins = [twin for row in HELD_OUT for twin in WORLD.restate(row)]
    assert len(twins) == 50
    assert {row.end for row in leaks.curate(twins, HELD_OUT)} == {"rejected"}


def test_a_held_out_prompt_with_a_wrong_answer_is_a_leak_too() -> None:
    wrong = [replace(row, answer="x", problem="another") for row in HELD_OUT]
    assert {row.end for row in leaks.curate(wrong, HELD_OUT)} == {"rejected"}


def test_documents_leak_by_their_text() -> None:
    out = leaks.curate([Row("", "emma"), Row("", "ava")], [Row("", "emma")])
    assert [row.end for row in out] == ["rejected", ""]


def test_two_documents_do_not_leak_only_because_neither_has_a_prompt() -> None:
    assert not next(leaks.curate([Row("", "ava")], [Row("", "emma"), Row("", "zoe")])).end
