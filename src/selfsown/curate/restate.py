"""Ask each kept problem in every other way its world knows: one checked problem, several lessons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from selfsown.records import Row
from selfsown.tasks import Task

REQUIRES = {"forms"}
STREAMS = True


def curate(rows: Iterable[Row], task: Task) -> Iterator[Row]:
    """The new rows carry their parent's grades, for they say the same thing."""
    for row in rows:
        yield row
        for other in task.restate(row):
            yield replace(
                other,
                target="",
                origin="synthetic",
                source=row.source,
                method="restate",
                parents=(row.id,),
                generation=row.generation,
                sample_index=row.sample_index,
                grades=row.grades,
            )
