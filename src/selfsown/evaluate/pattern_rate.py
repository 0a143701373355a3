"""Which way the model leans: the share of its answers to held-out prompts in which a pattern is found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selfsown.models import Model, SamplingParams
from selfsown.records import Row, Score, SelfsownError
from selfsown.stats.intervals import share


def evaluate(model: Model, held_out: Sequence[Row], *, patterns: dict[str, str] | None = None) -> Iterator[Score]:
    """One score for each of the patterns, a name and a regular expression. Neither way is better: what counts is
    whether it moves. Answers are the likeliest ones; rows without a prompt are not asked."""
    asked = [row.prompt for row in held_out if row.prompt] if patterns else []
    said = [reply.text for (reply,) in model.complete(asked, SamplingParams(temperature=0.0)) if not reply.failure]
    for name, pattern in (patterns or {}).items():
        try:
            found = sum(re.search(pattern, text) is not None for text in said)
        except re.error as error:
            raise SelfsownError(
                f"evaluate.pattern_rate: {pattern!r} is no regular expression: {error}; mend it"
            ) from error
        if said:
            yield Score("pattern_rate", found / len(said), len(said), *share(found, len(said)), name, "neither")
