"""Prefer prompts that are neither too easy nor too hard: those whose pass rate lies inside a band."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.chat import Prompt


def curate(
    rows: Sequence[Row], *, min_pass_rate: Share = 0.2, max_pass_rate: Share = 0.8, min_score: Share = 0.5
) -> Iterator[Row]:
    """The pass rate of a prompt is the share of its rows, here, with a score of `least` or more.

    Put it before `passed`, which keeps the right answers of the prompts that remain. Rows that nobody graded count for
    no prompt, and are rejected.
    """
    scores: dict[Prompt, list[bool]] = defaultdict(list)
    for row in rows:
        if row.is_graded:
            scores[row.full_prompt].append(row.score >= min_score)
    for row in rows:
        if not row.is_graded:
            yield row.rejected("band: nobody graded it")
            continue
        passed = scores[row.full_prompt]
        rate = sum(passed) / len(passed)
        outside = f"band: {sum(passed)} of {len(passed)} answers pass, outside {min_pass_rate:g} to {max_pass_rate:g}"
        if len(passed) == 1:
            outside = "band: one answer to this prompt, and a pass rate takes several: raise n of the generator"
        yield row if min_pass_rate <= rate <= max_pass_rate else row.rejected(outside)
