"""Programs are graded by running them: what passes, what does not and why, and what cannot be said."""

from __future__ import annotations

import gzip
import json
import random

import pytest
from realdata import real_data

from benchmarks.mutants import EQUIVALENT
from selfsown.grade.unit_tests import grade
from selfsown.records import Grade, Row
from selfsown.sandbox.sandbox import Job, Sandbox
from testing.mutants import changed_line, mutants

pytestmark = pytest.mark.usefixtures("walled")


def row(answer: str, tests: str = "assert double(4) == 8\nassert double(-1) == -2", **traits: str) -> Row:
    return Row("Write a function that doubles.", answer, metadata={"tests": tests, **traits})


RIGHT = "def double(x):\n    return 2 * x\n"


def test_one_grade_a_row_in_order_with_the_reason() -> None:
    rows = [
        row(RIGHT),
        row(f"Here it is:\n```python\n{RIGHT}```\nCall it so:\n```\ndouble(2)\n```"),
        row("def double(x):\n    return x * x"),
        row("def double(x):\n    while True: pass"),
        row("I do not know."),
        row("import os\nos._exit(0)"),
        Row("p", RIGHT),
        row(RIGHT, "assert ("),
    ]
    grades = list(grade(rows, cpu_seconds=1))
    assert [each.score for each in grades] == [1, 1, 0, 0, 0, 0, 0, 0]
    assert [each.failed for each in grades] == [False] * 6 + [True] * 2
    assert {(each.grader, each.evidence) for each in grades} == {("unit_tests", "execution")}
    assert [each.reason for each in grades] == [
        "passes its tests",
        "passes its tests",
        "fails at: assert double(4) == 8",
        "takes longer than 1 s",
        "raises SyntaxError before its tests in line 1: invalid syntax",
        "exits with code 0 before its tests end",
        "no tests: the metadata field 'tests' is empty",
        "the tests are not valid Python: '(' was never closed (<tests>, line 1)",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        f"Install it:\n```bash\npip install more\n```\nThen:\n```python\n{RIGHT}```\nThat is all.",
        f"```python\n{RIGHT}```\nIt prints\n```\n8, which is what was wanted, and longer than the program\n```\n",
        f"~~~python\n{RIGHT}~~~",
        "1. So:\n   ```python3\n   def double(x):\n       return 2 * x\n   ```\n2. Done.",
        f'```python title="a.py"\n{RIGHT}```',
        f"```python\n{RIGHT}```".replace("\n", "\r\n"),
        '```python\ndef double(x):\n    """So:\n    ```\n    double(1)\n    ```\n    """\n    return 2 * x\n```',
        f"```\n{RIGHT}",
    ],
)
def test_the_program_is_found_among_what_else_is_said(answer: str) -> None:
    assert [each.reason for each in grade([row(answer)], cpu_seconds=1)] == ["passes its tests"]


def test_cases_of_input_and_output() -> None:
    cases = json.dumps([{"stdin": "2\n", "stdout": "4"}, {"stdin": "-3\n", "stdout": "-6\n"}, {"stdout": "none"}])
    program = "try:\n    print(int(input()) * 2, ' ')\nexcept EOFError:\n    print('none')"
    wrong = "print(int(input()) ** 2)"
    assert [each.score for each in grade([row(program, cases), row(wrong, cases)])] == [1.0, 0.0]
    (shared,) = grade([row(wrong, cases)], partial_credit=True)
    assert shared == Grade(1 / 3, "case 2 of 3: prints '9', not '-6'", grader="unit_tests", evidence="execution")
    (failed,) = grade([row(program, '[{"input": "2"}]')])
    assert failed.failed
    assert "expected a list of" in failed.reason


ECHO = "import sys\nprint(sys.stdin.read(), end='')"
UNFIT = {
    "no case": "[]",
    "one case alone": '{"stdin": "2", "stdout": "4"}',
    "a text": '"assert double(4) == 8"',
    "texts": '["assert double(4) == 8"]',
    "a number": "8",
    "null": "null",
    "true": "true",
    "a list of lists": '[["2", "4"]]',
    "an empty case": "[{}]",
    "no output": '[{"stdin": "2"}]',
    "null for the output": '[{"stdin": "2", "stdout": null}]',
    "a number for the output": '[{"stdin": "2", "stdout": 4}]',
    "a list of lines for the input": '[{"stdin": ["2", "3"], "stdout": "4"}]',
    "a number for the input": '[{"stdin": 2, "stdout": "4"}]',
    "another name for the input": '[{"input": "2", "stdout": "4"}]',
    "one of two": '[{"stdin": "2", "stdout": "4"}, {"stdin": "3"}]',
    "nothing to be printed": '[{"stdin": "2", "stdout": ""}]',
    "nothing to be printed but spaces": '[{"stdin": "2", "stdout": ""}, {"stdin": "3", "stdout": " \\n\\n"}]',
}


@pytest.mark.parametrize("case", UNFIT)
def test_cases_that_test_nothing_or_are_none_are_no_pass_for_any_program(case: str) -> None:
    for found in grade([row(RIGHT, UNFIT[case]), row("pass", UNFIT[case]), row(ECHO, UNFIT[case])]):
        assert (found.score, found.failed) == (0.0, True), found
        assert found.reason.startswith("invalid test cases: ")


def test_an_empty_output_may_be_wanted_among_others() -> None:
    cases = json.dumps([{"stdin": "", "stdout": ""}, {"stdin": "2", "stdout": "2"}, {"stdin": None, "stdout": "\n"}])
    rows = [row(ECHO, cases), row("pass", cases), row(f"{ECHO}\nraise SystemExit(1)", cases)]
    rows += [row(f"{ECHO}\nwhile True: pass", cases), row(f"{ECHO}\nimport os\nos.kill(os.getpid(), 9)", cases)]
    assert [(each.score, each.failed) for each in grade(rows, cpu_seconds=0.5)] == [(1.0, False)] + [(0.0, False)] * 4


@pytest.mark.parametrize(
    ("tests", "entry", "words"),
    [
        ("def check(candidate):\n    assert candidate(4) == 8", "", "they define check, which nothing calls"),
        ("double(4) == 8", "", "nothing in them could fail"),
        ("assert 4 + 4 == 8", "", "they use nothing that a program defines"),
        ("for x in []: assert double(x)", "", "they call nothing of the program"),
        ("def check(candidate): pass", "double", "nothing in them could fail"),
        ("from solution import double\nassert double(4) == 8", "", "they use nothing that a program defines"),
        ("import numpy\nassert double(4) == 8", "", "raises ModuleNotFoundError: No module named 'numpy'"),
        ("from solution import *\nassert double(4) == 8", "", "raises ModuleNotFoundError"),
    ],
)
def test_tests_that_no_program_could_fail_or_pass_are_told_apart(tests: str, entry: str, words: str) -> None:
    rows = [row(answer, tests, name=entry) for answer in (RIGHT, "def double(x): return 0")]
    for found in grade(rows, entry_point="name" if entry else ""):
        assert (found.score, found.failed) == (0.0, True), found
        assert words in found.reason


def test_a_program_that_lacks_a_module_is_wrong_and_its_tests_are_not() -> None:
    (found,) = grade([row("def double(x):\n    import numpy\n    return 2 * x")])
    assert (found.score, found.failed) == (0.0, False)


def test_the_function_is_named_and_the_answer_may_go_on_from_the_prompt() -> None:
    made = Row(
        "def double(x):\n",
        "    return 2 * x",
        metadata={"tests": "def check(f):\n    assert f(3) == 6", "name": "double"},
    )
    assert [each.score for each in grade([made], entry_point="name", answer_continues_prompt=True)] == [1.0]
    assert [each.reason for each in grade([made], entry_point="names")] == [
        "no entry point: the metadata field 'names' is empty"
    ]


def test_a_program_that_uses_memory_is_held() -> None:
    (held,) = grade([row("def double(x): return [0] * 10**9 and 2 * x")], memory_mb=128)
    assert "MemoryError" in held.reason


PROBLEMS, EACH = 20, 6  # of HumanEval, drawn once for all; mutants of each solution, at most


@pytest.fixture(scope="module")
def humaneval() -> list[dict[str, str]]:
    with gzip.open(real_data("humaneval.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_every_solution_of_humaneval_passes(humaneval: list[dict[str, str]]) -> None:
    rows = [
        Row(each["prompt"], each["canonical_solution"], metadata={"tests": each["test"], "entry": each["entry_point"]})
        for each in humaneval
    ]
    assert len(rows) == 164
    assert [
        each.reason for each in grade(rows, entry_point="entry", answer_continues_prompt=True) if each.score < 1
    ] == []


@pytest.mark.slow
def test_mutants_of_humaneval_are_rejected(humaneval: list[dict[str, str]]) -> None:
    """A fixed sample; `python -m benchmarks.mutants` counts all. What passes the problems' own tests passes them as
    well where program and tests run as one. Equivalent mutants are left out by the arguments that the benchmark has."""
    sample = random.Random(1).sample(humaneval, PROBLEMS)
    equivalent = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    made = list[tuple[dict[str, str], str]]()
    for each in sample:
        right = each["prompt"] + each["canonical_solution"]
        programs = [program for _, program in mutants(right, each["entry_point"])]
        random.Random(each["task_id"]).shuffle(programs)
        same = equivalent.get(each["task_id"], {})
        made += [(each, program) for program in programs if changed_line(right, program) not in same][:EACH]
    rows = [_tested(each, program) for each, program in made]
    own = list(grade(rows, entry_point="entry"))
    with Sandbox(cpu_seconds=10) as sandbox:
        whole = [Job(f"{program}\n{each['test']}\ncheck({each['entry_point']})") for each, program in made]
        together = [outcome.code == 0 for outcome in sandbox.run_all(whole)]
    assert together == [each.score == 1 for each in own]
    rights = [_tested(each, each["prompt"] + each["canonical_solution"]) for each in sample]
    passed = [row for row, each in zip(rows, own, strict=True) if each.score == 1]
    grades = list(grade(passed + rights, entry_point="entry", more_tests=30))
    assert [each.reason for each in grades[len(passed) :] if each.score < 1] == []
    survivors = sum(each.score == 1 for each in grades[: len(passed)])
    assert 0.85 <= 1 - len(passed) / len(rows) <= 0.98
    assert 1 - survivors / len(rows) >= 0.96  # of a hundred; of 1,431 it was 99.5 %


def _tested(each: dict[str, str], program: str) -> Row:
    right = each["prompt"] + each["canonical_solution"]
    return Row(each["prompt"], program, target=right, metadata={"tests": each["test"], "entry": each["entry_point"]})
