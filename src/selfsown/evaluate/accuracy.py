"""Greedy-decoding accuracy: the share of held-out prompts whose likeliest answer is right (pass@1 at temperature 0)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from selfsown.errors import RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.records import Row, Score
from selfsown.stats.intervals import share
from selfsown.tasks import Task, checkable, is_right


def evaluate(model: Model, held_out: Sequence[Row], task: Task, *, by: tuple[str, ...] = ()) -> Iterator[Score]:
    """Accuracy over the held-out prompts whose answers the task can check, with 95 % intervals, and for each stratum.

    by: the strata: a metadata key, "level", or several joined by "+".

    Raises RecipeError where no held-out row has such a key.
    """
    rows = checkable(held_out, task)
    known = {"level"}.union(*(row.metadata for row in rows))
    for key in (key for keys in by for key in keys.split("+")):
        if key not in known:
            raise RecipeError(f"evaluate.accuracy: no held-out row has {key!r}; available: {', '.join(sorted(known))}")
    replies = model.complete([row.full_prompt for row in rows], SamplingParams(temperature=0.0))
    strata: dict[str, list[bool]] = defaultdict(list)
    for row, (reply,) in zip(rows, replies, strict=True):
        hit = not reply.failure and is_right(task, row, reply.text)
        strata[""].append(hit)
        for keys in by:
            strata[", ".join(f"{key}={_value(row, key)}" for key in keys.split("+"))].append(hit)
    for stratum, hits in sorted(strata.items()):
        yield Score("accuracy", sum(hits) / len(hits), len(hits), *share(sum(hits), len(hits)), stratum)


def _value(row: Row, key: str) -> str:
    return str(row.level) if key == "level" else row.metadata.get(key, "none")
