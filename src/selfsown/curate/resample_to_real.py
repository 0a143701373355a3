"""Resample rows toward the real ones: the more synthetic a row looks to a discriminator, the less likely it stays.

This stops a loop's loss of variety, which grading alone does not change (Drayson et al. 2025, arXiv 2502.15654: weights
by a detector of machine text). Put it last, after the methods that check and deduplicate rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from selfsown.option_types import Share
from selfsown.records import Row, answered
from selfsown.signals.discriminator import likeness

MIN_ROWS = 50  # on either side, to train a discriminator


def curate(rows: Sequence[Row], real: Sequence[Row], seed: int, *, keep_share: Share = 0.5) -> Iterator[Row]:
    """Keep the share `keep_share` of the rows, drawn without replacement with weights that are their odds of being
    real. The odds are those of a discriminator of texts that was trained on other rows, at most exp(4) to 1.

    Rows already rejected or failed stay so. With fewer than 50 rows or 50 real ones, all rows are kept.
    """
    open_rows = [row for row in rows if not row.status]
    real = answered(real)
    if min(len(open_rows), len(real)) < MIN_ROWS:
        yield from rows
        return
    odds = likeness([row.prompt + row.answer for row in open_rows], [row.prompt + row.answer for row in real], seed)
    rng = random.Random(seed)
    # Efraimidis and Spirakis 2006: the largest of u^(1/weight) are a draw by weight, without replacement.
    keys = [rng.random() ** (1 / weight) for weight in odds]
    count = max(1, round(keep_share * len(open_rows)))
    drawn = set(sorted(range(len(keys)), key=lambda index: -keys[index])[:count])
    index = 0
    for row in rows:
        if row.status:
            yield row
            continue
        left_out = f"resample_to_real: not drawn, odds of being real {odds[index]:.2f}"
        yield row if index in drawn else row.rejected(left_out)
        index += 1
