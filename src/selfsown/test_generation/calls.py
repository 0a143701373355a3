"""The function that tests call, the calls of it that a text holds, and the constants of a program."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

Arguments = list[Any]  # plain values, by position

MAX_CALL_CHARS = 2_000
MAX_TEXT_CHARS = 30  # of a constant
DEFAULT_TOLERANCE = 1e-9  # of floats: right programs add in different orders
_TOLERANT = ("isclose", "approx", "assertAlmostEqual", "round", "abs")


def function_under_test(program: str, tests: str, entry_point: str) -> str:
    """The function of the program that the tests are about: the entry point, or the one that they call most often; ""
    where there is none. Raises SyntaxError if the program is not Python."""
    defined = {node.name for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)}
    if entry_point:
        return entry_point if entry_point in defined else ""
    called = Counter(name for name in re.findall(r"\b(\w+)\s*\(", tests) if name in defined)
    return called.most_common(1)[0][0] if called else ""


def calls_in(text: str, name: str) -> Iterator[Arguments]:
    """The arguments of the calls in a text, of which all arguments are literals: in code, and in examples in prose."""
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\(", text):
        closing = _closing_bracket(text, match.end())
        try:
            arguments = ast.literal_eval(f"[{text[match.end() : closing]}]")
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue  # not a call with literals
        yield arguments


def _closing_bracket(text: str, start: int) -> int:
    """Where the bracket that was opened before `start` closes; texts in quotes are skipped."""
    depth, quote, place = 1, "", start
    while place < min(len(text), start + MAX_CALL_CHARS):
        character = text[place]
        if character == "\\" and quote:
            place += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if not depth:
                return place
        place += 1
    return start


def constants(program: str) -> list[Any]:
    """The numbers and short texts in a program, without docstrings, none twice."""
    values: dict[str, Any] = {}
    tree = ast.parse(program)
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in statements:
            value = node.value
            if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= MAX_TEXT_CHARS):
                values.setdefault(repr(value), value)
    return list(values.values())


def tolerance(tests: str) -> float:
    """The largest tolerance that tests grant to floats, where they compare with one; otherwise the default."""
    try:
        nodes = list(ast.walk(ast.parse(tests)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return DEFAULT_TOLERANCE
    called = {getattr(node.func, "id", getattr(node.func, "attr", "")) for node in nodes if isinstance(node, ast.Call)}
    if not called & set(_TOLERANT):
        return DEFAULT_TOLERANCE
    small = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    return max((value for value in small if 0 < value <= 0.01), default=1e-6)
