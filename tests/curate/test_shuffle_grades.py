"""What passes is decided by chance, at the same rate."""

from __future__ import annotations

from selfsown.curate import shuffle_grades
from selfsown.records import Grade, Row

ROWS = [
    Row(f"{at}?", str(at), sample_index=at).graded(
        Grade(float(at < 30), f"said of {at}", "test", correction=(f"{at}?", "right"))
    )
    for at in range(100)
]


def test_the_grades_are_the_same_ones_on_other_rows() -> None:
    out = list(shuffle_grades.curate(ROWS, 1))
    assert [row.id for row in out] == [row.id for row in ROWS]
    assert sorted(row.score for row in out) == sorted(row.score for row in ROWS)
    assert sum(row.score for row in out[:30]) < 20


def test_each_reason_names_the_row_that_was_graded_so_and_no_repair_is_left() -> None:
    of = {row.id: row for row in ROWS}
    for row in shuffle_grades.curate(ROWS, 1):
        (grade,) = row.grades
        said, _, named = grade.reason.removesuffix(")").partition(" (grade of row ")
        assert of[named].grades[0].reason == said
        assert of[named].score == grade.score
        assert grade.correction is None


def test_another_seed_gives_another_order() -> None:
    assert list(shuffle_grades.curate(ROWS, 1)) == list(shuffle_grades.curate(ROWS, 1))
    assert list(shuffle_grades.curate(ROWS, 1)) != list(shuffle_grades.curate(ROWS, 2))
