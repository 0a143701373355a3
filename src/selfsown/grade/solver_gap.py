"""A problem is worth learning if a strong solver succeeds where a weak one fails: the gap between their pass rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative, Pattern, Share
from selfsown.records import Grade, Row
from selfsown.tasks import Task
from selfsown.text.chat import preceded
from selfsown.text.normalize import agreement, final

REQUIRES = {"two_solvers"}


def grade(
    rows: Sequence[Row],
    judge: Model,
    teacher: Model,
    task: Task,
    seed: int,
    *,
    strong: Literal["judge", "teacher"] = "judge",
    samples: Count = 4,
    min_similarity: Share = 0.6,
    instruction: str = "",
    pattern: Pattern = "",
    temperature: NotNegative = 1.0,
) -> Iterator[Grade]:
    """Judge and teacher each solve each prompt `samples` times, after the instruction; `strong` says which of them is
    the strong one. A student teaches where no teacher is named, so that it is the weak one.

    A solution is right if the world says so; where it cannot, if it agrees with the row's own answer, or with the
    known one, to `alike` or more; of both, the last match of `pattern` is compared. A row whose answer the strong
    solver does not find has no gap. The pass rates are those of the replies that did not fail; where more than half of
    either solver's did, the row has failed: who is not heard is not weak.
    """
    prompts = list(dict.fromkeys(row.full_prompt for row in rows if row.prompt))
    asked = [preceded(prompt, instruction) for prompt in prompts]
    solvers = (judge, teacher) if strong == "judge" else (teacher, judge)
    solved = [
        solver.complete(asked, SamplingParams(n=samples, temperature=temperature, seed=seed)) for solver in solvers
    ]
    tries = dict(zip(prompts, zip(*solved, strict=True), strict=True))
    for row in rows:
        yield _grade(row, tries.get(row.full_prompt, ()), task, (min_similarity, pattern))


def _grade(row: Row, tries: Sequence[Sequence[Reply]], task: Task, same: tuple[float, str]) -> Grade:
    trust = task.check(row, row.answer).evidence if task.verifiable else "vote"
    if not tries:
        return Grade(0.0, "it has no prompt to solve", grader="solver_gap", evidence=trust, failed=True)
    if not task.verifiable and not final(row.target or row.answer, same[1]):
        return Grade(
            0.0, "it has no answer that a solution could agree with", grader="solver_gap", evidence=trust, failed=True
        )
    heard = [[reply for reply in replies if not reply.failure] for replies in tries]
    for name, some, replies in zip(("strong", "weak"), heard, tries, strict=True):
        if 2 * len(some) < len(replies):
            failure = next(reply.failure for reply in replies if reply.failure)
            return Grade(0.0, f"the {name} solver: {failure}", grader="solver_gap", evidence=trust, failed=True)
    strong, weak = (sum(_right(row, reply, task, same) for reply in some) for some in heard)
    reason = f"the strong solver {strong} of {len(heard[0])} times, the weak solver {weak}"
    reason += f" of {len(heard[1])}" * (len(heard[0]) != len(heard[1]))
    return Grade(max(0.0, strong / len(heard[0]) - weak / len(heard[1])), reason, grader="solver_gap", evidence=trust)


def _right(row: Row, reply: Reply, task: Task, same: tuple[float, str]) -> bool:
    alike, pattern = same
    if not reply.text.strip():
        return False
    if not task.verifiable:
        return agreement(final(reply.text, pattern), final(row.target or row.answer, pattern)) >= alike
    return task.check(row, reply.text).score >= 0.5
