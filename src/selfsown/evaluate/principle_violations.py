"""The share of held-out prompts whose answer violates a principle of the task's constitution."""

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
    """Over all rows and for each principle, with one answer to each prompt; failed replies are not counted. There is no
    score for a task without a constitution, nor where every reply failed.

    temperature: the sampling temperature. where: use only rows with these metadata values.
    """
    if not isinstance(task, Principled):
        return
    rows = [row for row in with_metadata(held_out, where) if row.prompt]
    replies = model.complete([row.prompt for row in rows], SamplingParams(temperature=temperature, seed=seed))
    violated = [task.broken(row, reply.text) for row, (reply,) in zip(rows, replies, strict=True) if not reply.failure]
    if not violated:
        return
    yield _score([bool(principles) for principles in violated], "")
    for principle in task.principles:
        yield _score([principle in principles for principles in violated], f"principle={principle}")


def _score(hits: Sequence[bool], stratum: str) -> Score:
    low, high = share(sum(hits), len(hits))
    return Score("principle_violations", sum(hits) / len(hits), len(hits), low, high, stratum, direction="lower")
