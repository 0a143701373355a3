"""The verdict: the tests are run on what the program at the other end defines, and a pass must be reported by them.

No complaint about a program is not a verdict. Its tests must run to their end, reach their asserts, and make requests
of a program that is there to the last.
"""

from __future__ import annotations

import builtins
import sys
import unittest
from typing import Any

from selfsown.sandbox import test_collection
from selfsown.sandbox.protocol import MessageChannel, TestVerdict
from selfsown.sandbox.test_script import ParsedTests
from selfsown.sandbox.test_side import ProgramStopIteration, RemoteObject, RemoteProgram

MAX_REASON_CHARS = 200  # of a message or a line of code


class TestsFailed(Exception):
    """Why the tests did not pass; invalid: the tests are at fault, not the program."""

    def __init__(self, reason: str, *, invalid: bool = False) -> None:
        super().__init__(reason)
        self.invalid = invalid


def judge(channel: MessageChannel, tests: str, entry_point: str) -> TestVerdict:
    """Run the tests on what the program at the other end defines."""
    program = RemoteProgram(channel)
    try:
        _run(program, tests, entry_point)
    except TestsFailed as failure:
        verdict = TestVerdict(verdict="invalid" if failure.invalid else "failed", reason=str(failure))
    except BaseException as error:  # tests may raise anything
        invalid = _is_missing_import(error)
        verdict = TestVerdict(verdict="invalid" if invalid else "failed", reason=_describe(error, tests))
    else:
        verdict = TestVerdict(verdict="passed", reason="passes its tests")
    if program.lost:
        return TestVerdict(verdict="lost" if program.gone else "failed", reason=program.lost)
    return verdict


def _run(program: RemoteProgram, text: str, entry_point: str) -> None:
    """Returns if the tests ran, could have failed, and did not. Else raises TestsFailed, or what the tests raise."""
    try:
        tests = ParsedTests(text, entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TestsFailed(f"the tests are not valid Python: {error}", invalid=True) from error
    if tests.defect:
        raise TestsFailed(f"the tests test nothing: {tests.defect}", invalid=True)
    progress = _Progress()
    names: dict[str, object] = {"__name__": "tests", "__builtins__": builtins, "next": _next} | progress.hooks()
    defined = program.definitions(sorted(tests.names() | {entry_point} - {""}))
    if program.failure:
        raise TestsFailed(program.failure)
    target = defined.get(entry_point)
    if entry_point and not callable(target):
        is_defined = entry_point in defined
        raise TestsFailed(f"{entry_point!r} is not a function" if is_defined else f"it does not define {entry_point!r}")
    names |= defined | ({"candidate": target} if entry_point else {})
    unittest.main = lambda *_, **__: None  # type: ignore[assignment]  # all of its tests are run below
    try:
        _execute(tests, names, progress, target)
    except test_collection.TestsSkipped as error:
        raise TestsFailed(f"the tests test nothing: they skip themselves: {error}", invalid=True) from error
    if progress.failed_line:
        raise TestsFailed(f"fails, and its tests continue, at: {_source_line(tests.lines, progress.failed_line)}")
    plain = {name for name, value in defined.items() if not isinstance(value, RemoteObject)}
    if not program.requests and not plain & (tests.undefined_names | {entry_point}):
        raise TestsFailed("the tests test nothing: they call nothing of the program", invalid=True)
    if not progress.asserts and tests.asserts_only:
        raise TestsFailed("none of its tests' asserts is reached")


def _execute(tests: ParsedTests, names: dict[str, Any], progress: _Progress, target: object) -> None:
    """Run the tests, and what they define for others to call."""
    try:
        exec(tests.code, names)
    except SystemExit as error:  # of the tests: a SystemExit of the program does not arrive as one
        if error.code is not None and not (isinstance(error.code, int) and error.code == 0):
            raise
    check = names.get("check")
    has_check = callable(check) and not isinstance(check, RemoteObject) and target is not None
    if has_check and test_collection.complete(names["check"](target)) is False:
        raise TestsFailed("fails: check returns False")
    test_collection.run(names, progress.called)
    if tests.examples and (report := test_collection.first_failed_example(tests.examples, names)):
        raise TestsFailed(f"fails: {report}")


class _Progress:
    """What the tests did so far, as their own code reports it: see test_script for the calls that are inserted."""

    def __init__(self) -> None:
        self.asserts = 0
        self.failed_line = 0  # of the first assert that failed, or 0
        self.called = set[str]()

    def hooks(self) -> dict[str, object]:
        return {"__checked__": self._check, "__caught__": _catch, "__entered__": self.called.add}

    def _check(self, value: object, line: int) -> bool:
        self.asserts += 1
        if value:
            return True
        self.failed_line = self.failed_line or line
        return False


def _catch(kinds: Any) -> Any:
    """What an `except` of the tests catches: with StopIteration also one that the program raised."""
    classes = kinds if isinstance(kinds, tuple) else (kinds,)
    catches_stop = StopIteration in classes or StopAsyncIteration in classes
    return (*classes, ProgramStopIteration) if catches_stop else kinds


def _next(values: Any, *default: object) -> object:
    """The built-in `next`, but its StopIteration ends no loop, except within an iterator's __next__."""
    try:
        return next(values, *default)
    except StopIteration as error:
        if sys._getframe(1).f_code.co_name == "__next__":
            raise
        raise type("StopIteration", (ProgramStopIteration,), {})(*error.args) from error


def _is_missing_import(error: BaseException) -> bool:
    """Whether the tests themselves import a module that is not available."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    in_tests = frame is not None and frame.tb_frame.f_code.co_filename == "<tests>"
    return in_tests and isinstance(error, ModuleNotFoundError)


def _describe(error: BaseException, tests: str) -> str:
    """The exception, and the line of the tests that it reached."""
    line = 0
    frame = error.__traceback__
    while frame:
        line = frame.tb_lineno if frame.tb_frame.f_code.co_filename == "<tests>" else line
        frame = frame.tb_next
    try:
        message = " ".join(str(error).split())[:MAX_REASON_CHARS]
    except BaseException:  # str() may make a request to the program
        message = ""
    what = "fails" if isinstance(error, AssertionError) else f"raises {type(error).__name__}"
    if message:
        what = f"{what}: {message}"
    return f"{what} at: {_source_line(tests.splitlines(), line)}"


def _source_line(lines: list[str], line: int) -> str:
    return " ".join(lines[line - 1].split())[:MAX_REASON_CHARS] if 0 < line <= len(lines) else "the end of the tests"
