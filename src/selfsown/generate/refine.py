"""The teacher revises its own draft round by round, by its own criticism on principles or a rubric, or by the world's.

It needs a teacher who follows instructions, or a world with words of its own for criticism and revision.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.judge_prompts import criticize, fenced_row, resolve_principles, text_kind
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row, SelfsownError, with_metadata
from selfsown.tasks import Principled, Task
from selfsown.text.chat import prompt_traits
from selfsown.text.normalize import fenced

_CRITIQUE = {
    "type": "object",
    "properties": {"criticism": {"type": "string"}, "fault": {"type": "boolean"}},
    "required": ["criticism", "fault"],
    "additionalProperties": False,
}


@dataclass
class _Course:
    """How a draft became what it is. row: as it stands now; by: what it is held against in this round; clean: what
    has found no fault with it as it stands."""

    real: Row
    row: Row
    chance: random.Random
    by: str = ""
    clean: set[str] = field(default_factory=set)
    steps: list[dict[str, str]] = field(default_factory=list)
    failure: str = ""

    def write(self, reply: Reply) -> None:
        """The draft, or what it was revised to; "" is nothing that could be kept."""
        self.failure = reply.failure or ("" if reply.text.strip() else "it says nothing")
        if reply.text.strip():
            self.row = replace(self.real, answer=reply.text)
        self.clean.clear()


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    generation: int,
    seed: int,
    *,
    critic: Literal["teacher", "world"] = "teacher",
    principles: tuple[str, ...] = (),
    rubric: str = "It is correct, complete and clear, and does what was asked for.",
    rounds: Count = 4,
    temperature: NotNegative = 1.0,
    where: dict[str, str] | None = None,
) -> Iterator[Row]:
    """For each real row the teacher's answer to its prompt, or the row itself where it is a document, after at most
    `rounds` of criticism. Each round draws one of the principles that have found no fault since the last revision, or
    takes the rubric if there are no principles; it is over when all of them are content. With `critic: world`, it is
    over when the world finds the answer right, and what it says else is the criticism.

    A world with a constitution has principles, and words in which the teacher is asked. `only`: the traits of the rows
    that are worked on. The draft, and each criticism with what it was held against, is the trait "course", as JSON.
    """
    if critic == "world" and not task.verifiable:
        raise SelfsownError(f"generate.refine: {task.name} checks no answers; leave critic: teacher")
    courses = [_Course(row, row, random.Random(f"{seed} {row.id}")) for row in with_metadata(rows, where)]
    asked = [course for course in courses if course.row.prompt]
    drafts = teacher.complete(
        [course.row.full_prompt for course in asked], SamplingParams(temperature=temperature, seed=seed)
    )
    for course, (draft,) in zip(asked, drafts, strict=True):
        course.write(draft)
    for course in courses:
        course.steps.append({"draft": course.row.answer})
    words = task if isinstance(task, Principled) and critic == "teacher" else None
    by = ("the world",) if critic == "world" else resolve_principles(principles, task) or (rubric,)
    judged = partial(_judged, teacher=teacher, words=words, seed=seed)
    revise = partial(_revised, teacher=teacher, words=words, temperature=temperature, seed=seed)
    for _ in range(rounds):
        _round(courses, by, partial(_checked, task=task) if critic == "world" else judged, revise)
    for course in courses:
        yield _made(course, teacher.name, generation)


def _round(
    courses: Sequence[_Course],
    standards: Sequence[str],
    judged: Callable[[Sequence[_Course]], list[Answer]],
    revised: Callable[[Sequence[_Course]], list[Reply]],
) -> None:
    """Criticism of all that is not done yet, and a revision where it found a fault."""
    open_ = [course for course in courses if not course.failure and not course.clean.issuperset(standards)]
    for course in open_:
        course.by = course.chance.choice([each for each in standards if each not in course.clean])
    faulty = [course for course, said in zip(open_, judged(open_), strict=True) if _at_fault(course, said)]
    for course, reply in zip(faulty, revised(faulty), strict=True):
        course.write(reply)
        if not course.failure:
            course.steps[-1]["revision"] = course.row.answer


def _at_fault(course: _Course, said: Answer) -> bool:
    if said.failure:
        course.failure = f"its criticism: {said.failure}"
        return False
    course.steps.append({"by": course.by, "criticism": said.data["criticism"].strip()})
    if not said.data["fault"]:
        course.clean.add(course.by)
    return bool(said.data["fault"])


def _checked(courses: Sequence[_Course], task: Task) -> list[Answer]:
    found = [task.check(course.row, course.row.answer) for course in courses]
    return [Answer({"criticism": each.reason, "fault": each.score < 0.5}, each.reason) for each in found]


def _judged(courses: Sequence[_Course], teacher: Model, words: Principled | None, seed: int) -> list[Answer]:
    if words:
        return criticize(teacher, [(course.row, course.by) for course in courses], words, seed=seed)
    return complete_json(teacher, [_asked(course) for course in courses], _CRITIQUE, seed=seed)


def _asked(course: _Course) -> str:
    parts = [
        f"Criticise the {text_kind(course.row)} below. Hold it against this alone: {course.by}",
        fenced_row(course.row),
    ]
    parts += ["Say in a few sentences where it falls short of that and how to mend it, then whether it is at fault."]
    return "\n\n".join(parts)


def _revised(
    courses: Sequence[_Course], teacher: Model, words: Principled | None, temperature: float, seed: int
) -> list[Reply]:
    prompts = [
        words.revision(course.row, course.by, course.steps[-1]["criticism"]) if words else _asked_anew(course)
        for course in courses
    ]
    return [reply for (reply,) in teacher.complete(prompts, SamplingParams(temperature=temperature, seed=seed))]


def _asked_anew(course: _Course) -> str:
    what = text_kind(course.row)
    parts = [f"Revise the {what} below so that the criticism no longer holds, and leave the rest as it is."]
    parts += [fenced_row(course.row), f"It is held against: {course.by}"]
    parts += [f"The criticism:\n{fenced(course.steps[-1]['criticism'])}"]
    parts += [f"Write the revised {what} alone, without a word about it."]
    return "\n\n".join(parts)


def _made(course: _Course, maker: str, generation: int) -> Row:
    real = course.real
    revisions = sum("revision" in step for step in course.steps)
    made = Row(
        real.prompt,
        course.row.answer,
        problem=real.problem,
        target=real.target if real.prompt else "",
        origin="synthetic",
        source=maker,
        method="refine",
        parents=(real.id,),
        generation=generation,
        level=real.level,
        metadata={**prompt_traits(real.metadata), "revisions": str(revisions), "course": compact_json(course.steps)},
    )
    return made.failed(course.failure) if course.failure else made
