"""Tests that test nothing are nobody's pass; tests that others would run are run; honest tests are not refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Job, Sandbox
from selfsown.sandbox.test_script import ParsedTests

RIGHT, WRONG = "def f(x): return x * x", "def f(x): return x"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        made = Sandbox(cpu_seconds=2, workers=1)
    except SelfsownError as error:
        pytest.skip(str(error))
    with made:
        yield made


NOTHING = {
    "only blank": "# nothing\n",
    "a constant": "True",
    "a comparison that is thrown away": "f(3) == 9",
    "comparisons that are thrown away": "f(3) == 9 and f(2) == 4\nnot f(1) != 1",
    "it prints": "print(f(3))\nprint(f(3) == 9)",
    "it keeps what it gets": "found = f(3)",
    "a definition": "def helper(x):\n    assert f(x) == x * x",
    "a check that nobody calls": "def check(candidate):\n    assert candidate(3) == 9",
    "a check that is true anyway": "assert True\nassert 1\nassert not 0",
    "an assert in brackets": "assert (f(3) == 9, 'three squared')",
    "a class that nobody makes": "class Checks:\n    def one(self): assert f(3) == 9",
    "its own function": "def f(x): return x * x\nassert f(3) == 9",
    "nothing of the program": "assert 3 * 3 == 9",
    "Python's own": "assert sorted([2, 1]) == [1, 2]",
    "a loop over nothing": "for x in []:\n    assert f(x) == x * x",
    "what never is": "if False:\n    assert f(3) == 9",
    "only when it is started": "if __name__ == '__main__':\n    assert f(3) == 9",
    "an end before its start": "import sys\nsys.exit(0)\nassert f(3) == 9",
    "a test of unittest that is skipped": (
        "import unittest\nclass T(unittest.TestCase):\n @unittest.skip('later')\n def test(self): assert f(3) == 9"
    ),
    "a pair of definitions": "def a(): return b()\ndef b(): assert f(3) == 9",
}


@pytest.mark.parametrize("case", NOTHING)
def test_tests_that_test_nothing_are_broken_for_every_program(case: str, sandbox: Sandbox) -> None:
    for program in (RIGHT, WRONG):
        found = sandbox.run(Job(program, tests=NOTHING[case]))
        assert (found.passed, found.invalid_tests) == (False, True), found
        assert found.reason.startswith("the tests test nothing")


@pytest.mark.parametrize(
    "tests",
    [
        "def check(candidate):\n    assert True, 'it runs'",
        "def check(candidate):\n    return candidate(3) == 9",
        "assert 3 * 3 == 9",
        "def test(candidate):\n    assert candidate(3) == 9",
        "METADATA = {'author': 'jt'}\n",
        "def f(x): return x * x\nassert f(3) == 9 and f(2) == 4",
    ],
)
def test_neither_do_they_where_the_function_is_named(tests: str, sandbox: Sandbox) -> None:
    for program in (RIGHT, WRONG):
        found = sandbox.run(Job(program, tests=tests, entry_point="f"))
        assert (found.passed, found.invalid_tests) == (False, True), found


CLASS = "import unittest\nclass T(unittest.TestCase):\n    def test_nine(self):\n        self.assertEqual(f(3), 9)\n"
HONEST = {
    "asserts": "assert f(3) == 9",
    "a question first": "x = f(3)\nif x != 9:\n    raise ValueError(x)",
    "or": "def complain(): raise ValueError\nf(3) == 9 or complain()",
    "a loop": "for x, y in [(3, 9)]:\n    assert f(x) == y",
    "a helper": "def same(x, y):\n    assert f(x) == y\nsame(3, 9)",
    "a helper of a helper": "def a(x): b(x)\ndef b(x):\n    assert f(x) == x * x\nfor x in [3]: a(x)",
    "a helper in a list": "def same(x, y):\n    if f(x) != y: raise ValueError\n[same(*each) for each in [(3, 9)]]",
    "a helper by map": "def same(x):\n    assert f(x) == x * x\nlist(map(same, [3]))",
    "a function in a table": "def nine():\n assert f(3) == 9\nfor each in {'nine': nine}.values(): each()",
    "a class that is made": "class Checks:\n    def one(self): assert f(3) == 9\nChecks().one()",
    "unittest": CLASS,
    "unittest that starts itself": f"{CLASS}\nif __name__ == '__main__':\n    unittest.main()",
    "unittest that is started": f"{CLASS}\nunittest.main()",
    "unittest that is run and does not say": (
        f"{CLASS}\nunittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))"
    ),
    "unittest with a set-up": CLASS.replace("def test", "def setUp(self): self.x = 3\n    def test").replace(
        "(3)", "(self.x)"
    ),
    "pytest": "def test_nine():\n    assert f(3) == 9",
    "pytest that is called": "def test_nine():\n    assert f(3) == 9\ntest_nine()",
    "pytest in a class": "class TestF:\n def setup_method(self): self.x = 3\n def test(self): assert f(self.x) == 9",
    "pytest, asynchronous": "async def test_nine():\n    assert f(3) == 9",
    "an asynchronous function": "import asyncio\nasync def run():\n    assert f(3) == 9\nasyncio.run(run())",
    "a doctest": '"""\n>>> f(3)\n9\n"""',
    "a bare doctest": ">>> f(3)\n9\n",
    "a doctest after words": "Squares.\n\n>>> f(2)\n4\n>>> f(3)\n9\n",
    "what fails and is told on": (
        "failures = 0\ntry:\n assert f(3) == 9\nexcept AssertionError as error:\n failures += 1\n print(failures)"
    ),
    "what fails and ends": "import sys\ntry:\n assert f(3) == 9\nexcept AssertionError:\n sys.exit(1)\nsys.exit(0)",
    "a smoke test": "assert_nine = lambda x: 1 // (x == 9)\nassert_nine(f(3))",
    "one of two helpers": (
        "import sys\nif sys.platform:\n def same(x):\n  assert f(x) == x * x\nelse:\n def same(x): pass\nsame(3)"
    ),
    "an exit before what others run": f"{CLASS}\nimport sys\nf(3)\nsys.exit(0)",
    "an exit with a value": "import sys\nsys.exit(f(3) - 9)",
    "a module of the program's": "import math\nassert math.isclose(f(3), 9)",
    "what comes with the assert": "assert isinstance(f(3), int), type(f(3))\nassert f(3) == 9, f'{f(3)} is not 9'",
}


@pytest.mark.parametrize("case", HONEST)
def test_honest_tests_pass_what_is_right_and_fail_what_is_wrong(case: str, sandbox: Sandbox) -> None:
    right, wrong = (sandbox.run(Job(program, tests=HONEST[case])) for program in (RIGHT, WRONG))
    assert right.passed is True, right
    assert (wrong.passed, wrong.invalid_tests) == (False, False), wrong


CHECKS = {
    "by HumanEval": "METADATA = {}\ndef check(candidate):\n assert candidate(3) == 9\n assert True, 'it runs'",
    "by MBPP": "assert f(3) == 9\nassert f(2) == 4",
    "with the solution beside it": "def f(x): return x * x\ndef check(c):\n    assert c(3) == f(3)",
    "no function": "check = lambda candidate: 1 // (candidate(3) == 9)\n",
    "no function, and no words": "check = lambda candidate: candidate(3) == 9",
    "a partial function": "from functools import partial\ndef held(y, c):\n assert c(3) == y\ncheck = partial(held, 9)",
    "an object": "class Check:\n    def __call__(self, c): assert c(3) == 9\ncheck = Check()",
    "asynchronous": "async def check(candidate):\n    assert candidate(3) == 9",
    "in steps": "def check(candidate):\n    assert candidate(3) == 9\n    yield",
    "the candidate by name": "assert candidate(3) == 9",
}


@pytest.mark.parametrize("case", CHECKS)
def test_a_check_is_called_however_it_is_made(case: str, sandbox: Sandbox) -> None:
    right, wrong = (sandbox.run(Job(program, tests=CHECKS[case], entry_point="f")) for program in (RIGHT, WRONG))
    assert right.passed is True, right
    assert (wrong.passed, wrong.invalid_tests) == (False, False), wrong


UNREACHED = {
    "nothing to go through": ("def f(x): return []", "for got, want in zip(f(3), [3, 3, 3]):\n    assert got == want"),
    "no exception to look at": (
        "def f(x): return x",
        "try:\n    y = f('a')\nexcept TypeError as error:\n    assert str(error) == 'no number'",
    ),
    "a shorter way round": ("def f(x): return None", "y = f(3)\nif y is not None:\n    assert y == 9"),
}


@pytest.mark.parametrize("case", UNREACHED)
def test_a_program_whose_tests_reach_no_assert_does_not_pass(case: str, sandbox: Sandbox) -> None:
    found = sandbox.run(Job(UNREACHED[case][0], tests=UNREACHED[case][1]))
    assert (found.passed, found.invalid_tests) == (False, False), found
    assert "reached" in found.reason


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(list("assert f(x)=:\n >1'\"\\")), max_size=40).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = ParsedTests(text, "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    assert isinstance(found.defect, str)
