"""Tests that are defined and left for others to run: unittest's classes, pytest's functions and classes, doctests.

Without this they would not run here, and whatever does not run does not fail.
"""

from __future__ import annotations

import asyncio
import inspect
import types
import unittest
from typing import Any


class Skipped(Exception):
    """The tests decided not to run."""


def run(names: dict[str, Any], entered: set[str]) -> int:
    """Run what stands under these names and has not run yet (entered: what has); how many tests there were.
    Whatever they raise comes through."""
    count = 0
    for name, value in list(names.items()):
        if isinstance(value, type) and value.__module__ == names["__name__"]:
            count += _case(value) if issubclass(value, unittest.TestCase) else _plain(name, value)
        elif name.startswith("test") and name not in entered and _free(value):
            finished(value())
            count += 1
    return count


def finished(value: Any) -> Any:
    """What an asynchronous function or a generator comes to, for calling it runs nothing of it."""
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    return list(value) if isinstance(value, types.GeneratorType) else value


def examples(text: str, names: dict[str, Any]) -> str:
    """The first of the doctests in the text that shows something else, as a reason; "" if there is none."""
    import doctest  # takes a while

    said = list[str]()
    test = doctest.DocTestParser().get_doctest(text, names, "tests", None, 0)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    failed = runner.run(test, out=said.append, clear_globs=False).failed
    words = " ".join("".join(said).split())
    return words[max(0, words.find("Failed example:")) :][:200] or "a doctest" if failed else ""


def _case(kind: type[unittest.TestCase]) -> int:
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(kind)
    count = suite.countTestCases()
    try:
        suite.debug()
    except unittest.SkipTest as error:
        raise Skipped(str(error)) from error
    return count


def _plain(name: str, kind: type) -> int:
    """A class as pytest collects it."""
    tests = [each for each in vars(kind) if each.startswith("test") and inspect.isfunction(getattr(kind, each))]
    for each in tests if name.startswith("Test") else ():
        case = kind()
        getattr(case, "setup_method", lambda: None)()
        finished(getattr(case, each)())
        getattr(case, "teardown_method", lambda: None)()
    return len(tests) if name.startswith("Test") else 0


def _free(value: Any) -> bool:
    """A function that takes nothing."""
    if not isinstance(value, types.FunctionType) or value.__code__.co_filename != "<tests>":
        return False
    needed = value.__code__.co_argcount - len(value.__defaults__ or ())
    return not needed and value.__code__.co_kwonlyargcount == len(value.__kwdefaults__ or {})
