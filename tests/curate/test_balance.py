"""Rows of one kind do not crowd out the others: quotas hold, and the best of each kind stay."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from selfsown.curate import balance
from selfsown.guard import bias
from selfsown.recipe.steps import step
from selfsown.records import Grade, Row, SelfsownError


def rows(graded: bool = False, **counts: int) -> list[Row]:
    made = [Row("", f"{kind}{at}", metadata={"style": kind}) for kind, n in counts.items() for at in range(n)]
    random.Random(0).shuffle(made)
    return [row.graded(Grade((at % 10) / 10)) for at, row in enumerate(made)] if graded else made


def kinds(out: list[Row]) -> Counter[str]:
    return Counter(row.metadata["style"] for row in out if not row.status)


REAL = rows(a=500, b=500)
STYLE = ("style",)


def test_a_biased_teacher_s_gap_is_closed_and_the_guard_that_fired_is_silent() -> None:
    biased = rows(a=900, b=100)
    assert not bias.guard(biased, REAL, attributes=STYLE).passed
    out = list(balance.curate(biased, REAL, 0, attributes=STYLE))
    assert [row.id for row in out] == [row.id for row in biased]
    verdict = bias.guard([row for row in out if not row.status], REAL, attributes=STYLE)
    assert verdict.passed
    assert verdict.metrics["style"] <= 0.2 + 1e-9  # half of the gap of 0.4 at the most
    assert kinds(out) == {"a": 122, "b": 100}
    assert kinds(list(balance.curate(biased, REAL, 0, attributes=STYLE, tolerance=0.0))) == {"a": 100, "b": 100}


def test_rows_that_are_balanced_stay_as_they_are() -> None:
    for counts in ({"a": 100, "b": 100}, {"a": 54, "b": 46}, {"a": 3, "b": 3}):
        assert sum(kinds(list(balance.curate(rows(**counts), REAL, 0, attributes=STYLE))).values()) == sum(
            counts.values()
        )


def test_the_best_graded_of_the_crowd_stay_and_chance_decides_between_equals() -> None:
    graded = rows(graded=True, a=400, b=40)
    out = list(balance.curate(graded, REAL, 0, attributes=STYLE))
    scores = {
        end: [row.score for row in out if row.metadata["style"] == "a" and row.status == end]
        for end in ("", "rejected")
    }
    assert min(scores[""]) >= max(scores["rejected"])
    equal = rows(a=400, b=40)
    stays = [
        {row.id for row in balance.curate(equal, REAL, seed, attributes=STYLE) if not row.status} for seed in (0, 0, 1)
    ]
    assert stays[0] == stays[1] != stays[2]


def test_shares_may_be_even_or_written_down() -> None:
    crowd, real = rows(a=600, b=300, c=100), rows(a=90, b=9, c=1)
    even = kinds(list(balance.curate(crowd, real, 0, attributes=STYLE, target="even", tolerance=0.0)))
    assert even == {"a": 100, "b": 100, "c": 100}
    said = kinds(list(balance.curate(crowd, real, 0, attributes=STYLE, target={"a": 0.5, "b": 0.5}, tolerance=0.0)))
    assert said == {"a": 300, "b": 300}


def test_several_attributes_go_together() -> None:
    made = [
        Row("", f"{x}{y}{at}", metadata={"x": x, "y": y})
        for x, y, n in (("1", "1", 80), ("1", "2", 20), ("2", "1", 20), ("2", "2", 20))
        for at in range(n)
    ]
    out = balance.curate(made, [], 0, attributes=("x", "y"), target="even", tolerance=0.0)
    assert Counter(tuple(row.metadata.values()) for row in out if not row.status) == Counter(
        {(x, y): 20 for x in "12" for y in "12"}
    )


def test_rows_without_the_attribute_are_not_touched() -> None:
    others = [Row("", f"plain {at}") for at in range(50)]
    out = list(balance.curate([*rows(a=90, b=10), *others], REAL, 0, attributes=STYLE))
    assert not any(row.status for row in out[100:])
    assert any(row.status for row in out[:100])


@pytest.mark.parametrize("tolerance", [0.0, 0.02, 0.05, 0.2])
def test_no_value_exceeds_its_share_and_the_tolerance(tolerance: float) -> None:
    rng = random.Random(1)
    for _ in range(50):
        counts = {kind: rng.randint(1, 300) for kind in "abcde"}
        real = {kind: rng.randint(1, 300) for kind in "abcde"}
        stay = kinds(list(balance.curate(rows(**counts), rows(**real), 0, attributes=STYLE, tolerance=tolerance)))
        whole = sum(stay.values())
        for kind, n in stay.items():
            assert n <= (real[kind] / sum(real.values()) + tolerance) * whole + 3  # each is rounded to whole rows


def test_what_does_not_fit_is_explained() -> None:
    with pytest.raises(SelfsownError, match="balance needs attributes"):
        step("curate", "balance")
    with pytest.raises(SelfsownError, match="attributes is empty"):
        list(balance.curate(rows(a=1), REAL, 0, attributes=()))
    with pytest.raises(SelfsownError, match="no real row has styel; available: style"):
        list(balance.curate([Row("", "x", metadata={"styel": "a"})], REAL, 0, attributes=("styel",)))
    with pytest.raises(SelfsownError, match=r"target gives no share to any value that the rows have \(a, b\)"):
        list(balance.curate(rows(a=1, b=1), REAL, 0, attributes=STYLE, target={"north": 1.0}))
