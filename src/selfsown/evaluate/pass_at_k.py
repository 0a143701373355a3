"""The probability that at least one of k samples is right (pass@k): what a model can do at best."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from selfsown.errors import RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.records import Row, Score
from selfsown.stats.intervals import mean
from selfsown.tasks import Task, checkable, is_right


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
    """By the unbiased estimator over n samples, 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, section 2.1).

    k: samples of which one must be right. n: samples for each prompt. prompts: the most held-out prompts, drawn at
    random. temperature: the sampling temperature.

    Raises RecipeError where k is above n.
    """
    if k > n:
        raise RecipeError(f"evaluate.pass_at_k: k is {k}, but only n = {n} samples are drawn; set n to {k} or more")
    rows = checkable(held_out, task)
    rows = random.Random(seed).sample(rows, min(prompts, len(rows)))
    replies = model.complete([row.full_prompt for row in rows], SamplingParams(n=n, temperature=temperature, seed=seed))
    estimates = []
    for row, group in zip(rows, replies, strict=True):
        right = sum(not reply.failure and is_right(task, row, reply.text) for reply in group)
        estimates.append(1 - math.comb(n - right, k) / math.comb(n, k))
    if estimates:
        low, high = mean(estimates)
        yield Score(f"pass@{k}", sum(estimates) / len(estimates), len(estimates), low, high)
