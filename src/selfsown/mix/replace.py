"""Only the newest generation's rows, the real ones dropped: the known way to collapse (Shumailov et al. 2024).

Offered to show it, and to see the guard stop it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row]) -> Mixture:
    """All real rows where nothing synthetic is left to learn from."""
    newest = max((row.generation for row in synthetic), default=0)
    rows = [row for row in synthetic if row.generation == newest] or list(real)
    return Mixture(rows, np.ones(len(rows)))
