"""Keep what at least one of several graders finds good: where they disagree, together they overlook least.

Llama 3 (section 4.2.3) takes what its reward model puts into the best quarter, or its judge gives full marks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from selfsown.option_types import Share
from selfsown.records import Row, SelfsownError


def curate(rows: Sequence[Row], *, min_score: dict[str, Share] = {}, top_share: dict[str, Share] = {}) -> Iterator[Row]:  # noqa: B006
    """least: graders with the score that is good, `{judge: 1.0}`; top: graders with the share of the rows that they
    graded that is good, the best: `{reward: 0.25}`; where all have the same score, none is. A row that none of them
    graded is rejected. Give `passed` the other graders, `by: [execute]`, or it wants all to be content.
    """
    if not min_score and not top_share:
        raise SelfsownError("curate.any_grader: least and top are empty; name graders, such as least: {judge: 1.0}")
    bars = {**_bars(rows, top_share), **min_score}
    for row in rows:
        said = [(grade, bars[grade.grader]) for grade in row.grades if grade.grader in bars]
        short = ", ".join(f"{grade.grader} {grade.score:.2f} below {bar:.2f}" for grade, bar in said)
        good = any(grade.score >= bar for grade, bar in said)
        yield (
            row
            if good
            else row.rejected(f"either: {short or 'not graded by ' + ' or '.join([*min_score, *top_share])}")
        )


def _bars(rows: Sequence[Row], top: Mapping[str, float]) -> dict[str, float]:
    """The score that the best share of each grader's rows reach."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for grade in row.grades:
            scores[grade.grader].append(grade.score)
    ranked = {by: sorted(scores[by], reverse=True) for by in top if scores[by]}
    bars = {by: each[max(0, math.ceil(top[by] * len(each)) - 1)] for by, each in ranked.items()}
    return {by: bar if bar > ranked[by][-1] or top[by] == 1 else math.inf for by, bar in bars.items()}
