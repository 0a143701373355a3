"""Replace each real row by its correction, if there is one; all other real rows stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row]) -> Mixture:
    """The newest row whose only parent is a real row replaces that row; all rows are drawn equally often.

    Rows with several parents, or without any, are added. Replaced rows stay on disk, as parents of their corrections.
    """
    real_ids = {row.id for row in real}
    newest = {row.parents[0]: row for row in synthetic if len(row.parents) == 1 and row.parents[0] in real_ids}
    rows = [newest.get(row.id, row) for row in real]
    rows += [row for row in synthetic if len(row.parents) != 1 or row.parents[0] not in real_ids]
    return Mixture(rows, np.ones(len(rows)))
