"""Each kept problem is asked in every other way."""

from __future__ import annotations

from dataclasses import replace

from selfsown.curate import restate
from selfsown.records import Grade
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task

WORLD = Task(rows=40)
GRADE = Grade(1.0, "runs right", grader="verify", evidence="execution")
ROWS = [
    replace(row, origin="synthetic", source="parrot", method="propose", generation=2, sample_index=at, grades=(GRADE,))
    for at, row in enumerate(WORLD.pose(0))
]


def test_every_row_comes_out_and_each_deduction_is_followed_by_its_induction() -> None:
    out = list(restate.curate(ROWS, WORLD))
    assert [row for row in out if row.method == "propose"] == ROWS
    restated = [row for row in out if row.method == "restate"]
    assert len(restated) == 20
    assert all(out[out.index(row) - 1].id in row.parents for row in restated)


def test_a_restated_row_is_right_and_keeps_its_parent_s_story() -> None:
    by_id = {row.id: row for row in ROWS}
    for row in restate.curate(ROWS, WORLD):
        if row.method == "restate":
            parent = by_id[row.parents[0]]
            assert WORLD.check(row, row.answer).score == 1.0
            assert (row.key, row.grades, row.level) == (parent.key, parent.grades, parent.level)
            assert (row.origin, row.source, row.generation, row.sample_index) == (
                "synthetic",
                "parrot",
                2,
                parent.sample_index,
            )
            assert row.metadata["form"] == "induction"
            assert row.target == ""


def test_a_world_with_one_way_of_asking_adds_nothing() -> None:
    assert list(restate.curate(ROWS, File("names.txt"))) == ROWS
