"""Of many that say nearly the same, few stay; every row comes out once."""

from __future__ import annotations

import pytest

from selfsown.curate import k_center
from selfsown.records import Grade, Row, SelfsownError

SAID = ["cats chase mice at night", "rain falls on the hills", "bread is baked at dawn", "ships sail the cold sea"]
REAL = [Row("", f"{text} again {at}") for at in range(30) for text in SAID]


def graded(text: str, draw: int) -> Row:
    return Row("", text, sample_index=draw).graded(Grade(1.0))


def test_each_kind_is_kept_though_one_is_said_a_hundred_times() -> None:
    rows = [graded(f"{SAID[0]} {at}", at) for at in range(100)] + [graded(text, 100) for text in SAID[1:]]
    found = list(k_center.curate(rows, REAL, 0, keep_share=0.1))
    assert [row.id for row in found] == [row.id for row in rows]
    kept = [row.answer for row in found if not row.status]
    assert len(kept) == 10
    assert set(SAID[1:]) <= set(kept)
    assert all(row.reason == "k_center: too close to rows that were kept" for row in found if row.status)


def test_what_has_ended_passes_by() -> None:
    gone = graded("nothing", 0).rejected("before")
    assert list(k_center.curate([gone], REAL, 0)) == [gone]


def test_without_a_grader_it_refuses() -> None:
    with pytest.raises(SelfsownError, match="name a grader"):
        list(k_center.curate([Row("", "noise")], REAL, 0))
