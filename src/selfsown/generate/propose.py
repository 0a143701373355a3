"""The teacher writes new problems and answers them, from nothing but an opening, at the level and below."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, Natural, NotNegative
from selfsown.records import Row
from selfsown.tasks import Task


def generate(
    real: Sequence[Row],
    teacher: Model,
    task: Task,
    level: int,
    generation: int,
    seed: int,
    *,
    count: Natural = 4000,
    n: Count = 1,
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """`count` proposals, their levels spread evenly. What cannot be read is a failed row.

    The teacher writes prompt and answer, or the answer alone where real rows are documents without prompts.
    With `n` above 1 it answers each prompt that it wrote again, n - 1 times.
    """
    rng = random.Random(seed)
    asked = any(row.prompt for row in real)
    levels = [rng.randint(1, level) if level else 0 for _ in range(count)]
    openings = [task.opening(chosen) for chosen in levels]
    replies = teacher.complete(openings, SamplingParams(temperature=temperature, seed=seed, continue_prompt=asked))
    tries = [[_read(reply, task)] for (reply,) in replies]
    again = [rows for rows in tries if n > 1 and asked and not rows[0].status]
    if again:
        more = teacher.complete(
            [row.prompt for (row,) in again], SamplingParams(n=n - 1, temperature=temperature, seed=seed + 1)
        )
        for rows, others in zip(again, more, strict=True):
            rows += [_read(reply, task) for reply in others]
    for draw, made in enumerate(row for rows in tries for row in rows):
        yield replace(
            made, origin="synthetic", source=teacher.name, method="propose", generation=generation, sample_index=draw
        )


def _read(reply: Reply, task: Task) -> Row:
    row = reply.failure or task.read(reply.prompt, reply.text)
    return Row(reply.prompt, reply.text).failed(row) if isinstance(row, str) else row
