"""Only the newest generation's rows, the known way to collapse."""

from __future__ import annotations

import numpy as np
import pytest

from selfsown.mix import replace
from selfsown.records import Row

REAL = [Row("", f"real {at}") for at in range(10)]
FIRST = [Row("", f"first {at}", origin="synthetic", generation=1) for at in range(5)]
SECOND = [Row("", f"second {at}", origin="synthetic", generation=2) for at in range(3)]


def test_only_the_newest_generation_is_learned_from() -> None:
    mixture = replace.mix(REAL, [*FIRST, *SECOND])
    assert list(mixture.rows) == SECOND
    assert mixture.real_share == 0.0
    assert np.allclose(mixture.weights, 1 / 3)


def test_real_rows_are_all_there_is_before_the_first_generation() -> None:
    mixture = replace.mix(REAL, [])
    assert (list(mixture.rows), mixture.real_share) == (REAL, 1.0)


def test_some_of_the_draws_may_be_real_nevertheless() -> None:
    real = [Row(f"real {at}", "a") for at in range(10)]
    made = [Row(f"made {at}", "a", origin="synthetic", generation=at // 5) for at in range(10)]
    mixture = replace.mix(real, made, real_share=0.3)
    assert len(mixture.rows) == 15
    assert mixture.real_share == pytest.approx(0.3)
    assert replace.mix(real, [], real_share=0.3).real_share == 1.0
