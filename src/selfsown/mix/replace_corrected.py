"""A corrected corpus: a correction takes the place of the real row that it corrects, all other real rows stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfsown.records import Mixture, Row


def mix(real: Sequence[Row], synthetic: Sequence[Row]) -> Mixture:
    """A real row makes room for the newest row that names it as its only parent; every row is drawn equally often.

    Rows that descend from several, or from none, come on top. What made room stays on disk; its correction names it.
    """
    there = {row.id for row in real}
    newest = {row.parents[0]: row for row in synthetic if len(row.parents) == 1 and row.parents[0] in there}
    rows = [newest.get(row.id, row) for row in real]
    rows += [row for row in synthetic if len(row.parents) != 1 or row.parents[0] not in there]
    return Mixture(rows, np.ones(len(rows)))
