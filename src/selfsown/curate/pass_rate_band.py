"""Keep prompts that are neither too easy nor too hard: those whose pass rate lies inside a band."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.chat import Prompt

REREADS = True


def curate(
    rows: Collection[Row], *, min_pass_rate: Share = 0.2, max_pass_rate: Share = 0.8, min_score: Share = 0.5
) -> Iterator[Row]:
    """Keep the rows of prompts whose pass rate is at least `min_pass_rate` and at most `max_pass_rate`.

    The pass rate of a prompt is the share of its graded rows that score `min_score` or more. Ungraded rows do not
    count, and are rejected. Put this before the method `min_score`, which then keeps the right answers.
    """
    passes: dict[Prompt, list[bool]] = defaultdict(list)
    for row in rows:
        if row.is_graded:
            passes[row.full_prompt].append(row.score >= min_score)
    for row in rows:
        if not row.is_graded:
            yield row.rejected("pass_rate_band: not graded")
            continue
        passed = passes[row.full_prompt]
        rate = sum(passed) / len(passed)
        band = f"{min_pass_rate:g} to {max_pass_rate:g}"
        outside = f"pass_rate_band: {sum(passed)} of {len(passed)} answers pass, outside {band}"
        if len(passed) == 1:
            outside = "pass_rate_band: a pass rate takes several answers to a prompt, not 1; raise n of the generator"
        yield row if min_pass_rate <= rate <= max_pass_rate else row.rejected(outside)
