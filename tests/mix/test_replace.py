"""Only the newest generation's rows, the known way to collapse."""

from __future__ import annotations

import numpy as np

from selfsown.mix import replace
from selfsown.records import Row

REAL = [Row("", f"real {at}") for at in range(10)]
FIRST = [Row("", f"first {at}", origin="synthetic", generation=1) for at in range(5)]
SECOND = [Row("", f"second {at}", origin="synthetic", generation=2) for at in range(3)]


def test_only_the_newest_generation_is_learned_from() -> None:
    mixture = replace.mix(REAL, [*FIRST, *SECOND])
    assert list(mixture.rows) == SECOND
    assert mixture.real_share == 0.0
    assert np.array_equal(mixture.weights, np.ones(3))


def test_real_rows_are_all_there_is_before_the_first_generation() -> None:
    mixture = replace.mix(REAL, [])
    assert (list(mixture.rows), mixture.real_share) == (REAL, 1.0)
