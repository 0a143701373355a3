"""Make preference pairs: a chosen and a rejected answer to the same prompt.

Put it before `min_score`, which rejects the worse rows: a pair keeps a copy of the rejected answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.chat import Prompt

REREADS = True


class _Graded(NamedTuple):
    """A graded row: its place among the rows, its score, and a hash of its answer."""

    place: int
    score: float
    answer: int


def curate(
    rows: Collection[Row],
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
    siblings: dict[Prompt, list[_Graded]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.is_graded and row.prompt:
            siblings[row.full_prompt].append(_Graded(place, row.score, hash(row.answer)))
    worse_of = dict(pair for graded in siblings.values() for pair in _best_and_worst(graded, min_score, min_gap))
    places = set(worse_of.values())
    worse = {place: row for place, row in enumerate(rows) if place in places}
    for place, row in enumerate(rows):
        if place not in worse_of:
            yield row
            continue
        pair = _pair(row, worse[worse_of[place]])
        yield row.rejected(f"preference_pairs: the chosen answer of pair {pair.id}")
        yield pair


def _against_real(rows: Collection[Row], real: Sequence[Row]) -> Iterator[Row]:
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


def _best_and_worst(siblings: Sequence[_Graded], min_score: float, min_gap: float) -> Iterator[tuple[int, int]]:
    """The places of the best and the worst of these rows of one prompt, or nothing if they do not make a pair."""
    chosen = max(siblings, key=lambda row: row.score)
    best: dict[int, float] = defaultdict(float)  # of each answer: a noisy judge may have graded it twice
    for row in siblings:
        best[row.answer] = max(best[row.answer], row.score)
    worse = min(siblings, key=lambda row: best[row.answer])
    if chosen.score >= min_score and chosen.score - best[worse.answer] > min_gap:
        yield chosen.place, worse.place


def _pair(chosen: Row, worse: Row) -> Row:
    return replace(
        chosen,
        metadata={**chosen.metadata, "rejected": worse.answer},
        origin="synthetic",
        method="preference_pairs",
        parents=(chosen.id, worse.id),
    )
