"""Keep rows that at least one of several graders accepts: graders that miss different things miss less together.

Llama 3 (section 4.2.3) keeps what its reward model puts into the best quarter or its judge gives full marks.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from selfsown.option_types import Share
from selfsown.records import Row, SelfsownError


def curate(
    rows: Sequence[Row],
    *,
    min_score: Mapping[str, Share] | None = None,
    top_share: Mapping[str, Share] | None = None,
) -> Iterator[Row]:
    """Keep a row if any named grader accepts it; reject rows that none of them graded.

    min_score: lowest accepted score per grader, such as `{judge: 1.0}`.
    top_share: share of the rows graded by a grader that is accepted, best first, such as `{reward_model: 0.25}`; if
    all its scores are equal, it accepts none.

    `min_score` requires every grader that counts to accept a row: give it the other graders alone, such as
    `graders: [unit_tests]`. SelfsownError if both options are empty.
    """
    min_score, top_share = min_score or {}, top_share or {}
    if not min_score and not top_share:
        raise SelfsownError(
            "curate.any_grader: min_score and top_share are empty; name graders, such as min_score: {judge: 1.0}"
        )
    thresholds = {**_thresholds(rows, top_share), **min_score}
    for row in rows:
        counted = [grade for grade in row.grades if grade.grader in thresholds]
        if any(grade.score >= thresholds[grade.grader] for grade in counted):
            yield row
        elif counted:
            short = [f"{grade.grader} {grade.score:.2f} below {thresholds[grade.grader]:.2f}" for grade in counted]
            yield row.rejected(f"any_grader: {', '.join(short)}")
        else:
            yield row.rejected(f"any_grader: not graded by {' or '.join([*min_score, *top_share])}")


def _thresholds(rows: Sequence[Row], top_share: Mapping[str, float]) -> dict[str, float]:
    """The lowest score within the top share of each grader; infinity if no score is better than the worst."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for grade in row.grades:
            scores[grade.grader].append(grade.score)
    thresholds = {}
    for grader, share in top_share.items():
        if ranked := sorted(scores[grader], reverse=True):
            threshold = ranked[max(0, math.ceil(share * len(ranked)) - 1)]
            thresholds[grader] = threshold if threshold > ranked[-1] or share == 1 else math.inf
    return thresholds
