"""The gap between the pass rates of a strong and a weak solver: large for problems that are worth learning from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative, Pattern, Share
from selfsown.records import Grade, Row
from selfsown.tasks import Task, is_right
from selfsown.templates import ConstantText, render
from selfsown.text.chat import prepend_text
from selfsown.text.normalize import agreement, final_match

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
    instruction: ConstantText = "",
    pattern: Pattern = "",
    temperature: NotNegative = 1.0,
) -> Iterator[Grade]:
    """The score is the strong solver's pass rate minus the weak one's, at least 0. Pass rates are over replies that did
    not fail; a row has failed if more than half of either solver's replies did.

    strong: which role is the strong solver, judge or teacher. Without a teacher, the student is the other one.
    samples: solutions per solver and prompt.
    min_similarity: if the task cannot check answers, a solution is right if its agreement with the known answer, or
    without one with the row's own, is at least this.
    instruction: text put before each prompt.
    pattern: a regular expression whose last match in both answers is compared.
    temperature: of both solvers.
    """
    prompts = list(dict.fromkeys(row.full_prompt for row in rows if row.prompt))
    instructed = [prepend_text(prompt, render(instruction, {})) for prompt in prompts]
    params = SamplingParams(n=samples, temperature=temperature, seed=seed)
    solvers = (judge, teacher) if strong == "judge" else (teacher, judge)
    solutions = [solver.complete(instructed, params) for solver in solvers]
    attempts = dict(zip(prompts, zip(*solutions, strict=True), strict=True))
    for row in rows:
        yield _grade(row, attempts.get(row.full_prompt, ()), task, min_similarity, pattern)


def _grade(row: Row, attempts: Sequence[Sequence[Reply]], task: Task, min_similarity: float, pattern: str) -> Grade:
    """attempts: the replies of the strong solver, and of the weak one."""
    failed = Grade(0.0, "", grader="solver_gap", evidence="vote", failed=True)
    if task.verifiable:
        failed = replace(failed, evidence=task.check(row, row.answer).evidence)
    if not attempts:
        return replace(failed, reason="no prompt to solve")
    if not task.verifiable and not final_match(row.target or row.answer, pattern):
        return replace(failed, reason="no answer to compare solutions with")
    usable = [[reply for reply in replies if not reply.failure] for replies in attempts]
    for name, remaining, replies in zip(("strong", "weak"), usable, attempts, strict=True):
        if 2 * len(remaining) < len(replies):
            failure = next(reply.failure for reply in replies if reply.failure)
            return replace(failed, reason=f"the {name} solver: {failure}")
    strong, weak = (
        sum(_is_right(row, reply, task, min_similarity, pattern) for reply in replies) for replies in usable
    )
    strong_total, weak_total = map(len, usable)
    reason = f"solved by the strong solver {strong} of {strong_total} times, by the weak solver {weak} of {weak_total}"
    return replace(failed, score=max(0.0, strong / strong_total - weak / weak_total), reason=reason, failed=False)


def _is_right(row: Row, reply: Reply, task: Task, min_similarity: float, pattern: str) -> bool:
    if not reply.text.strip():
        return False
    if not task.verifiable:
        return (
            agreement(final_match(reply.text, pattern), final_match(row.target or row.answer, pattern))
            >= min_similarity
        )
    return is_right(task, row, reply.text)
