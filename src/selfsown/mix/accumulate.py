"""Keep all real rows and the rows of every generation, which prevents collapse (Gerstgrasser et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.files.row_sequences import chained
from selfsown.option_types import Share
from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row], *, real_share: Share = 1 / 3) -> Mixture:
    """Draw all rows equally often, unless real rows would then be less than `real_share` of the draws."""
    share = max(real_share, len(real) / (len(real) + len(synthetic))) if synthetic else 1.0
    real_weights = np.full(len(real), share / len(real))
    synthetic_weights = np.full(len(synthetic), (1 - share) / max(1, len(synthetic)))
    return Mixture(chained(real, synthetic), np.concatenate([real_weights, synthetic_weights]))
