"""The share of held-out real prompts at which what the model answers breaks a principle of the world's constitution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model, SamplingParams
from selfsown.option_types import NotNegative
from selfsown.records import Row, Score, with_metadata
from selfsown.stats.intervals import share
from selfsown.tasks import Principled, Task


def evaluate(
    model: Model,
    held_out: Sequence[Row],
    task: Task,
    seed: int,
    *,
    temperature: NotNegative = 1.0,
    where: dict[str, str] | None = None,
) -> Iterator[Score]:
    """Over all of them with the traits `only`, and for each principle; nothing in a world without a constitution. One
    answer to each prompt; a failed reply is not counted, and where every reply failed there is no score."""
    if not isinstance(task, Principled):
        return
    asked = [row for row in with_metadata(held_out, where) if row.prompt]
    replies = model.complete([row.prompt for row in asked], SamplingParams(temperature=temperature, seed=seed))
    broken = [task.broken(row, reply.text) for row, (reply,) in zip(asked, replies, strict=True) if not reply.failure]
    if not broken:
        return
    yield _score([bool(each) for each in broken], "")
    for principle in task.principles:
        yield _score([principle in each for each in broken], f"principle={principle}")


def _score(hits: Sequence[bool], group: str) -> Score:
    low, high = share(sum(hits), len(hits))
    return Score("principle_violations", sum(hits) / len(hits), len(hits), low, high, group, direction="lower")
