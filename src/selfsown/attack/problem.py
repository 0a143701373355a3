"""A real row with a known answer as a problem to attack: the form of its answer, the right answer and wrong ones."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from selfsown.records import Row
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY
from selfsown.text.final_answer import stated_answer
from selfsown.text.normalize import extract_python, normal
from selfsown.text.numbers import parse_quantity, plain

Form = Literal["number", "text", "json", "code", "open", "constraints"]

MAX_TEXT_CHARS = 80  # of an answer that is compared as a whole; a longer one, or one of several lines, is open
MAX_DIGITS = 15  # of a number that probes are made of
_ASSERTED = re.compile(r"assert\s+(?:\w+\()*([A-Za-z_]\w*)\(")
_PERCENT = re.compile(r"per\s?cent|%", re.IGNORECASE)


@dataclass(frozen=True)
class CodeKeys:
    """Where a grader of programs reads its tests: metadata fields, and whether an answer continues its prompt."""

    tests: str = "tests"
    entry_point: str = ""
    continues_prompt: bool = False


@dataclass(frozen=True)
class Problem:
    """A row with what probes are made of.

    right: the short right answer. wrong: another value of the same form, which is not right. others: right answers of
    other rows. value: the number, if it is one. function: the name of the function that tests call; "" without tests.
    """

    row: Row
    form: Form
    right: str
    wrong: str
    others: Sequence[str] = ()
    value: Fraction | None = None
    function: str = ""
    tests: str = ""
    keys: CodeKeys = field(default_factory=CodeKeys)

    @property
    def asks_percent(self) -> bool:
        """Whether the prompt asks for a percentage, to which 18 % may be a right 18."""
        return bool(_PERCENT.search(self.row.prompt))

    @property
    def integer(self) -> int | None:
        return int(self.value) if self.value is not None and self.value.denominator == 1 else None


def problems(rows: Sequence[Row], keys: CodeKeys, seed: int) -> list[Problem]:
    """The rows as problems, those of one answer form beside each other's wrong answers."""
    known = [_problem(row, keys) for row in rows]
    rng = random.Random(seed)
    return [_with_wrong(problem, known, rng) for problem in known]


def _problem(row: Row, keys: CodeKeys) -> Problem:
    tests = row.metadata.get(keys.tests, "")
    if tests.strip():
        return Problem(row, "code", row.target, "", function=_function(row, tests, keys), tests=tests, keys=keys)
    if CONSTRAINTS_KEY in row.metadata:
        return Problem(row, "constraints", row.answer, "")
    right = plain(stated_answer(row.target))
    quantity = parse_quantity(right)
    number = re.search(r"-?\d[\d.,/]*", right)
    if quantity and number and not quantity.percent and len(right) <= MAX_DIGITS:
        shown = row.target.strip() if re.fullmatch(r"-?[\d.]+", row.target.strip()) else _decimal(quantity.value, right)
        return Problem(row, "number", shown, "", value=quantity.value)
    if _is_json(row.target):
        return Problem(row, "json", row.target.strip(), "")
    short = row.target.strip()
    form: Form = "text" if short and len(short) <= MAX_TEXT_CHARS and "\n" not in short else "open"
    return Problem(row, form, short, "")


def _decimal(value: Fraction, written: str) -> str:
    """An integer or a decimal as digits; a fraction as it is written."""
    if value.denominator == 1:
        return str(value.numerator)
    return str(float(value)) if Fraction(str(float(value))) == value else written


def _function(row: Row, tests: str, keys: CodeKeys) -> str:
    """The name of the function under test: the entry point, or the first one that an assert calls."""
    if keys.entry_point and row.metadata.get(keys.entry_point):
        return row.metadata[keys.entry_point]
    called = [name for name in _ASSERTED.findall(tests) if re.search(rf"\b{name}\b", row.target or name)]
    return called[0] if called else ""


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _with_wrong(problem: Problem, known: Sequence[Problem], rng: random.Random) -> Problem:
    """The problem with a wrong answer: the next number, another row's answer, or a changed program or JSON."""
    others = [
        other.right for other in known if other.form == problem.form and normal(other.right) != normal(problem.right)
    ]
    rng.shuffle(others)
    if problem.value is not None:
        value = problem.value + 1
        wrong = str(value.numerator) if value.denominator == 1 else str(float(value))
    else:
        wrong = next((other for other in others if normal(problem.right) not in normal(other)), "")
    return replace(problem, wrong=wrong, others=tuple(dict.fromkeys(others)))


def first_asserts(tests: str) -> list[tuple[str, str]]:
    """The call and the expected value of each assert `f(…) == literal`, as source."""
    comparisons = []
    try:
        statements = [node for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Assert)]
    except (SyntaxError, ValueError):
        return []
    for node in statements:
        test = node.test
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and isinstance(test.left, ast.Call):
            comparisons.append((ast.unparse(test.left), ast.unparse(test.comparators[0])))
    return comparisons


def stdin_cases(tests: str) -> list[Mapping[str, str]]:
    """Test cases of standard input and output; [] if the tests are Python."""
    try:
        cases = json.loads(tests)
    except (ValueError, RecursionError):
        return []
    if not isinstance(cases, list):
        return []
    return [case for case in cases if isinstance(case, dict) and isinstance(case.get("stdout"), str)]


def reference(problem: Problem) -> str:
    """The program of the known answer; "" where the row has none."""
    return extract_python(problem.row.target) if problem.row.target else ""
