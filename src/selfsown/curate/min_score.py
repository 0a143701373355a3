"""Keep what was graded well enough; a wrong row that its grader could repair comes back as a new, right one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.tasks import Task
from selfsown.text.chat import prompt_traits


def curate(
    rows: Iterable[Row], task: Task, graders: int = 1, *, least: Share = 0.5, by: tuple[str, ...] = ()
) -> Iterator[Row]:
    """A row's score is the lowest of its grades, of those of the graders `by` where some are named; below `least` it is
    rejected with that grade's reason. A row that none of them graded is rejected, too; but where the recipe names no
    grader at all (`grade: []`), there is nothing to go by, and all pass."""
    for row in rows:
        grades = [grade for grade in row.grades if (not by or grade.by in by) and grade.trust != "none"]
        worst = min(grades, key=lambda grade: grade.score, default=None)
        if worst is None and not graders and not by:
            yield row
            continue
        if worst is None:
            yield row.rejected(f"passed: not graded by {' or '.join(by)}" if by else "passed: nobody graded it")
            continue
        if all(grade.score >= least for grade in grades):
            yield row
            continue
        yield row.rejected(f"{worst.by}: {worst.reason}")
        right = task.read(*worst.repair) if worst.repair else ""
        if isinstance(right, Row):
            yield replace(_like(row, right), grades=(replace(worst, score=1.0, reason="repaired", repair=None),))


def _like(row: Row, right: Row) -> Row:
    return replace(
        right,
        traits={**prompt_traits(row.traits), **right.traits},
        origin="synthetic",
        maker=row.maker,
        method="repair",
        parents=(row.id,),
        generation=row.generation,
        draw=row.draw,
    )
