"""Set the best and the worst answer to a prompt side by side, as a pair from which a preference is learned.

Put it before `passed`, which rejects the worse rows: they stay what they are, and the pair has their words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.kinds import Share
from selfsown.records import Row


def curate(rows: Sequence[Row], *, least: Share = 0.5, gap: Share = 0.0) -> Iterator[Row]:
    """A pair is a new row: it says what the best of its prompt says (of equals, the first) and carries the worst as
    the trait `rejected`; its parents are both. The best goes on as the pair, so that nothing is said twice.

    The best scores `least` or more, the worst is lower by more than `gap`, and no row of its words is as good.
    """
    siblings: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        siblings[row.prompt].append(row)
    pairs = {chosen.id: _pair(chosen, worse) for asked in siblings.values() for chosen, worse in _of(asked, least, gap)}
    for row in rows:
        pair = pairs.get(row.id)
        yield row.rejected(f"pairs: the better one of pair {pair.id}") if pair else row
        if pair:
            yield pair


def _of(siblings: Sequence[Row], least: float, gap: float) -> Iterator[tuple[Row, Row]]:
    """The pair that these rows of one prompt make, if they make one."""
    chosen = max(siblings, key=lambda row: row.score)
    best: dict[str, float] = defaultdict(float)  # of each answer: a noisy judge may have graded it twice
    for row in siblings:
        best[row.answer] = max(best[row.answer], row.score)
    worse = min(siblings, key=lambda row: best[row.answer])
    if chosen.prompt and chosen.score >= least and chosen.score - best[worse.answer] > gap:
        yield chosen, worse


def _pair(chosen: Row, worse: Row) -> Row:
    return replace(
        chosen,
        traits={**chosen.traits, "rejected": worse.answer},
        origin="synthetic",
        method="pairs",
        parents=(chosen.id, worse.id),
    )
