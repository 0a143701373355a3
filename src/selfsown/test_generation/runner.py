"""What the sandbox runs to derive tests: the known answer on its own tests, and programs on further inputs.

The source of this file is the program, so it uses the standard library alone. A request arrives as JSON on the standard
input; results leave as lines of JSON.
"""

from __future__ import annotations

import ast
import copy
import inspect
import io
import json
import random
import sys
import time
import unittest
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

CALL_STEPS = 5_000  # lines that the known answer may run in one call
SLOWER, MORE = 4, 500  # another program may run so many times the loops, and so many more
CALL_SECONDS = 0.1  # of CPU time, far above the steps: a few steps may make numbers of millions of digits
MAX_NOTICED = 12  # inputs by which a wrong program is noticed: enough to choose from
FILE = "<candidate>"


class StepsExceeded(BaseException):
    """A call ran too many lines or loops, or too long."""


class Trace:
    """Counts the lines that a program runs, and ends it at a limit: a bound on its time that does not depend on the
    machine."""

    def __init__(self) -> None:
        self.steps = 0
        self.deadline = time.process_time() + CALL_SECONDS
        self.lines: dict[int, int] = {}

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self.line if frame.f_code.co_filename == FILE else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self.steps += 1
            self.lines[frame.f_lineno] = self.lines.get(frame.f_lineno, 0) + 1
            if self.steps > CALL_STEPS or time.process_time() > self.deadline:
                raise StepsExceeded
        return self.line

    def path(self) -> int:
        """Equal for calls that run the same lines about as often."""
        return hash(tuple(sorted((number, count.bit_length()) for number, count in self.lines.items())))


class Ticks(ast.NodeTransformer):
    """Counts loops and calls by code that is inserted: tracing would take ten times as long."""

    def __init__(self) -> None:
        self.start(0)

    def start(self, limit: int) -> None:
        """Begin a call that may run so many loops and calls."""
        self.left, self.used = limit, 0
        self.deadline = time.process_time() + CALL_SECONDS

    def tick(self) -> bool:
        self.used += 1
        self.left -= 1
        if self.left < 0 or time.process_time() > self.deadline:
            raise StepsExceeded
        return True

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        call = ast.Call(ast.Name("__tick__", ast.Load()), [], [])
        if isinstance(node, ast.For | ast.While | ast.FunctionDef):
            node.body.insert(0, ast.Expr(call))
        elif isinstance(node, ast.comprehension):
            node.ifs.insert(0, call)
        return node

    def load(self, program: str) -> dict[str, Any]:
        """What a program defines."""
        self.start(100_000)
        tree = ast.parse(program)
        self.visit(tree)
        ast.fix_missing_locations(tree)
        return load(compile(tree, FILE, "exec", dont_inherit=True), {"__tick__": self.tick})


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two plain values are equal, floats within the tolerance: relative, and absolute below 1."""
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        return numbers and (one == other or abs(one - other) <= tolerance * max(1.0, abs(one), abs(other)))
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(same(*pair, tolerance) for pair in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], tolerance) for key in one)
    return bool(one == other)


def plain(value: Any) -> str:
    """The literal of a value; "" for one that has none, or a long one."""
    try:
        text = repr(value)
        return text if len(text) < 2000 and repr(ast.literal_eval(text)) == text else ""
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return ""


def load(code: CodeType, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a program defines."""
    names: dict[str, Any] = {"__name__": "program"} | (extra or {})
    exec(code, names)
    return names


def copied(arguments: list[Any]) -> list[Any]:
    """The arguments, of which a function may change its own copy."""
    return [value if isinstance(value, int | float | str) else copy.deepcopy(value) for value in arguments]


def traced(function: Callable[..., Any], arguments: list[Any]) -> tuple[Any, Trace]:
    """What a call returns, and its trace. Raises what the function raises, or StepsExceeded."""
    trace = Trace()
    sys.settrace(trace.enter)
    try:
        return function(*arguments), trace
    finally:
        sys.settrace(None)


def recorded(program: str, function: str, tests: str) -> Iterator[list[str]]:
    """The arguments and the result, as literals, of the calls that the tests make of a function."""
    names = load(compile(program, FILE, "exec", dont_inherit=True))
    calls: list[list[str]] = []

    def record(*values: Any, **keywords: Any) -> Any:
        bound = inspect.signature(inner).bind(*values, **keywords)
        arguments = "" if bound.kwargs else plain(list(bound.args))
        result = inner(*values, **keywords)
        calls.append([arguments, plain(result)])
        return result

    inner = names[function]
    scope = {**names, function: record, "candidate": record}  # a function that calls itself is not recorded
    random.seed(0)
    try:
        exec(compile(tests, "<tests>", "exec"), scope)
        if callable(scope.get("check")):
            scope["check"](record)
        for name, value in list(scope.items()):
            if isinstance(value, type) and issubclass(value, unittest.TestCase):
                unittest.defaultTestLoader.loadTestsFromTestCase(value).debug()
            elif name.startswith("test") and callable(value):
                value()
    except Exception:
        pass  # what was called so far counts
    return ([arguments, result] for arguments, result in calls[:500] if arguments and result)


def reference_results(program: str, function: str, calls: list[Any], budget: int) -> list[Any]:
    """For each call, what the known answer returns as a literal, its loops and its path; None where it raises, runs too
    many lines, or returns no plain value or another one in the second of two rounds, which is in reverse order."""
    first, ticks = load(compile(program, FILE, "exec", dont_inherit=True))[function], Ticks()
    second = ticks.load(program)[function]
    results: list[Any] = [None] * len(calls)
    for index, arguments in enumerate(calls):
        random.seed(0)
        if budget > 0:
            try:
                value, trace = traced(first, copied(arguments))
                results[index] = [plain(value), 0, trace.path()]
                budget -= trace.steps
            except (Exception, StepsExceeded):
                budget -= CALL_STEPS // 10
    for index in reversed(range(len(calls))):
        if results[index]:
            random.seed(1)
            ticks.start(CALL_STEPS)
            try:
                again = plain(second(*copied(calls[index])))
            except (Exception, StepsExceeded):
                again = ""
            results[index] = [again, ticks.used, results[index][2]] if again == results[index][0] != "" else None
    return results


def distinguished(
    program: str, function: str, calls: list[Any], expected: list[tuple[int, Any, int]], tolerance: float
) -> list[int]:
    """The numbers of the calls for which a program does not return what is expected: (number, value, loops)."""
    ticks = Ticks()
    try:
        target = ticks.load(program)[function]
    except (Exception, StepsExceeded):
        return [index for index, _, _ in expected]
    noticed: list[int] = []
    for index, value, loops in expected:
        ticks.start(SLOWER * loops + MORE)
        random.seed(0)
        try:
            equal = same(target(*copied(calls[index])), value, tolerance)
        except (Exception, StepsExceeded):
            equal = False
        if not equal:
            noticed.append(index)
            if len(noticed) == MAX_NOTICED or time.process_time() > ticks.deadline:
                break
    return noticed


def main() -> None:
    """Answer the request on the standard input."""
    request, output = json.load(sys.stdin), sys.stdout
    sys.stdout, sys.stdin = io.StringIO(), io.StringIO()
    sys.setrecursionlimit(2000)

    def send(result: Any) -> None:
        output.write(json.dumps(result) + "\n")
        output.flush()

    if "tests" in request:
        send(list(recorded(request["program"], request["function"], request["tests"])))
        return
    calls = [ast.literal_eval(text) for text in request["calls"]]
    results = reference_results(request["program"], request["function"], calls, request["budget"])
    send(results)
    expected = [
        (index, ast.literal_eval(result[0]), result[1]) for index, result in enumerate(results) if result is not None
    ]
    for program in request["others"]:
        send(distinguished(program, request["function"], calls, expected, request["tolerance"]))


if __name__ == "__main__":
    main()
