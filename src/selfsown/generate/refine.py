"""The teacher revises its own drafts after criticism by principles, by a rubric or by the task's check, round by round.

The teacher must follow instructions, unless the task has its own wording for criticism and revision.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from selfsown.errors import RecipeError
from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.json_schema import object_schema
from selfsown.prompting.judge_prompts import criticize, fenced_row, resolve_principles, text_kind
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row, with_metadata
from selfsown.tasks import Principled, Task
from selfsown.templates import TemplateText
from selfsown.text.chat import keep_prompt_metadata
from selfsown.text.normalize import fenced

WRITES = ("revisions", "revision_history")

_CRITIQUE_SCHEMA = object_schema(criticism=str, fault=bool)


@dataclass
class _Revision:
    """A draft and its history.

    real: the row that it answers; row: the same with the current draft. criterion: what this round criticises it by.
    satisfied: the criteria that found no fault since the last change. failure: why it ended early.
    """

    real: Row
    row: Row
    rng: random.Random
    criterion: str = ""
    satisfied: set[str] = field(default_factory=set)
    history: list[dict[str, str]] = field(default_factory=list)
    failure: str = ""

    def update(self, reply: Reply) -> None:
        """Take the reply as the new draft; an empty one leaves the draft as it is."""
        self.failure = reply.failure or ("" if reply.text.strip() else "the reply is empty")
        if reply.text.strip():
            self.row = replace(self.real, answer=reply.text)
        self.satisfied.clear()


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    seed: int,
    *,
    critic: Literal["teacher", "task"] = "teacher",
    principles: tuple[TemplateText, ...] = (),
    rubric: TemplateText = "It is correct, complete and clear, and does what was asked for.",
    rounds: Count = 4,
    temperature: NotNegative = 1.0,
    where: dict[str, str] | None = None,
) -> Iterator[Row]:
    """The teacher's answer to each real prompt, or each document, after its revisions. Drafts, criticisms and revisions
    are the metadata "revision_history", as JSON; "revisions" counts the last.

    critic: with "task", the task's check is the criticism. principles: each round draws one that has found no fault
    since the last revision; by default the task's, if it has any. rubric: the criterion where there are no principles.
    rounds: the most criticisms; it ends early once no criterion finds a fault. temperature: for drafts and revisions.
    where: use only rows with these metadata values.

    Raises RecipeError where critic is "task" and the task cannot check answers, or has no such principle.
    Source: Bai et al. 2022 (Constitutional AI), section 3; Madaan et al. 2023 (Self-Refine).
    """
    if critic == "task" and not task.verifiable:
        raise RecipeError(f"generate.refine: {task.name} cannot check answers; use critic: teacher")
    revisions = [_Revision(row, row, random.Random(f"{seed} {row.id}")) for row in with_metadata(rows, where)]
    _write_drafts(revisions, teacher, SamplingParams(temperature=temperature, seed=seed))
    wording = task if isinstance(task, Principled) and critic == "teacher" else None
    criteria = ("the task's check",) if critic == "task" else resolve_principles(principles, task) or (rubric,)
    judge = partial(_critiques, teacher=teacher, wording=wording, seed=seed)
    revise = partial(_revised, teacher=teacher, wording=wording, temperature=temperature, seed=seed)
    for _ in range(rounds):
        _run_round(revisions, criteria, partial(_checks, task=task) if critic == "task" else judge, revise)
    yield from map(_to_row, revisions)


def _write_drafts(revisions: Sequence[_Revision], teacher: Model, params: SamplingParams) -> None:
    """The teacher's answers; a document is its own draft."""
    with_prompt = [revision for revision in revisions if revision.row.prompt]
    drafts = teacher.complete([revision.row.full_prompt for revision in with_prompt], params)
    for revision, (draft,) in zip(with_prompt, drafts, strict=True):
        revision.update(draft)
    for revision in revisions:
        revision.history.append({"draft": revision.row.answer})


def _run_round(
    revisions: Sequence[_Revision],
    criteria: Sequence[str],
    judge: Callable[[Sequence[_Revision]], list[Answer]],
    revise: Callable[[Sequence[_Revision]], list[Reply]],
) -> None:
    """Criticise all that are not finished, and revise those with a fault."""
    unfinished = [
        revision for revision in revisions if not revision.failure and not revision.satisfied.issuperset(criteria)
    ]
    for revision in unfinished:
        left = [criterion for criterion in criteria if criterion not in revision.satisfied]
        revision.criterion = revision.rng.choice(left)
    critiques = zip(unfinished, judge(unfinished), strict=True)
    faulty = [revision for revision, critique in critiques if _has_fault(revision, critique)]
    for revision, reply in zip(faulty, revise(faulty), strict=True):
        revision.update(reply)
        if not revision.failure:
            revision.history[-1]["revision"] = revision.row.answer


def _has_fault(revision: _Revision, critique: Answer) -> bool:
    """Record the criticism; whether it finds a fault."""
    if critique.failure:
        revision.failure = f"its criticism: {critique.failure}"
        return False
    revision.history.append({"criterion": revision.criterion, "criticism": critique.data["criticism"].strip()})
    if not critique.data["fault"]:
        revision.satisfied.add(revision.criterion)
    return bool(critique.data["fault"])


def _checks(revisions: Sequence[_Revision], task: Task) -> list[Answer]:
    """The task's grades as criticisms."""
    grades = [task.check(revision.row, revision.row.answer) for revision in revisions]
    return [Answer({"criticism": grade.reason, "fault": grade.score < 0.5}, grade.reason) for grade in grades]


def _critiques(revisions: Sequence[_Revision], teacher: Model, wording: Principled | None, seed: int) -> list[Answer]:
    if wording:
        return criticize(teacher, [(item.row, item.criterion) for item in revisions], wording, seed=seed)
    return complete_json(teacher, [_critique_prompt(revision) for revision in revisions], _CRITIQUE_SCHEMA, seed=seed)


def _critique_prompt(revision: _Revision) -> str:
    criterion = for_row(revision.criterion, revision.real)
    return "\n\n".join([
        f"Criticise the {text_kind(revision.row)} below by this criterion alone: {criterion}",
        fenced_row(revision.row),
        "Say in a few sentences where it does not meet the criterion and how to fix that, then whether it has a fault.",
    ])  # fmt: skip


def _revised(
    revisions: Sequence[_Revision], teacher: Model, wording: Principled | None, temperature: float, seed: int
) -> list[Reply]:
    prompts = [
        wording.revision(revision.row, revision.criterion, revision.history[-1]["criticism"])
        if wording
        else _revision_prompt(revision)
        for revision in revisions
    ]
    return [reply for (reply,) in teacher.complete(prompts, SamplingParams(temperature=temperature, seed=seed))]


def _revision_prompt(revision: _Revision) -> str:
    name = text_kind(revision.row)
    return "\n\n".join([
        f"Revise the {name} below so that the criticism no longer applies, and leave the rest as it is.",
        fenced_row(revision.row),
        f"The criterion: {for_row(revision.criterion, revision.real)}",
        f"The criticism:\n{fenced(revision.history[-1]['criticism'])}",
        f"Write only the revised {name}, and nothing about it.",
    ])  # fmt: skip


def _to_row(revision: _Revision) -> Row:
    real = revision.real
    revised = sum("revision" in step for step in revision.history)
    history = {"revisions": str(revised), "revision_history": compact_json(revision.history)}
    row = Row(
        real.prompt,
        revision.row.answer,
        problem=real.problem,
        target=real.target if real.prompt else "",
        parents=(real.id,),
        level=real.level,
        metadata={**keep_prompt_metadata(real.metadata), **history},
    )
    return row.failed(revision.failure) if revision.failure else row
