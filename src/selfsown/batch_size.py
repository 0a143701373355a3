"""The size of a batch that follows the number of rows.

Small batches are noisy, which keeps few rows from being memorised; many rows need no such noise, and large batches take
less time (docs/defaults.md).
"""

from __future__ import annotations

SMALLEST, LARGEST, ROWS = 16, 128, 64  # one row in a batch for so many to train on


def batch_size_for(rows: float) -> int:
    """A 64th of the rows, from 16 to 128."""
    return min(LARGEST, max(SMALLEST, round(rows / ROWS)))
