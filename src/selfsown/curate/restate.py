"""Add every other wording of a kept problem that its task knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from selfsown.records import Row
from selfsown.tasks import Task

REQUIRES = {"forms"}
STREAMS = True


def curate(rows: Iterable[Row], task: Task) -> Iterator[Row]:
    """The new rows carry their parent's grades: the problem and its answer are the same."""
    for row in rows:
        yield row
        for restated in task.restate(row):
            yield replace(
                restated,
                target="",
                origin="synthetic",
                source=row.source,
                method="restate",
                parents=(row.id,),
                generation=row.generation,
                sample_index=row.sample_index,
                grades=row.grades,
            )
