"""Keep a diverse subset by greedy k-center selection (Gonzalez 1985; DiverseEvol, Wu et al. 2023).

Each next row is the one farthest from all selected so far. Put it after the methods that check rows: distance alone
rewards noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from selfsown.option_types import Share
from selfsown.records import Row, SelfsownError, answered
from selfsown.signals.reference import ReferenceCorpus

MAX_REFERENCE_ROWS = 5000  # real rows that define the embedding


def curate(rows: Sequence[Row], real: Sequence[Row], seed: int, *, keep_share: Share = 0.5) -> Iterator[Row]:
    """Keep the share `keep_share` of the rows that are still in play; those already rejected or failed stay so.

    The distance is one minus the cosine between TF-IDF vectors of word or character n-grams, projected onto the real
    rows' leading directions. Put this after graders and `min_score`; SelfsownError if no row was graded.
    """
    open_rows = [row for row in rows if not row.status]
    if open_rows and not any(row.grades for row in open_rows):
        raise SelfsownError("curate.k_center: no row was graded, and distant rows may be noise; name a grader")
    rng = np.random.default_rng(seed)
    selected = set[int]()
    if open_rows:
        drawn = [real[index] for index in rng.permutation(len(real))[:MAX_REFERENCE_ROWS]]
        reference = ReferenceCorpus.of([row.prompt + row.answer for row in answered(drawn) or drawn])
        embedded = reference.embed([row.prompt + row.answer for row in open_rows])
        farthest = int(rng.integers(len(open_rows)))
        distance = np.full(len(open_rows), np.inf)
        for _ in range(max(1, round(keep_share * len(open_rows)))):
            selected.add(farthest)
            distance = np.minimum(distance, 1 - embedded @ embedded[farthest])
            distance[farthest] = -np.inf
            farthest = int(distance.argmax())
    index = 0
    for row in rows:
        if row.status:
            yield row
            continue
        yield row if index in selected else row.rejected("k_center: too close to rows that were kept")
        index += 1
