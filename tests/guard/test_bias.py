"""A generation whose rows shift a declared attribute away from the real rows is rolled back."""

from __future__ import annotations

import random

import pytest

from selfsown.guard import bias
from selfsown.records import Row, SelfsownError, Verdict


def rows(a: int, b: int, **others: int) -> list[Row]:
    counts = {"a": a, "b": b, **others}
    return [Row("", style, metadata={"style": style}) for style, count in counts.items() for _ in range(count)]


REAL = rows(700, 300)


@pytest.mark.parametrize("kept", [rows(700, 300), rows(65, 35), rows(7, 3), rows(3, 2), []])
def test_about_the_same_shares_stand(kept: list[Row]) -> None:
    verdict = bias.guard(kept, REAL, attributes=("style",))
    assert verdict.passed
    assert verdict.guard == "bias"


@pytest.mark.parametrize(
    ("kept", "shift"),
    [(rows(900, 100), 20.0), (rows(500, 500), 20.0), (rows(700, 0), 30.0), (rows(560, 240, c=200), 20.0)],
)
def test_a_shift_fires_and_says_by_how_much(kept: list[Row], shift: float) -> None:
    verdict = bias.guard(kept, REAL, attributes=("style",))
    assert not verdict.passed
    assert verdict.reason == f"style shifted by {shift:.1f} points from the real rows"
    assert verdict.metrics == {"style": pytest.approx(shift / 100)}


def test_a_guard_that_watches_no_attribute_is_a_mistake_and_no_pass() -> None:
    with pytest.raises(SelfsownError, match="attributes is empty"):
        bias.guard(rows(1000, 0), REAL, attributes=())


def test_an_attribute_that_no_kept_row_has_is_not_said_to_be_unshifted() -> None:
    verdict = bias.guard([Row("", "a")], REAL, attributes=("style",))
    assert verdict == Verdict(True, "not measured: no kept row has style", "bias")


def test_tolerance_is_how_much_may_shift() -> None:
    assert bias.guard(rows(850, 150), REAL, attributes=("style",), tolerance=0.2).passed
    assert not bias.guard(rows(850, 150), REAL, attributes=("style",), tolerance=0.1).passed


def test_samples_of_the_real_rows_hardly_ever_fire() -> None:
    rng = random.Random(0)
    verdicts = [bias.guard(rng.sample(REAL, 20), REAL, attributes=("style",)).passed for _ in range(300)]
    assert sum(verdicts) > 270


def test_an_attribute_that_no_real_row_has_is_explained() -> None:
    with pytest.raises(SelfsownError, match="styel"):
        bias.guard(rows(1000, 0), REAL, attributes=("styel",))
