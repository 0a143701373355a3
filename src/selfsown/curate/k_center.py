"""Keep rows that lie far apart: of those that passed, the many that say nearly the same make room for others.

Greedy k-center (Gonzalez 1985; DiverseEvol, Wu et al. 2023): each next row is the one farthest from all that were
taken. Put it after what checks rows: by itself, rarity rewards noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from selfsown.option_types import Share
from selfsown.records import Row, SelfsownError, answered
from selfsown.signals.reference import Anchor

MOST = 5000  # real rows that say where others lie


def curate(rows: Sequence[Row], real: Sequence[Row], seed: int, *, keep_share: Share = 0.5) -> Iterator[Row]:
    """The share `keep` of the rows that have not ended stays. SelfsownError where none of them was graded: put it after
    graders and `passed`.

    The distance is between TF-IDF of words or letters along the real rows' leading directions.
    """
    open_rows = [row for row in rows if not row.status]
    if open_rows and not any(row.grades for row in open_rows):
        raise SelfsownError("curate.k_center: no row was graded, and far-off rows may be noise; name a grader")
    rng = np.random.default_rng(seed)
    staying = set[int]()
    if open_rows:
        drawn = [real[at] for at in rng.permutation(len(real))[:MOST]]
        sample = answered(drawn) or drawn
        placed = Anchor.of([row.prompt + row.answer for row in sample]).placed([r.prompt + r.answer for r in open_rows])
        next_one = int(rng.integers(len(open_rows)))
        distance = np.full(len(open_rows), np.inf)
        for _ in range(max(1, round(keep_share * len(open_rows)))):
            staying.add(next_one)
            distance = np.minimum(distance, 1 - placed @ placed[next_one])
            distance[next_one] = -np.inf
            next_one = int(distance.argmax())
    at = 0
    for row in rows:
        if row.status:
            yield row
            continue
        yield row if at in staying else row.rejected("diverse: others that were kept lie as near")
        at += 1
