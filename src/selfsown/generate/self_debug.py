"""The teacher writes a program for each problem, and tests, and mends both by what running them says (self-debugging).

Llama 3 calls it execution feedback (section 4.3.1). It needs a teacher who follows instructions, and a machine on which
the sandbox holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from selfsown.models import Model
from selfsown.option_types import Count, Natural, NotNegative, Positive
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS, fenced_prompt
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.text.chat import other_traits, prompt_traits
from selfsown.text.normalize import fenced, python

SHOWN = 1000  # characters of what a program printed, from its end
_INSPIRED = (
    "Below stands a piece of code or text. Let it inspire a programming problem of your own, told in a few sentences: "
    "the name of a Python function, what it is given, what it returns, and what is to come of borderline cases."
)
_SOLVE = "Write Python that solves the problem below, and say in comments why it does. Write no tests and no examples."
_TEST = (
    "Write tests for the problem below: lines of Python that begin with assert and call the solution by its name, each "
    "with a value that you are sure of, borderline cases among them. Write no solution."
)
_MEND = "The program below does not pass its tests. Find out why, and write the whole program anew so that it is right."
_EITHER = " Where it is a test that the problem does not bear out, mend that test; leave alone whatever is right."

Asked = Callable[[Sequence["_Course"], str, tuple[str, ...]], None]


@dataclass
class _Course:
    """How a problem came to its program. given: its tests are not the teacher's, and stay as they are."""

    real: Row
    prompt: str
    tests: str = ""
    entry: str = ""
    given: bool = False
    program: str = ""
    outcome: Outcome | None = None
    failure: str = ""
    steps: list[dict[str, str]] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether it may still be mended."""
        return not self.failure and self.outcome is not None and not self.outcome.passed

    def shown(self) -> str:
        """All there is of it so far, between marks."""
        said = {} if self.prompt else {"The code or text": self.real.answer}
        if self.outcome:  # before, whoever writes the program does not see what it will be tested by
            printed = (self.outcome.stdout[-SHOWN:] + self.outcome.stderr[-SHOWN:]).strip()
            said |= {"The program": self.program, "Its tests": self.tests}
            said["What became of it"] = f"{self.outcome.reason}\n{printed}"
        problem = fenced_prompt(self.real) if self.real.prompt else fenced(self.prompt)
        parts = [f"The problem:\n{problem}"] if self.prompt else []
        return "\n\n".join([*parts, *(f"{name}:\n{fenced(text)}" for name, text in said.items()), IGNORE_INSTRUCTIONS])

    def take(self, said: Answer, names: Sequence[str]) -> None:
        """What was said under these names; or why nothing was."""
        self.failure = said.failure
        for name in names if not said.failure else ():
            text = said.data[name].strip() if name == "prompt" else python(said.data[name])
            setattr(self, name, text)
            self.failure = self.failure or ("" if text.strip() else f"its {name} is empty")


def generate(
    rows: Sequence[Row],
    teacher: Model,
    generation: int,
    seed: int,
    *,
    n: Count = 1,
    rounds: Natural = 2,
    tests: str = "tests",
    entry_point: str = "",
    temperature: NotNegative = 0.7,
    cpu_seconds: Positive = 3.0,
    memory_mb: Count = 512,
    unsafe: bool = False,
) -> Iterator[Row]:
    """`n` programs for each real prompt, or for the problem that a real document inspires, each mended at most `rounds`
    times while it does not pass. Its tests are the row's trait `tests`, asserts as `grade: unit_tests` takes them, with
    `entry`; where there is none, the teacher writes them, and may mend them too. seconds, memory, unsafe: as there.

    What passed is no better than its tests. What never did comes out as it is, for a grader to reject. The trait
    "course" is, as JSON, each program with what became of it; "revisions" counts all but the first.
    """
    asked = partial(_ask, teacher=teacher, temperature=temperature, seed=seed)
    begun = [_begun(row, tests, entry_point) for row in rows]
    asked([course for course in begun if not course.prompt], _INSPIRED, ("prompt",))
    asked([course for course in begun if not course.given], _TEST, ("tests",))
    courses = [replace(course, steps=[]) for course in begun for _ in range(n)]
    asked(courses, _SOLVE, ("program",))
    if not all(course.failure for course in courses):
        with Sandbox(seconds=cpu_seconds, memory=memory_mb, unsafe=unsafe) as sandbox:
            _run(courses, sandbox)
            for _ in range(rounds):
                wrong = [course for course in courses if course.wrong]
                asked([course for course in wrong if course.given], _MEND, ("program",))
                asked([course for course in wrong if not course.given], _MEND + _EITHER, ("program", "tests"))
                _run(wrong, sandbox)
    for draw, course in enumerate(courses):
        yield _made(course, tests, teacher.name, generation, draw)


def _begun(row: Row, tests: str, entry: str) -> _Course:
    said = row.metadata.get(tests, "") if row.prompt else ""
    return _Course(row, row.prompt, said, row.metadata.get(entry, ""), given=bool(said.strip()))


def _ask(
    courses: Sequence[_Course], told: str, names: tuple[str, ...], *, teacher: Model, temperature: float, seed: int
) -> None:
    """Tell the teacher this with all there is of each course, and take what it says under these names."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }
    open_ = [course for course in courses if not course.failure]
    prompts = [f"{told}\n\n{course.shown()}" for course in open_]
    for course, said in zip(
        open_, complete_json(teacher, prompts, schema, temperature=temperature, seed=seed), strict=True
    ):
        course.take(said, names)


def _run(courses: Sequence[_Course], sandbox: Sandbox) -> None:
    """Tests that no program could pass are a fault as any other."""
    open_ = [course for course in courses if not course.failure]
    jobs = [Job(course.program, tests=course.tests, entry=course.entry) for course in open_]
    for course, outcome in zip(open_, sandbox.each(jobs), strict=True):
        course.outcome = outcome
        course.failure = outcome.reason if outcome.broken and course.given else ""  # nobody here may change its tests
        tests = {} if course.given else {"tests": course.tests}
        course.steps.append({"program": course.program, **tests, "outcome": outcome.reason})


def _made(course: _Course, tests: str, maker: str, generation: int, draw: int) -> Row:
    told = prompt_traits if course.real.prompt else other_traits
    traits = {**told(course.real.metadata), tests: course.tests, "revisions": str(max(0, len(course.steps) - 1))}
    made = Row(
        course.prompt,
        course.program,
        problem=course.real.problem if course.real.prompt else "",
        target=course.real.target if course.real.prompt else "",
        origin="synthetic",
        source=maker,
        method="self_debug",
        parents=(course.real.id,),
        generation=generation,
        sample_index=draw,
        level=course.real.level,
        metadata={**traits, "course": compact_json(course.steps)},
    )
    return made.failed(course.failure) if course.failure else made
