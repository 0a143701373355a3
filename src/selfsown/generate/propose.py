"""The teacher writes new problems and answers them, from nothing but the task's opening, up to the current level."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, Natural, NotNegative
from selfsown.records import Row
from selfsown.tasks import Task


def generate(
    real: Sequence[Row],
    teacher: Model,
    task: Task,
    level: int,
    seed: int,
    *,
    count: Natural = 4000,
    n: Count = 1,
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """`count` problems with answers, their levels drawn evenly; a text that the task cannot read is a failed row.

    The teacher writes prompt and answer, or the answer alone where the real rows are documents without prompts.

    count: how many problems, failed ones included.
    n: answers to each problem: the first is written with it, n - 1 more are sampled for its prompt.
    temperature: the teacher's sampling temperature.
    """
    rng = random.Random(seed)
    has_prompts = any(row.prompt for row in real)
    levels = [rng.randint(1, level) if level else 0 for _ in range(count)]
    openings = [task.opening(chosen) for chosen in levels]
    params = SamplingParams(temperature=temperature, seed=seed, continue_prompt=has_prompts)
    groups = [[_read(reply, task)] for (reply,) in teacher.complete(openings, params)]
    extended = [rows for rows in groups if n > 1 and has_prompts and not rows[0].status]
    if extended:
        more = teacher.complete(
            [row.prompt for (row,) in extended], SamplingParams(n=n - 1, temperature=temperature, seed=seed + 1)
        )
        for rows, replies in zip(extended, more, strict=True):
            rows += [_read(reply, task) for reply in replies]
    for rows in groups:
        yield from rows


def _read(reply: Reply, task: Task) -> Row:
    row = reply.failure or task.read(reply.prompt, reply.text)
    return Row(reply.prompt, reply.text).failed(row) if isinstance(row, str) else row
