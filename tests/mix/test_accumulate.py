"""Real rows never leave, and they keep their share."""

from __future__ import annotations

import numpy as np
import pytest

from selfsown.mix import accumulate
from selfsown.records import Row

REAL = [Row("", f"real {at}") for at in range(10)]


def synthetic(count: int, generation: int = 1) -> list[Row]:
    return [Row("", f"new {at}", origin="synthetic", generation=generation, sample_index=at) for at in range(count)]


def test_every_real_row_and_every_generation_is_there() -> None:
    rows = [*synthetic(5), *synthetic(5, generation=2)]
    mixture = accumulate.mix(REAL, rows)
    assert list(mixture.rows) == [*REAL, *rows]
    assert (mixture.weights > 0).all()


@pytest.mark.parametrize("count", [1, 5, 20])
def test_each_row_is_drawn_equally_often_while_real_rows_have_their_share(count: int) -> None:
    mixture = accumulate.mix(REAL, synthetic(count))
    assert np.allclose(mixture.weights, mixture.weights[0])
    assert mixture.real_share == pytest.approx(10 / (10 + count))


@pytest.mark.parametrize("count", [21, 100, 5000])
def test_real_rows_never_fall_below_a_third_of_the_draws(count: int) -> None:
    mixture = accumulate.mix(REAL, synthetic(count))
    assert mixture.real_share == pytest.approx(1 / 3)
    assert np.allclose(mixture.weights[:10], mixture.weights[0])
    assert np.allclose(mixture.weights[10:], mixture.weights[10])


def test_the_floor_can_be_moved() -> None:
    assert accumulate.mix(REAL, synthetic(990), real_share=0.75).real_share == pytest.approx(0.75)
    assert accumulate.mix(REAL, synthetic(990), real_share=0.0).real_share == pytest.approx(0.01)


def test_without_synthetic_rows_all_draws_are_real() -> None:
    mixture = accumulate.mix(REAL, [])
    assert (list(mixture.rows), mixture.real_share) == (REAL, 1.0)
    assert np.allclose(mixture.weights, 0.1)
