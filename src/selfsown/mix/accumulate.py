"""Real rows never leave and every generation stays: what keeps a model from collapsing (Gerstgrasser et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.option_types import Share
from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row], *, real_share: Share = 1 / 3) -> Mixture:
    """Each row is drawn equally often, unless that leaves real rows less than `real_share` of the draws."""
    share = max(real_share, len(real) / (len(real) + len(synthetic))) if synthetic else 1.0
    of_real = np.full(len(real), share / len(real))
    of_synthetic = np.full(len(synthetic), (1 - share) / max(1, len(synthetic)))
    return Mixture([*real, *synthetic], np.concatenate([of_real, of_synthetic]))
