"""The share of a model's answers to held-out prompts that match a pattern, which shows in which direction it leans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selfsown.errors import RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.records import Row, Score
from selfsown.stats.intervals import share


def evaluate(model: Model, held_out: Sequence[Row], *, patterns: dict[str, str] | None = None) -> Iterator[Score]:
    """One score for each pattern, over greedy answers to the rows with a prompt. Neither direction is better.

    patterns: regular expressions by name.

    Raises RecipeError for an invalid regular expression.
    """
    prompts = [row.prompt for row in held_out if row.prompt] if patterns else []
    replies = model.complete(prompts, SamplingParams(temperature=0.0))
    answers = [reply.text for (reply,) in replies if not reply.failure]
    for name, pattern in (patterns or {}).items():
        try:
            hits = sum(re.search(pattern, answer) is not None for answer in answers)
        except re.error as error:
            raise RecipeError(
                f"evaluate.pattern_rate: {pattern!r} is not a valid regular expression: {error}; fix it"
            ) from error
        if answers:
            yield Score("pattern_rate", hits / len(answers), len(answers), *share(hits, len(answers)), name, "neither")
