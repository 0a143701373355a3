"""Keep rows whose grades are high enough; a wrong row that its grader could correct comes back as a new, right row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.tasks import Task
from selfsown.text.chat import prompt_traits

STREAMS = True


def curate(
    rows: Iterable[Row], task: Task, grader_count: int = 1, *, min_score: Share = 0.5, graders: tuple[str, ...] = ()
) -> Iterator[Row]:
    """Keep rows whose lowest grade reaches `min_score`; the others are rejected with that grade's reason.

    graders: names of the graders that count; all of them where none is named. A row that none of them graded is
    rejected; only where the recipe names no grader at all (`grade: []`) do ungraded rows pass.
    """
    for row in rows:
        grades = [
            grade for grade in row.grades if (not graders or grade.grader in graders) and grade.evidence != "none"
        ]
        worst = min(grades, key=lambda grade: grade.score, default=None)
        if worst is None and not grader_count and not graders:
            yield row
            continue
        if worst is None:
            by = f" by {' or '.join(graders)}" if graders else ""
            yield row.rejected(f"min_score: not graded{by}")
            continue
        if all(grade.score >= min_score for grade in grades):
            yield row
            continue
        yield row.rejected(f"{worst.grader}: {worst.reason}")
        corrected = task.read(*worst.correction) if worst.correction else ""
        if isinstance(corrected, Row):
            grade = replace(worst, score=1.0, reason="corrected", correction=None)
            yield replace(_corrected(row, corrected), grades=(grade,))


def _corrected(row: Row, right: Row) -> Row:
    return replace(
        right,
        metadata={**prompt_traits(row.metadata), **right.metadata},
        origin="synthetic",
        source=row.source,
        method="correction",
        parents=(row.id,),
        generation=row.generation,
        sample_index=row.sample_index,
    )
