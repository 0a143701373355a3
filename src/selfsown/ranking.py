"""Many rows ranked by a score, without holding them."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from selfsown.records import Row


class Ranking:
    """The places of rows, the highest score first and ties in random order; 16 bytes of memory a row.

    seed: of the order of ties, which depends on it and the rows' ids alone.
    """

    def __init__(self, seed: int) -> None:
        self._seed, self._scores, self._chances = seed, array("d"), array("Q")

    def add(self, row: Row, score: float) -> None:
        """The next row, whose place is the number of those before it."""
        self._scores.append(-score)
        self._chances.append(int.from_bytes(hashlib.sha256(f"{self._seed} {row.id}".encode()).digest()[:8]))

    def best_first(self, places: Sequence[int] | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        """These places, or those of all rows, the best one's first."""
        chosen = np.arange(len(self._scores)) if places is None else np.array(places, np.int64)
        chances, scores = np.array(self._chances)[chosen], np.array(self._scores)[chosen]
        return chosen[np.lexsort((chances, scores))]
