"""Unconditional samples: what a model writes from nothing but the openings of real rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

from selfsown.models import Model, SamplingParams
from selfsown.records import Row
from selfsown.tasks import Task


def comparable_rows(rows: Sequence[Row], task: Task) -> list[Row]:
    """The rows that begin as unconditional samples do, and can be compared with them."""
    return [row for row in rows if (row.prompt + row.answer).startswith(task.opening(row.level))]


def unconditional_samples(
    model: Model, held_out: Sequence[Row], task: Task, count: int, rng: random.Random, seed: int
) -> list[tuple[str, str]]:
    """`count` prompts and answers, fewer where replies failed; the openings are those of random rows of `held_out`."""
    has_prompts = any(row.prompt for row in held_out)  # else they are documents, without a prompt to write
    openings = [task.opening(row.level) for row in held_out]
    replies = model.complete(
        [rng.choice(openings) for _ in range(count)], SamplingParams(seed=seed, continue_prompt=has_prompts)
    )
    return [(reply.prompt, reply.text) for (reply,) in replies if not reply.failure]
