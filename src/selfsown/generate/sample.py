"""The teacher answers real prompts, each several times (best-of-n, rejection sampling)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.kinds import Count, NotNegative
from selfsown.models import Model
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    generation: int,
    seed: int,
    *,
    n: Count = 4,
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """n answers to each real prompt."""
    chosen = [row for row in rows if row.prompt]
    if not chosen:
        raise SelfsownError("generate.sample: no real row has a prompt to answer; take propose")
    replies = teacher.complete([row.prompt for row in chosen], n=n, temperature=temperature, seed=seed)
    for asked, answers in zip(chosen, replies, strict=True):
        for draw, reply in enumerate(answers):
            read = task.read(asked.prompt, reply.text)
            made = replace(
                asked,
                answer=reply.text,
                traits={**asked.traits, **(read.traits if isinstance(read, Row) else {})},
                origin="synthetic",
                maker=teacher.name,
                method="sample",
                parents=(asked.id,),
                generation=generation,
                draw=draw,
            )
            yield made.failed(reply.failure) if reply.failure else made
