"""Tests that are defined for a test runner to call: unittest classes, pytest functions and classes, doctests.

Without this they would not run here, and tests that do not run cannot fail.
"""

from __future__ import annotations

import asyncio
import inspect
import types
import unittest
from typing import TypeGuard


class TestsSkipped(Exception):
    """The tests skipped themselves."""


def run(names: dict[str, object], called: set[str]) -> int:
    """Run the tests among these names that were not called yet; the number of tests. What they raise is not caught."""
    count = 0
    for name, value in list(names.items()):
        if isinstance(value, type) and value.__module__ == names["__name__"]:
            count += _run_case(value) if issubclass(value, unittest.TestCase) else _run_class(name, value)
        elif name.startswith("test") and name not in called and _takes_nothing(value):
            complete(value())
            count += 1
    return count


def complete(value: object) -> object:
    """The result of an asynchronous function or a generator, run to its end: a call alone runs nothing of it."""
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    return list(value) if isinstance(value, types.GeneratorType) else value


def first_failed_example(text: str, names: dict[str, object]) -> str:
    """Of the doctests in the text, the report of the first that fails, as a reason; "" if all pass."""
    import doctest  # slow to import

    output = list[str]()
    test = doctest.DocTestParser().get_doctest(text, names, "tests", None, 0)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    if not runner.run(test, out=output.append, clear_globs=False).failed:
        return ""
    words = " ".join("".join(output).split())
    return words[max(0, words.find("Failed example:")) :][:200] or "a doctest"


def _run_case(kind: type[unittest.TestCase]) -> int:
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(kind)
    count = suite.countTestCases()
    try:
        suite.debug()
    except unittest.SkipTest as error:
        raise TestsSkipped(str(error)) from error
    return count


def _run_class(name: str, kind: type) -> int:
    """Run a class as pytest does."""
    if not name.startswith("Test"):
        return 0
    methods = [
        method for method in vars(kind) if method.startswith("test") and inspect.isfunction(getattr(kind, method))
    ]
    for method in methods:
        instance = kind()
        getattr(instance, "setup_method", lambda: None)()
        complete(getattr(instance, method)())
        getattr(instance, "teardown_method", lambda: None)()
    return len(methods)


def _takes_nothing(function: object) -> TypeGuard[types.FunctionType]:
    """Whether it is a function of the tests that can be called without arguments."""
    if not isinstance(function, types.FunctionType) or function.__code__.co_filename != "<tests>":
        return False
    required = function.__code__.co_argcount - len(function.__defaults__ or ())
    return not required and function.__code__.co_kwonlyargcount == len(function.__kwdefaults__ or {})
