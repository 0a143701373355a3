"""Further tests come from the known answer, stay within its domain, and are derived once for each problem."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from selfsown.attack.attack import attack_grader
from selfsown.attack.example_rows import example_rows
from selfsown.attack.subject import Subject
from selfsown.calibration.calibrate import calibrate
from selfsown.grade.unit_tests import grade
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.sandbox.sandbox import Sandbox
from selfsown.test_generation import known
from selfsown.test_generation.derivation import FurtherTests, Problem, further_tests

pytestmark = pytest.mark.usefixtures("walled")

PRIME = """def is_prime(n):
    if n < 2:
        return False
    for k in range(2, n - 1):
        if n % k == 0:
            return False
    return True
"""
TESTS = "assert is_prime(6) == False\nassert is_prime(101) == True\nassert is_prime(11) == True\nassert not is_prime(1)"
OTHER = "def is_prime(n):\n    return n > 1 and all(n % k for k in range(2, int(n ** 0.5) + 1))"
TABLE = "def is_prime(n):\n    return n in (11, 101)"
NOT_TWO = PRIME.replace("n < 2", "n < 3")


def derived(program: str, tests: str, count: int = 20, **more: str) -> FurtherTests:
    with Sandbox(cpu_seconds=10, workers=1) as sandbox:
        return further_tests(Problem(program, tests, **more), count, sandbox)


def row(answer: str, target: str = PRIME, tests: str = TESTS) -> Row:
    return Row("Whether n is prime.", answer, target=target, metadata={"tests": tests})


def test_what_its_own_tests_accept_wrongly_is_rejected_and_other_right_programs_are_not() -> None:
    rows = [row(PRIME), row(OTHER), row(TABLE), row(NOT_TWO), row("def is_prime(n): return True")]
    assert [own.score for own in grade(rows)] == [1, 1, 1, 1, 0]
    grades = list(grade(rows, more_tests=20))
    assert [more.score for more in grades] == [1, 1, 0, 0, 0]
    assert grades[0].reason.startswith("passes its tests and ")
    assert grades[3].reason == "passes its own tests, not further ones: fails at: assert is_prime(2) == True"
    assert grades[4].reason == "fails at: assert is_prime(6) == False"


def test_the_same_problem_has_the_same_tests() -> None:
    assert derived(PRIME, TESTS) == derived(PRIME, TESTS)
    assert derived(PRIME, TESTS).count <= 20
    assert derived(PRIME, TESTS, count=3).count == 3


def test_they_are_derived_once_for_each_problem(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def counted(problem: Problem, count: int, sandbox: Sandbox) -> FurtherTests:
        calls.append(problem)
        return further_tests(problem, count, sandbox)

    monkeypatch.setattr(known, "further_tests", counted)
    monkeypatch.setattr(known, "_known", {})
    rows = [row(PRIME), row(OTHER), row(NOT_TWO), row(TABLE, target="I do not know.")]
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            assert [more.score for more in grade(rows, more_tests=10)] == [1, 1, 0, 1]
    assert len(calls) == 2
    (note,) = [record.getMessage() for record in caplog.records if "further tests" in record.getMessage()]
    assert "1 problems have further tests" in note
    assert note.endswith("; 1 without: the known answer is no Python")


def test_a_row_without_a_known_answer_or_asserts_is_graded_by_its_own_tests() -> None:
    cases = '[{"stdin": "2", "stdout": "4"}]'
    echo = "print(int(input()) * 2)"
    rows = [row(NOT_TWO, target=""), row(echo, target=echo, tests=cases)]
    assert [more.reason for more in grade(rows, more_tests=10)] == ["passes its tests"] * 2


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def is_prime(n: return", "the known answer is no Python"),
        ("def other(n): return True", "the known answer defines no function that its tests call"),
        ("def is_prime(n): return True", "the known answer does not pass its own tests"),
    ],
)
def test_a_known_answer_that_is_none_gives_no_tests(program: str, reason: str) -> None:
    assert derived(program, TESTS) == FurtherTests(reason=reason)


def test_inputs_that_the_known_answer_refuses_or_its_tests_exclude_are_left_out() -> None:
    root = (
        "def root(n):\n    if n > 50:\n        raise ValueError\n    return [k for k in range(n + 1) if k * k <= n][-1]"
    )
    made = derived(root, "assert root(9) == 3\nassert root(50) == 7\nassert root(2) == 1", 60)
    inputs = [int(line.split("(")[1].split(")")[0]) for line in made.tests.splitlines() if line.startswith("assert")]
    assert len(inputs) > 5
    assert 2 <= min(inputs) <= max(inputs) <= 50


def test_a_result_that_changes_is_no_test() -> None:
    program = "import random\n\ndef pick(n):\n    return random.randrange(n) if n > 9 else n\n"
    made = derived(program, "assert pick(3) == 3\nassert pick(1) == 1\nassert pick(40) < 40")
    inputs = [int(line.split("(")[1].split(")")[0]) for line in made.tests.splitlines() if line.startswith("assert")]
    assert inputs
    assert max(inputs) <= 10  # of ten, randrange may give the same twice


def test_floats_may_be_computed_in_another_order() -> None:
    tests = "assert mean([1.0, 2.0]) == 1.5\nassert mean([0.5]) == 0.5\nassert mean([1.5, 2.5, 3.5]) == 2.5"
    known_answer = "def mean(xs):\n    return sum(xs) / len(xs)"
    other = "def mean(xs):\n    total = 0.0\n    for x in reversed(xs):\n        total += x / len(xs)\n    return total"
    wrong = "def mean(xs):\n    return sorted(xs)[len(xs) // 2] if len(xs) % 2 else sum(xs) / len(xs)"
    rows = [row(program, known_answer, tests) for program in (known_answer, other, wrong)]
    assert [more.score for more in grade(rows, more_tests=20)] == [1, 1, 0]


def test_tests_by_check_and_by_unittest_give_inputs_too() -> None:
    check = "def check(candidate):\n    for n in (6, 101, 11, 1):\n        assert candidate(n) == (n in (11, 101))"
    assert "assert is_prime(2) == True" in derived(PRIME, check, entry_point="is_prime").tests
    case = "import unittest\nclass Prime(unittest.TestCase):\n    def test(self):\n        for n in (6, 1, 11, 101):\n"
    case += "            self.assertEqual(is_prime(n), n > 9)"
    assert "assert is_prime(2) == True" in derived(PRIME, case).tests


def test_a_program_neither_sees_nor_forges_them() -> None:
    peek = """
import gc, inspect

class Any:
    def __eq__(self, other):
        return True

def is_prime(n):
    seen = [str(frame.frame.f_locals) for frame in inspect.stack()]
    seen += [text for text in gc.get_objects() if isinstance(text, str)]
    if any("is_prime(2)" in text for text in seen):
        return n in (2, 3, 5, 7, 11, 101)
    return n in (11, 101) if n in (1, 6, 11, 101) else Any()
"""
    leave = TABLE + " or n not in (1, 6) and __import__('os')._exit(0)"
    assert [more.score for more in grade([row(peek), row(leave)])] == [1, 1]
    assert [more.score for more in grade([row(peek), row(leave)], more_tests=20)] == [0, 0]


def test_no_probe_of_the_attack_passes() -> None:
    rows = [example for example in example_rows(0) if "tests" in example.metadata][:1]
    attacked = attack_grader(Subject("unit_tests", lambda tried: list(grade(tried, more_tests=10))), rows, None)
    assert attacked.tried > 20
    assert attacked.passed == []
    assert not any(result.hits for result in attacked.right)


def test_they_are_calibrated_with_the_grader(tmp_path: Path) -> None:
    functions = [f"def f(x):\n    return x * {number} + {number % 7}\n" for number in range(2, 14)]
    records = [
        {"prompt": f"Function {number}.", "answer": program, "tests": f"assert f(1) == {number + number % 7}"}
        for number, program in enumerate(functions, 2)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    tree = {
        "name": "mine",
        "real": {"file": {"path": "rows.jsonl", "prompt": "prompt", "answer": "answer", "attributes": ["tests"]}},
        "teacher": {"endpoint": {"url": "http://127.0.0.1:9", "model": "m"}},
        "generate": ["sample"],
        "grade": [{"unit_tests": {"more_tests": 5}}],
    }
    (measured,) = calibrate(Recipe.of(tree, tmp_path), tmp_path / "out", None, 24).to_json()["graders"]
    assert (measured["false_accepts"]["value"], measured["false_rejects"]["value"]) == (0, 0)
