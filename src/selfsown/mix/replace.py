"""Only the newest generation's rows, the real ones dropped: the known way to collapse (Shumailov et al. 2024).

Offered to show it, and to see the guard stop it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.option_types import Share
from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row], *, real_share: Share = 0.0) -> Mixture:
    """`real_share` of the draws are real rows nevertheless; all, where nothing synthetic is left to learn from."""
    newest = max((row.generation for row in synthetic), default=0)
    rows = [row for row in synthetic if row.generation == newest]
    share = real_share if rows else 1.0
    kept = list(real) if share else []
    of_real = np.full(len(kept), share / max(1, len(kept)))
    return Mixture([*kept, *rows], np.concatenate([of_real, np.full(len(rows), (1 - share) / max(1, len(rows)))]))
