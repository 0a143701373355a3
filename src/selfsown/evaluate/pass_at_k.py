"""The chance that at least one of k samples is right: what the model can do, where accuracy says what it does."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.records import Row, Score, SelfsownError
from selfsown.stats.intervals import mean
from selfsown.tasks import Task


def evaluate(
    model: Model,
    held_out: Sequence[Row],
    task: Task,
    seed: int,
    *,
    k: Count = 8,
    n: Count = 16,
    prompts: Count = 200,
    temperature: NotNegative = 1.0,
) -> Iterator[Score]:
    """By the unbiased estimator over n samples, 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, section 2.1)."""
    if k > n:
        raise SelfsownError(f"evaluate.pass_at_k: k is {k}, but only n = {n} samples are drawn; make n {k} or more")
    asked = [row for row in held_out if row.prompt]
    asked = random.Random(seed).sample(asked, min(prompts, len(asked)))
    replies = model.complete([row.prompt for row in asked], SamplingParams(n=n, temperature=temperature, seed=seed))
    chances = []
    for row, tries in zip(asked, replies, strict=True):
        right = sum(not reply.failure and task.check(row, reply.text).score >= 0.5 for reply in tries)
        chances.append(1 - math.comb(n - right, k) / math.comb(n, k))
    if chances:
        low, high = mean(chances)
        yield Score(f"pass@{k}", sum(chances) / len(chances), len(chances), low, high)
