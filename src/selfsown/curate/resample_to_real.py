"""Draw rows toward the real ones: a discriminator tells which look synthetic, and the likelier ones are left out.

Resampled so, a loop's variety stops falling, where grading alone changes nothing of it (Drayson et al. 2025, arXiv
2502.15654: weights by a detector of machine text). Put it last, after what checks rows and takes out duplicates.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from selfsown.option_types import Share
from selfsown.records import Row, answered
from selfsown.signals.discriminator import likeness

LEAST = 50  # rows on either side, under which nothing can be learned of them


def curate(rows: Sequence[Row], real: Sequence[Row], seed: int, *, keep_share: Share = 0.5) -> Iterator[Row]:
    """The share `keep` of the rows stays, drawn without replacement by their odds of being real, as a discriminator on
    their texts gives them, which was trained on other rows; odds beyond exp(4) to 1 count as that.

    Rows that have ended pass by. Under 50 rows or 50 real ones nothing can be told, and all stay.
    """
    open_rows, real = [row for row in rows if not row.status], answered(real)
    if min(len(open_rows), len(real)) < LEAST:
        yield from rows
        return
    odds = likeness([row.prompt + row.answer for row in open_rows], [row.prompt + row.answer for row in real], seed)
    rng = random.Random(seed)
    # Efraimidis and Spirakis 2006: the largest of u^(1/weight) are a draw by weight, without replacement.
    keys = [rng.random() ** (1 / weight) for weight in odds]
    wanted = max(1, round(keep_share * len(open_rows)))
    staying = set(sorted(range(len(keys)), key=lambda at: -keys[at])[:wanted])
    at = 0
    for row in rows:
        if row.status:
            yield row
            continue
        left_out = f"resample: it looks synthetic, odds of being real {odds[at]:.2f}"
        yield row if at in staying else row.rejected(left_out)
        at += 1
