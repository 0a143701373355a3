"""The share of held-out real prompts that the model answers right at its first and likeliest try."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from selfsown.models import Model, SamplingParams
from selfsown.records import Row, Score, SelfsownError
from selfsown.stats.intervals import share
from selfsown.tasks import Task


def evaluate(model: Model, held_out: Sequence[Row], task: Task, *, by: tuple[str, ...] = ()) -> Iterator[Score]:
    """Over all rows, and for each value of each name in `by`: a trait, "level", or several joined by "+"."""
    asked = [row for row in held_out if row.prompt]
    known = {"level"}.union(*(row.metadata for row in asked))
    for name in [each for names in by for each in names.split("+") if each not in known]:
        raise SelfsownError(f"evaluate.accuracy: no held-out row has {name!r}; there is: {', '.join(sorted(known))}")
    replies = model.complete([row.prompt for row in asked], SamplingParams(temperature=0.0))
    right = [
        not reply.failure and task.check(row, reply.text).score >= 0.5
        for row, (reply,) in zip(asked, replies, strict=True)
    ]
    strata: dict[str, list[bool]] = defaultdict(list)
    for row, ok in zip(asked, right, strict=True):
        strata[""].append(ok)
        for names in by:
            strata[", ".join(f"{name}={_value(row, name)}" for name in names.split("+"))].append(ok)
    for group, hits in sorted(strata.items()):
        yield Score("accuracy", sum(hits) / len(hits), len(hits), *share(sum(hits), len(hits)), group)


def _value(row: Row, name: str) -> str:
    return str(row.level) if name == "level" else row.metadata.get(name, "none")
