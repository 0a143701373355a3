"""The verdict: the tests are run on what the program at the other end defines, and a pass is something that they say.

That nothing was heard against a program is no verdict. Its tests have to come to their end, with asserts that were
reached, of a program that was asked and was there to the last.
"""

from __future__ import annotations

import builtins
import sys
import unittest
from typing import Any

from selfsown.sandbox import test_collection
from selfsown.sandbox.protocol import Line
from selfsown.sandbox.test_script import Script
from selfsown.sandbox.test_side import Far, Program, Stopped


class Verdict(Exception):
    """Why the tests did not pass; broken: it is not the program's fault."""

    def __init__(self, reason: str, *, broken: bool = False) -> None:
        super().__init__(reason)
        self.broken = broken


def judged(line: Line, tests: str, entry: str) -> dict[str, str]:
    """Run the tests on what the program at the other end defines: the verdict ("passed", "failed", "broken", or "lost"
    where the program left its tests), and in words the reason."""
    program = Program(line)
    try:
        _run(program, tests, entry)
    except Verdict as verdict:
        found = {"verdict": "broken" if verdict.broken else "failed", "reason": str(verdict)}
    except BaseException as error:  # tests may raise whatever they like
        found = {"verdict": "broken" if _lacks(error) else "failed", "reason": _told(error, tests)}
    else:
        found = {"verdict": "passed", "reason": "passes its tests"}
    return {"verdict": "lost" if program.gone else "failed", "reason": program.lost} if program.lost else found


def _run(program: Program, text: str, entry: str) -> None:
    """Nothing where the tests ran, could fail, and did not; else Verdict, or whatever the tests raise."""
    try:
        tests = Script(text, entry)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Verdict(f"the tests are no Python: {error}", broken=True) from error
    if tests.unfit:
        raise Verdict(f"the tests test nothing: {tests.unfit}", broken=True)
    seen = _Seen()
    names: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins, "next": _next} | seen.hooks()
    given = program.defines(sorted(tests.names() | {entry} - {""}))
    if program.failure:
        raise Verdict(program.failure)
    target = given.get(entry)
    if entry and not callable(target):
        raise Verdict(f"{entry!r} is no function of its" if entry in given else f"it defines no {entry!r}")
    names |= given | ({"candidate": target} if entry else {})
    unittest.main = lambda *_, **__: None  # type: ignore[assignment]  # they run below, all of them
    try:
        _execute(tests, names, seen, target)
    except test_collection.Skipped as error:
        raise Verdict(f"the tests test nothing: they skip themselves: {error}", broken=True) from error
    if seen.failed:
        raise Verdict(f"fails, and its tests go on, at: {_shown(tests.lines, seen.failed)}")
    plain = {name for name, each in given.items() if not isinstance(each, Far)}
    if not program.asked and not plain & (tests.free | {entry}):
        raise Verdict("the tests test nothing: they ask nothing of the program", broken=True)
    if not seen.asserts and tests.asserts_alone:
        raise Verdict("none of its tests' asserts is reached")


def _execute(tests: Script, names: dict[str, Any], seen: _Seen, target: Any) -> None:
    """The tests themselves, and what they leave for others to call."""
    try:
        exec(tests.code, names)
    except SystemExit as error:  # the tests' own: a program's is no SystemExit here
        if error.code is not None and not (isinstance(error.code, int) and error.code == 0):
            raise
    check = names.get("check")
    calls = callable(check) and not isinstance(check, Far) and target is not None
    if calls and test_collection.finished(names["check"](target)) is False:
        raise Verdict("fails: check gives False")
    test_collection.run(names, seen.entered)
    if tests.examples and (wrong := test_collection.examples(tests.examples, names)):
        raise Verdict(f"fails: {wrong}")


class _Seen:
    """What the tests have done so far, as they say themselves."""

    def __init__(self) -> None:
        self.asserts, self.failed = 0, 0
        self.entered = set[str]()

    def hooks(self) -> dict[str, Any]:
        return {"__checked__": self._checked, "__caught__": _caught, "__entered__": self.entered.add}

    def _checked(self, value: Any, line: int) -> bool:
        self.asserts += 1
        if value:
            return True
        self.failed = self.failed or line
        return False


def _caught(kinds: Any) -> Any:
    """What `except` of the tests catches: with StopIteration the program's as well."""
    each = kinds if isinstance(kinds, tuple) else (kinds,)
    return (*each, Stopped) if StopIteration in each or StopAsyncIteration in each else kinds


def _next(values: Any, *default: Any) -> Any:
    """The built-in `next`, whose StopIteration no loop takes for its own end, but in an iterator's __next__."""
    try:
        return next(values, *default)
    except StopIteration as error:
        if sys._getframe(1).f_code.co_name == "__next__":
            raise
        raise type("StopIteration", (Stopped,), {})(*error.args) from error


def _lacks(error: BaseException) -> bool:
    """Whether the tests themselves import what is not here."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    ours = at is not None and at.tb_frame.f_code.co_filename == "<tests>"
    return ours and isinstance(error, ModuleNotFoundError)


def _told(error: BaseException, tests: str) -> str:
    """The exception and the line of the tests at which it came up."""
    at, line = error.__traceback__, 0
    while at:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == "<tests>" else line
        at = at.tb_next
    try:
        words = " ".join(str(error).split())[:200]
    except BaseException:  # the program may be asked for them
        words = ""
    said = "fails" if isinstance(error, AssertionError) else f"raises {type(error).__name__}"
    return f"{said}{': ' * bool(words)}{words} at: {_shown(tests.splitlines(), line)}"


def _shown(lines: list[str], line: int) -> str:
    return " ".join(lines[line - 1].split())[:200] if 0 < line <= len(lines) else "its end"
