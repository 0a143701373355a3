"""Use the newest generation's rows alone and drop the real ones, which is known to collapse (Shumailov et al. 2024).

A control: it shows collapse, and guards that stop it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.option_types import Share
from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row], *, real_share: Share = 0.0) -> Mixture:
    """real_share: share of the draws that are real rows; all draws are, if there are no synthetic rows."""
    newest = max((row.generation for row in synthetic), default=0)
    rows = [row for row in synthetic if row.generation == newest]
    share = real_share if rows else 1.0
    kept = list(real) if share else []
    real_weights = np.full(len(kept), share / max(1, len(kept)))
    synthetic_weights = np.full(len(rows), (1 - share) / max(1, len(rows)))
    return Mixture([*kept, *rows], np.concatenate([real_weights, synthetic_weights]))
