"""Make preference pairs: a chosen and a rejected answer to the same prompt.

Put it before `min_score`, which rejects the worse rows: a pair keeps a copy of the rejected answer.
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
    """A pair is a new row: the text of the best row of its prompt (the first of equals), with the worst answer in the
    metadata field `rejected`; both are its parents. The best row itself is rejected, so that its text is not kept
    twice.

    chosen: `best` takes the best-graded row of a prompt. `real` takes the real answer to a prompt against each
    generated one, regardless of grades (SPIN, Chen et al. 2024), and rejects the generated row.
    min_score: lowest score of a chosen answer.
    min_gap: the chosen score must exceed the rejected one by more than this; every row with the rejected text counts.

    Ungraded rows are not paired.
    """
    if chosen == "real":
        yield from _against_real(rows, real)
        return
    siblings: dict[Prompt, list[Row]] = defaultdict(list)
    for row in rows:
        if row.is_graded:
            siblings[row.full_prompt].append(row)
    pairs = {
        best.id: _pair(best, worse)
        for rows_of_prompt in siblings.values()
        for best, worse in _best_and_worst(rows_of_prompt, min_score, min_gap)
    }
    for row in rows:
        pair = pairs.get(row.id)
        yield row.rejected(f"preference_pairs: the chosen answer of pair {pair.id}") if pair else row
        if pair:
            yield pair


def _against_real(rows: Sequence[Row], real: Sequence[Row]) -> Iterator[Row]:
    """Each row, rejected, and its pair if its answer differs from that of the real row of its prompt."""
    real_with_prompt = [row for row in real if row.prompt and row.answered]
    known: dict[Prompt, Row] = {row.prompt: row for row in real_with_prompt}  # for generators that take texts alone
    known |= {row.full_prompt: row for row in real_with_prompt}
    for row in rows:
        better = known.get(row.full_prompt)
        if better is None:
            yield row.rejected("preference_pairs: no real row answers its prompt")
        elif row.answer == better.answer:
            yield row.rejected(f"preference_pairs: same answer as real row {better.id}")
        else:
            pair = replace(_pair(better, row), generation=row.generation, sample_index=row.sample_index)
            yield row.rejected(f"preference_pairs: the rejected answer of pair {pair.id}")
            yield pair


def _best_and_worst(siblings: Sequence[Row], min_score: float, min_gap: float) -> Iterator[tuple[Row, Row]]:
    """The best and the worst of these rows of one prompt, or nothing if they do not make a pair."""
    chosen = max(siblings, key=lambda row: row.score)
    best: dict[str, float] = defaultdict(float)  # of each answer: a noisy judge may have graded it twice
    for row in siblings:
        best[row.answer] = max(best[row.answer], row.score)
    worse = min(siblings, key=lambda row: best[row.answer])
    if chosen.prompt and chosen.score >= min_score and chosen.score - best[worse.answer] > min_gap:
        yield chosen, worse


def _pair(chosen: Row, worse: Row) -> Row:
    return replace(
        chosen,
        metadata={**chosen.metadata, "rejected": worse.answer},
        origin="synthetic",
        method="preference_pairs",
        parents=(chosen.id, worse.id),
    )
