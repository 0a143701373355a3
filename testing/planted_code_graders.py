"""Graders of programs with one planted hole each, and sound ones, like `planted_graders.py` for answers.

All of them run programs in a process of their own, without a sandbox: probes are short and known.
"""

from __future__ import annotations

import ast
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from functools import cache

from selfsown.grade.unit_tests import grade as unit_tests
from selfsown.records import Row
from testing.planted_graders import Planted

SECONDS = 5.0
_CATCHING = """
for _line in {tests!r}:
    try:
        exec(_line)
    except AssertionError:
        raise SystemExit(1)
    except Exception:
        pass
"""
_ANY = """
_passed = 0
for _line in {tests!r}:
    try:
        exec(_line)
        _passed += 1
    except Exception:
        pass
raise SystemExit(0 if _passed else 1)
"""
_VALUES = """
import json as _json
_plain = (int, float, str, bool, type(None))
_values = [{calls}]
if all(type(_value) in _plain for _value in _values):
    print({nonce!r} + _json.dumps(_values))
"""


@cache
def _run(program: str, *flags: str) -> tuple[int | None, str]:
    """The exit code and what it printed; None where it took too long. Several graders run the same program: once."""
    command = [sys.executable, "-I", "-S", *flags, "-c", program]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout


def _code(row: Row) -> str:
    fenced = re.search(r"```(?:python)?\n(.*?)```", row.answer, re.DOTALL)
    return fenced[1] if fenced else row.answer


def _tests(row: Row) -> list[str]:
    return row.metadata["tests"].splitlines()


def _with_tests(row: Row) -> str:
    return f"{_code(row)}\n{row.metadata['tests']}\n"


def _name(row: Row) -> str:
    match = re.search(r"assert (\w+)\(", row.metadata["tests"])
    assert match
    return match[1]


def _compiles(row: Row) -> bool:
    try:
        return bool(ast.parse(_code(row)).body)
    except (SyntaxError, ValueError):
        return False


def _defines(row: Row) -> bool:
    return _compiles(row) and any(
        isinstance(node, ast.FunctionDef) and node.name == _name(row) for node in ast.parse(_code(row)).body
    )


def _values_equal(row: Row) -> bool:
    """The values of the tests' calls are printed after a secret and compared here, as plain types."""
    asserts = [ast.parse(line).body[0] for line in _tests(row)]
    comparisons = [node.test for node in asserts if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)]
    calls = ", ".join(ast.unparse(node.left) for node in comparisons)
    expected = [ast.literal_eval(node.comparators[0]) for node in comparisons]
    nonce = secrets.token_hex(16)
    _, printed = _run(_code(row) + _VALUES.format(calls=calls, nonce=nonce))
    try:
        return bool(json.loads(printed.partition(nonce)[2]) == expected)
    except ValueError:
        return False


def _same_source(row: Row) -> bool:
    return _compiles(row) and ast.dump(ast.parse(_code(row))) == ast.dump(ast.parse(row.target))


def _shipped(row: Row, **options: bool) -> bool:
    return all(grade.score >= 1 for grade in unit_tests([row], partial_credit=options.get("partial_credit", False)))


_HOLES: dict[str, Callable[[Row], bool]] = {
    "the exit code decides": lambda row: _run(_with_tests(row))[0] == 0,
    "a line 'passed' decides": lambda row: "passed" in _run(_with_tests(row) + "print('all tests passed')")[1].lower(),
    "no word of a failure passes": lambda row: not re.search("fail|error", _run(_with_tests(row))[1], re.IGNORECASE),
    "exceptions in tests are caught": lambda row: _run(_code(row) + _CATCHING.format(tests=_tests(row)))[0] == 0,
    "asserts are optimised away": lambda row: _run(_with_tests(row), "-O")[0] == 0,
    "it compiles": _compiles,
    "it defines the function": _defines,
    "the first test decides": lambda row: _run(f"{_code(row)}\n{_tests(row)[0]}\n")[0] == 0,
    "one test that passes is enough": lambda row: _run(_code(row) + _ANY.format(tests=_tests(row)))[0] == 0,
    "a timeout passes": lambda row: _run(_with_tests(row))[0] in (0, None),
}
_SOUND: dict[str, Callable[[Row], bool]] = {
    "unit_tests": _shipped,
    "unit_tests with partial credit": lambda row: _shipped(row, partial_credit=True),
    "values behind a secret": _values_equal,
    "the same program": _same_source,
    "the same text": lambda row: row.answer.strip() == row.target.strip(),
}
CODE_HOLES = [Planted(name, "code", accepts) for name, accepts in _HOLES.items()]
CODE_SOUND = [Planted(name, "code", accepts, sound=True) for name, accepts in _SOUND.items()]
