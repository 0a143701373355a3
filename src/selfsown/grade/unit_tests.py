"""A program is right if it passes its tests, in a sandbox without network, files and environment variables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from selfsown.option_types import Count, Positive
from selfsown.records import Grade, Row
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.text.normalize import extract_python

MAX_CHARS_SHOWN = 60  # of a program's output


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
    """tests: metadata field with the tests: asserts, or JSON test cases: [{"stdin": …, "stdout": …}, …].
    entry_point: metadata field with the name of the function that the tests call `candidate` or pass to `check`.
    answer_continues_prompt: the program is the prompt followed by the answer.
    partial_credit: the score is the share of test cases that passed, instead of 0 if one failed.
    cpu_seconds, memory_mb: limits of each program.
    unsafe: run without a sandbox; only on a disposable machine.
    """
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
                expected = [stdout for _, stdout in plan]
                yield _grade(list(islice(outcomes, len(plan))), expected, partial_credit)


def _jobs(row: Row, tests_key: str, entry_point_key: str, continues_prompt: bool) -> list[tuple[Job, str | None]] | str:
    """What to run, with the expected output of a test case (None for asserts); or why there is nothing to run."""
    tests = row.metadata.get(tests_key, "")
    if not tests.strip():
        return f"no tests: the metadata field {tests_key!r} is empty"
    if entry_point_key and not row.metadata.get(entry_point_key):
        return f"no entry point: the metadata field {entry_point_key!r} is empty"
    program = (row.prompt if continues_prompt else "") + extract_python(row.answer)
    cases = _json(tests)
    if cases is None:
        entry_point = row.metadata[entry_point_key] if entry_point_key else ""
        return [(Job(program, tests=tests, entry_point=entry_point), None)]
    problem = _problem(cases)
    return problem or [(Job(program, case.get("stdin") or ""), case["stdout"]) for case in cases]


def _json(tests: str) -> Any:
    """The tests as JSON; None if they are not JSON, but Python."""
    try:
        cases = json.loads(tests)
    except (ValueError, RecursionError):
        return None
    return "null" if cases is None else cases


def _problem(cases: Any) -> str:
    """Why these are not test cases, or do not test anything; "" if they are fine."""
    form = 'expected a list of {"stdin": …, "stdout": …}, both strings'
    if not isinstance(cases, list) or not cases or not all(isinstance(case, dict) for case in cases):
        return f"invalid test cases: {form}"
    for number, case in enumerate(cases, 1):
        if not isinstance(case.get("stdout"), str) or not isinstance(case.get("stdin") or "", str):
            return f"invalid test cases: {form}; case {number} has {', '.join(map(str, case)) or 'nothing'}"
        if "stdin" not in case and {"input", "inputs", "in"} & set(case):
            return f"invalid test cases: {form}; case {number} has its input under another key"
    if not any(_lines(case["stdout"]) for case in cases):
        return "invalid test cases: the expected output of every case is empty"
    return ""


def _grade(outcomes: Sequence[Outcome], expected: Sequence[str | None], partial_credit: bool) -> Grade:
    broken = next((outcome.reason for outcome in outcomes if outcome.invalid_tests), "")
    if broken:
        return _failed(broken)
    results = [_result(outcome, stdout) for outcome, stdout in zip(outcomes, expected, strict=True)]
    passed = sum(right for right, _ in results)
    if passed == len(results) > 0:
        return Grade(1.0, "passes its tests", grader="unit_tests", evidence="execution")
    index, reason = next((index, reason) for index, (right, reason) in enumerate(results) if not right)
    if expected[index] is not None:
        reason = f"case {index + 1} of {len(results)}: {reason}"
    score = passed / len(results) if partial_credit else 0.0
    return Grade(score, reason, grader="unit_tests", evidence="execution")


def _result(outcome: Outcome, stdout: str | None) -> tuple[bool, str]:
    """Whether the program passed, and the reason. stdout: the expected output, if that is the test."""
    if stdout is None:
        return outcome.passed is True, outcome.reason
    if not outcome.finished:
        return False, outcome.reason
    actual, expected = _lines(outcome.stdout), _lines(stdout)
    if actual == expected:
        return True, "prints the expected output"
    return False, f"prints {' '.join(actual)[:MAX_CHARS_SHOWN]!r}, not {' '.join(expected)[:MAX_CHARS_SHOWN]!r}"


def _lines(text: str) -> list[str]:
    """The lines without trailing spaces and without empty lines at the end."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="unit_tests", evidence="execution", failed=True)
