"""A program is right if it passes its tests, run in a sandbox where it sees no network, no files and no environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from selfsown.option_types import Count, Positive
from selfsown.records import Grade, Row
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.text.normalize import python

SHOWN = 60  # characters of what a program printed


def grade(
    rows: Sequence[Row],
    *,
    tests: str = "tests",
    entry_point: str = "",
    answer_continues_prompt: bool = False,
    partial_credit: bool = False,
    cpu_seconds: Positive = 3.0,
    memory_mb: Count = 512,
    unsafe: bool = False,
) -> Iterator[Grade]:
    """tests: the trait that holds asserts, or cases as JSON: [{"stdin": …, "stdout": …}, …]. entry: the trait that
    names the function which the tests call `candidate`, or give to their `check`. continues: the answer goes on from
    the prompt. partial: the score is the share of cases that passed. seconds (of computing) and memory (MB) are each
    program's. unsafe: no sandbox, on a machine that you can lose."""
    plans = [_jobs(row, tests, entry_point, answer_continues_prompt) for row in rows]
    jobs = [job for plan in plans if not isinstance(plan, str) for job, _ in plan]
    if not jobs:
        yield from (_failed(str(plan)) for plan in plans)
        return
    with Sandbox(cpu_seconds=cpu_seconds, memory_mb=memory_mb, unsafe=unsafe) as sandbox:
        outcomes = sandbox.run_all(jobs)
        for plan in plans:
            if isinstance(plan, str):
                yield _failed(plan)
            else:
                wanted = [stdout for _, stdout in plan]
                yield _grade(list(islice(outcomes, len(plan))), wanted, partial_credit)


def _jobs(row: Row, tests: str, entry: str, continues: bool) -> list[tuple[Job, str | None]] | str:
    """What to run, each with what it should print where that is the test; or why there is nothing to run."""
    said = row.metadata.get(tests, "")
    if not said.strip():
        return f"there are no tests: the trait {tests!r} is empty"
    if entry and not row.metadata.get(entry):
        return f"nothing says what is tested: the trait {entry!r} is empty"
    program = (row.prompt if continues else "") + python(row.answer)
    cases = _json(said)
    if cases is None:
        return [(Job(program, tests=said, entry_point=row.metadata[entry] if entry else ""), None)]
    wrong = _wrong(cases)
    return wrong or [(Job(program, case.get("stdin") or ""), case["stdout"]) for case in cases]


def _json(said: str) -> Any:
    """What the tests are as JSON; None where they are none, but Python."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return "null" if found is None else found


def _wrong(cases: Any) -> str:
    """Why these are no cases that test anything, or ""."""
    form = 'each is {"stdin": …, "stdout": …}, both texts'
    if not isinstance(cases, list) or not cases or not all(isinstance(case, dict) for case in cases):
        return f"the tests are JSON, but no list of cases: {form}"
    for at, case in enumerate(cases):
        if not isinstance(case.get("stdout"), str) or not isinstance(case.get("stdin") or "", str):
            return f"the tests are no cases: {form}, and case {at + 1} has {', '.join(map(str, case)) or 'nothing'}"
        if "stdin" not in case and {"input", "inputs", "in"} & set(case):
            return f"the tests are no cases: {form}, and case {at + 1} gives its input by another name"
    if not any(_lines(case["stdout"]) for case in cases):
        return "the tests test nothing: in every case nothing is to be printed"
    return ""


def _grade(outcomes: Sequence[Outcome], wanted: Sequence[str | None], partial: bool) -> Grade:
    broken = next((each.reason for each in outcomes if each.invalid_tests), "")
    if broken:
        return _failed(broken)
    verdicts = [_verdict(outcome, stdout) for outcome, stdout in zip(outcomes, wanted, strict=True)]
    passed = sum(right for right, _ in verdicts)
    if passed == len(verdicts) > 0:
        return Grade(1.0, "passes its tests", grader="unit_tests", evidence="execution")
    at, reason = next((at, reason) for at, (right, reason) in enumerate(verdicts) if not right)
    place = f"case {at + 1} of {len(verdicts)}: " if wanted[at] is not None else ""
    return Grade(passed / len(verdicts) * partial, f"{place}{reason}", grader="unit_tests", evidence="execution")


def _verdict(outcome: Outcome, stdout: str | None) -> tuple[bool, str]:
    """Whether the program passed, and why it did or did not."""
    if stdout is None:
        return outcome.passed is True, outcome.reason
    if not outcome.finished:
        return False, outcome.reason
    printed, wanted = _lines(outcome.stdout), _lines(stdout)
    if printed == wanted:
        return True, "prints what is wanted"
    return False, f"prints {' '.join(printed)[:SHOWN]!r}, not {' '.join(wanted)[:SHOWN]!r}"


def _lines(text: str) -> list[str]:
    """Without spaces at the ends of lines, and empty lines at the end."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="unit_tests", evidence="execution", failed=True)
