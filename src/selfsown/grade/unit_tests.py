"""A program is right if it passes its tests, in a sandbox without network, files and environment variables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from selfsown.option_types import Count, Natural, Positive
from selfsown.records import Grade, Row
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.test_generation.derivation import Problem
from selfsown.test_generation.known import derived_tests
from selfsown.text.normalize import extract_python

MAX_CHARS_SHOWN = 60  # of a program's output

Plan = list[tuple[Job, str | None]]  # what to run, with the expected output of a test case


@dataclass(frozen=True)
class _Limits:
    """Of each program: CPU seconds, MB; unsafe: no isolation."""

    cpu_seconds: float
    memory_mb: int
    unsafe: bool

    def sandbox(self) -> Sandbox:
        return Sandbox(cpu_seconds=self.cpu_seconds, memory_mb=self.memory_mb, unsafe=self.unsafe)


def grade(
    rows: Sequence[Row],
    *,
    tests: str = "tests",
    entry_point: str = "",
    answer_continues_prompt: bool = False,
    partial_credit: bool = False,
    more_tests: Natural = 0,
    cpu_seconds: Positive = 3.0,
    memory_mb: Count = 512,
    unsafe: bool = False,
) -> Iterator[Grade]:
    """tests: metadata field with the tests: asserts, or JSON test cases: [{"stdin": …, "stdout": …}, …].
    entry_point: metadata field with the name of the function that the tests call `candidate` or pass to `check`.
    answer_continues_prompt: the program is the prompt followed by the answer.
    partial_credit: the score is the share of test cases that passed, instead of 0 if one failed.
    more_tests: for a row with asserts and a known answer, up to so many more asserts, with inputs varied from its own
    and the results of the known answer; 30 is a good number. A program that passes its tests must pass these, too.
    cpu_seconds, memory_mb: limits of each program.
    unsafe: run without a sandbox; only on a disposable machine.
    """
    limits = _Limits(cpu_seconds, memory_mb, unsafe)
    plans = [_jobs(row, tests, entry_point, answer_continues_prompt) for row in rows]
    grades = _by_own_tests(plans, partial_credit, limits)
    if more_tests:
        programs = [plan if isinstance(plan, str) else plan[0][0] for plan in plans]
        problems = [
            _problem_to_solve(row, program, answer_continues_prompt)
            for row, program in zip(rows, programs, strict=True)
        ]
        grades = _by_more_tests(list(grades), programs, problems, more_tests, limits)
    yield from grades


def _by_own_tests(plans: Sequence[Plan | str], partial_credit: bool, limits: _Limits) -> Iterator[Grade]:
    jobs = [job for plan in plans if not isinstance(plan, str) for job, _ in plan]
    if not jobs:
        yield from (_failed(str(plan)) for plan in plans)
        return
    with limits.sandbox() as sandbox:
        outcomes = sandbox.run_all(jobs)
        for plan in plans:
            if isinstance(plan, str):
                yield _failed(plan)
            else:
                expected = [stdout for _, stdout in plan]
                yield _grade(list(islice(outcomes, len(plan))), expected, partial_credit)


def _by_more_tests(
    grades: Sequence[Grade],
    jobs: Sequence[Job | str],
    problems: Sequence[Problem | None],
    count: int,
    limits: _Limits,
) -> Iterator[Grade]:
    """The grades, where a program that passed its own tests has to pass further ones as well."""
    passed = {index for index, grade in enumerate(grades) if grade.score == 1}
    to_solve = {index: problem for index, problem in enumerate(problems) if problem and index in passed}
    derived = derived_tests(to_solve.values(), count, memory_mb=limits.memory_mb, unsafe=limits.unsafe)
    further = {index: derived[problem] for index, problem in to_solve.items() if derived[problem].tests}
    again = {
        index: Job(job.program, tests=more.tests, entry_point=more.function)
        for index, more in further.items()
        if isinstance(job := jobs[index], Job)
    }
    outcomes: dict[int, Outcome] = {}
    if again:
        with limits.sandbox() as sandbox:
            outcomes = dict(zip(again, sandbox.run_all(again.values()), strict=True))
    for index, grade in enumerate(grades):
        outcome = outcomes.get(index)
        if not outcome:
            yield grade
        elif outcome.passed:
            reason = f"passes its tests and {further[index].count} more"
            yield replace(grade, reason=reason)
        else:
            yield replace(grade, score=0.0, reason=f"passes its own tests, not further ones: {outcome.reason}")


def _problem_to_solve(row: Row, job: Job | str, continues_prompt: bool) -> Problem | None:
    """What further tests are derived from; None for a row without asserts or without a known answer."""
    if isinstance(job, str) or not job.tests or not row.target.strip():
        return None
    known = (row.prompt if continues_prompt else "") + extract_python(row.target)
    return Problem(known, job.tests, job.entry_point, row.prompt)


def _jobs(row: Row, tests_key: str, entry_point_key: str, continues_prompt: bool) -> Plan | str:
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
