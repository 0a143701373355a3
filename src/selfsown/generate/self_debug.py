"""The teacher writes a program and tests for each problem, and fixes them by the output of their runs (self-debugging).

The teacher must follow instructions, and the machine must support the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from selfsown.models import Model
from selfsown.option_types import Count, Natural, NotNegative, Positive
from selfsown.prompting.json_schema import object_schema
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS, fenced_prompt
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.text.chat import drop_chat_metadata, keep_prompt_metadata
from selfsown.text.normalize import extract_python, fenced

WRITES = ("tests", "revisions", "revision_history")

MAX_OUTPUT_CHARS = 1000  # of each output stream, from its end, that the teacher is shown
_WRITE_PROBLEM = (
    "Below is a piece of code or text. Take it as inspiration for a programming problem of your own, stated in a few "
    "sentences: the name of a Python function, its arguments, what it returns, and what happens in edge cases."
)
_WRITE_PROGRAM = (
    "Write Python that solves the problem below, and explain in comments why it does. Write no tests and no examples."
)
_WRITE_TESTS = (
    "Write tests for the problem below: lines of Python that begin with assert and call the solution by its name, each "
    "with a value that you are sure of, including edge cases. Do not write a solution."
)
_FIX = "The program below does not pass its tests. Find out why, and write the whole program again so that it is right."
_FIX_BOTH = (
    f"{_FIX} If a test is not supported by the problem, fix that test; leave everything that is right unchanged."
)


@dataclass
class _DebugSession:
    """A problem with its program so far. has_given_tests: the tests come from the row, and must stay as they are."""

    real: Row
    prompt: str
    tests: str = ""
    entry_point: str = ""
    has_given_tests: bool = False
    program: str = ""
    outcome: Outcome | None = None
    failure: str = ""
    history: list[dict[str, str]] = field(default_factory=list)

    @property
    def can_be_fixed(self) -> bool:
        return not self.failure and self.outcome is not None and not self.outcome.passed

    def shown(self) -> str:
        """Everything that there is so far, between markers."""
        parts: list[str] = []
        if not self.prompt:
            parts.append(f"The code or text:\n{fenced(self.real.answer)}")
        else:
            parts.append(f"The problem:\n{fenced_prompt(self.real) if self.real.prompt else fenced(self.prompt)}")
        if self.outcome:  # before the first run, whoever writes the program must not see its tests
            output = (self.outcome.stdout[-MAX_OUTPUT_CHARS:] + self.outcome.stderr[-MAX_OUTPUT_CHARS:]).strip()
            result = f"{self.outcome.reason}\n{output}"
            parts.append(f"The program:\n{fenced(self.program)}")
            parts.append(f"Its tests:\n{fenced(self.tests)}")
            parts.append(f"The result of running them:\n{fenced(result)}")
        return "\n\n".join([*parts, IGNORE_INSTRUCTIONS])

    def update(self, reply: Answer, names: Sequence[str]) -> None:
        """Take the fields of these names from the reply, or the reason why there are none."""
        self.failure = reply.failure
        for name in names if not reply.failure else ():
            text = reply.data[name].strip() if name == "prompt" else extract_python(reply.data[name])
            setattr(self, name, text)
            self.failure = self.failure or ("" if text.strip() else f"its {name} is empty")


def generate(
    rows: Sequence[Row],
    teacher: Model,
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
    """Programs for each real prompt, or for a problem inspired by each real document. Programs that never pass are
    yielded too, for a grader to reject. "revision_history" is, as JSON, each program with its outcome; "revisions"
    counts all but the first.

    n: programs for each problem. rounds: the most attempts to fix a program. tests, entry_point: the metadata that hold
    a row's tests and its function's name, as in grade.unit_tests; where a row has no tests, the teacher writes them and
    may fix them. temperature: the teacher's. cpu_seconds, memory_mb: limits of a run. unsafe: run without a sandbox.

    Raises SelfsownError where the machine does not support the sandbox.
    Source: Llama 3 (Dubey et al. 2024), section 4.3.1, execution feedback; Chen et al. 2023.
    """
    fill = partial(_fill, teacher=teacher, temperature=temperature, seed=seed)
    started = [_start(row, tests, entry_point) for row in rows]
    fill([session for session in started if not session.prompt], _WRITE_PROBLEM, ("prompt",))
    fill([session for session in started if not session.has_given_tests], _WRITE_TESTS, ("tests",))
    sessions = [replace(session, history=[]) for session in started for _ in range(n)]
    fill(sessions, _WRITE_PROGRAM, ("program",))
    if not all(session.failure for session in sessions):
        with Sandbox(cpu_seconds=cpu_seconds, memory_mb=memory_mb, unsafe=unsafe) as sandbox:
            _run(sessions, sandbox)
            for _ in range(rounds):
                wrong = [session for session in sessions if session.can_be_fixed]
                fill([session for session in wrong if session.has_given_tests], _FIX, ("program",))
                fill([session for session in wrong if not session.has_given_tests], _FIX_BOTH, ("program", "tests"))
                _run(wrong, sandbox)
    yield from (_to_row(session, tests) for session in sessions)


def _start(row: Row, tests: str, entry_point: str) -> _DebugSession:
    row_tests = row.metadata.get(tests, "") if row.prompt else ""
    name = row.metadata.get(entry_point, "")
    return _DebugSession(row, row.prompt, row_tests, name, has_given_tests=bool(row_tests.strip()))


def _fill(
    sessions: Sequence[_DebugSession],
    instruction: str,
    names: tuple[str, ...],
    *,
    teacher: Model,
    temperature: float,
    seed: int,
) -> None:
    """Have the teacher write the fields of these names for each session that has not failed."""
    schema = object_schema(**dict.fromkeys(names, str))
    live = [session for session in sessions if not session.failure]
    prompts = [f"{instruction}\n\n{session.shown()}" for session in live]
    for session, reply in zip(
        live, complete_json(teacher, prompts, schema, temperature=temperature, seed=seed), strict=True
    ):
        session.update(reply, names)


def _run(sessions: Sequence[_DebugSession], sandbox: Sandbox) -> None:
    """Run the programs with their tests; given tests that no program could pass fail the session."""
    live = [session for session in sessions if not session.failure]
    jobs = [Job(session.program, tests=session.tests, entry_point=session.entry_point) for session in live]
    for session, outcome in zip(live, sandbox.run_all(jobs), strict=True):
        session.outcome = outcome
        session.failure = outcome.reason if outcome.invalid_tests and session.has_given_tests else ""
        step = {"program": session.program}
        if not session.has_given_tests:
            step["tests"] = session.tests
        session.history.append({**step, "outcome": outcome.reason})


def _to_row(session: _DebugSession, tests: str) -> Row:
    real = session.real
    inherited: Mapping[str, str] = (keep_prompt_metadata if real.prompt else drop_chat_metadata)(real.metadata)
    history = {
        "revisions": str(max(0, len(session.history) - 1)),
        "revision_history": compact_json(session.history),
    }
    row = Row(
        session.prompt,
        session.program,
        problem=real.problem if real.prompt else "",
        target=real.target if real.prompt else "",
        parents=(real.id,),
        level=real.level,
        metadata={**inherited, tests: session.tests, **history},
    )
    return row.failed(session.failure) if session.failure else row
