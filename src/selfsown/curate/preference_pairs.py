"""Set a better and a worse answer to a prompt side by side, as a pair from which a preference is learned.

Put it before `passed`, which rejects the worse rows: they stay what they are, and the pair has their words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.chat import Prompt


def curate(
    rows: Sequence[Row],
    real: Sequence[Row],
    *,
    chosen: Literal["best", "real"] = "best",
    min_score: Share = 0.5,
    min_gap: Share = 0.0,
) -> Iterator[Row]:
    """A pair is a new row: it says what the best of its prompt says (of equals, the first) and carries the worst as
    the trait `rejected`; its parents are both. The best goes on as the pair, so that nothing is said twice.

    The best scores `least` or more, the worst is lower by more than `gap`, and no row of its words is as good. A row
    that nobody graded is neither.
    With `chosen: real`, grades aside, the real answer to a prompt is the better of each other one (SPIN, Chen et al.
    2024), and the row itself ends as the worse one.
    """
    if chosen == "real":
        yield from _against_real(rows, real)
        return
    siblings: dict[Prompt, list[Row]] = defaultdict(list)
    for row in rows:
        if row.is_graded:
            siblings[row.full_prompt].append(row)
    pairs = {
        best.id: _pair(best, worse) for asked in siblings.values() for best, worse in _of(asked, min_score, min_gap)
    }
    for row in rows:
        pair = pairs.get(row.id)
        yield row.rejected(f"pairs: the better one of pair {pair.id}") if pair else row
        if pair:
            yield pair


def _against_real(rows: Sequence[Row], real: Sequence[Row]) -> Iterator[Row]:
    """Each row, ended, and its pair where it says something else than the real row of its prompt."""
    known: dict[Prompt, Row] = {
        row.prompt: row for row in real if row.prompt and row.answered
    }  # for writers that take texts alone
    known |= {row.full_prompt: row for row in real if row.prompt and row.answered}
    for row in rows:
        better = known.get(row.full_prompt)
        if better is None:
            yield row.rejected("pairs: no real row answers its prompt")
        elif row.answer == better.answer:
            yield row.rejected(f"pairs: it says what real row {better.id} says")
        else:
            pair = replace(_pair(better, row), generation=row.generation, sample_index=row.sample_index)
            yield row.rejected(f"pairs: the worse one of pair {pair.id}")
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
        metadata={**chosen.metadata, "rejected": worse.answer},
        origin="synthetic",
        method="preference_pairs",
        parents=(chosen.id, worse.id),
    )
