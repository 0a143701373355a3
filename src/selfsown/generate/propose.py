"""The teacher writes new problems and answers them, from nothing but an opening, at the level and below."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.kinds import Natural, NotNegative
from selfsown.models import Model
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
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """`count` proposals, their levels spread evenly. What cannot be read is a failed row.

    The teacher writes prompt and answer, or the answer alone where real rows are documents without prompts.
    """
    rng = random.Random(seed)
    asked = any(row.prompt for row in real)
    levels = [rng.randint(1, level) if level else 0 for _ in range(count)]
    openings = [task.opening(chosen) for chosen in levels]
    replies = teacher.complete(openings, temperature=temperature, seed=seed, unfinished=asked)
    for draw, (reply,) in enumerate(replies):
        row = reply.failure or task.read(reply.prompt, reply.text)
        made = Row(reply.prompt, reply.text).failed(row) if isinstance(row, str) else row
        yield replace(made, origin="synthetic", maker=teacher.name, method="propose", generation=generation, draw=draw)
