"""A correction takes the place of what it corrects, and nothing else gives way."""

from __future__ import annotations

from selfsown.mix import replace_corrected
from selfsown.records import Row

REAL = [Row("", f"real {at}") for at in range(10)]


def new(answer: str, *parents: Row, generation: int = 1) -> Row:
    there = tuple(row.id for row in parents)
    return Row("", answer, origin="synthetic", parents=there, generation=generation)


def test_a_correction_takes_the_place_of_its_parent_and_all_others_stay() -> None:
    better = new("better", REAL[3])
    mixture = replace_corrected.mix(REAL, [better])
    assert list(mixture.rows) == [*REAL[:3], better, *REAL[4:]]
    assert set(mixture.weights) == {1.0}
    assert mixture.real_share == 0.9


def test_the_newest_correction_counts() -> None:
    older, newer = new("older", REAL[0]), new("newer", REAL[0], generation=2)
    assert list(replace_corrected.mix(REAL, [older, newer]).rows) == [newer, *REAL[1:]]


def test_what_corrects_no_real_row_comes_on_top() -> None:
    others = [new("of two", REAL[0], REAL[1]), new("of none"), new("of one that is not here", Row("", "elsewhere"))]
    assert list(replace_corrected.mix(REAL, others).rows) == [*REAL, *others]
