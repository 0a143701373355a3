"""A problem is worth learning if a strong solver succeeds where a weak one fails: the gap between their pass rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from selfsown.kinds import Count, NotNegative, Share
from selfsown.models import Model, Reply
from selfsown.records import Grade, Row
from selfsown.tasks import Task
from selfsown.text import agreement


def grade(
    rows: Sequence[Row],
    judge: Model,
    teacher: Model,
    task: Task,
    seed: int,
    *,
    strong: Literal["judge", "teacher"] = "judge",
    samples: Count = 4,
    alike: Share = 0.6,
    instruction: str = "",
    temperature: NotNegative = 1.0,
) -> Iterator[Grade]:
    """Judge and teacher each solve each prompt `samples` times, after the instruction; `strong` says which of them is
    the strong one. A student teaches where no teacher is named, so that it is the weak one.

    A solution is right if the world says so; where it cannot, if it agrees with the row's own answer, or with the
    known one, to `alike` or more. A row whose answer the strong solver does not find has no gap.
    """
    prompts = list(dict.fromkeys(row.prompt for row in rows if row.prompt))
    asked = [f"{instruction}\n\n{prompt}" if instruction else prompt for prompt in prompts]
    solvers = (judge, teacher) if strong == "judge" else (teacher, judge)
    solved = [solver.complete(asked, n=samples, temperature=temperature, seed=seed) for solver in solvers]
    tries = dict(zip(prompts, zip(*solved, strict=True), strict=True))
    for row in rows:
        yield _grade(row, tries.get(row.prompt, ()), task, alike)


def _grade(row: Row, tries: Sequence[Sequence[Reply]], task: Task, alike: float) -> Grade:
    trust = task.check(row, row.answer).trust if task.verifiable else "vote"
    if not tries:
        return Grade(0.0, "it has no prompt to solve", by="gap", trust=trust, failed=True)
    rates, said = [], []
    for name, replies in zip(("strong", "weak"), tries, strict=True):
        heard = [reply.text for reply in replies if not reply.failure]
        if not heard:
            return Grade(0.0, f"the {name} solver: {replies[0].failure}", by="gap", trust=trust, failed=True)
        right = sum(_right(row, text, task, alike) for text in heard)
        rates.append(right / len(heard))
        said.append(f"the {name} solver {right} of {len(heard)}")
    return Grade(max(0.0, rates[0] - rates[1]), " times, ".join(said), by="gap", trust=trust)


def _right(row: Row, text: str, task: Task, alike: float) -> bool:
    if task.verifiable:
        return task.check(row, text).score >= 0.5
    return agreement(text, row.target or row.answer) >= alike
