"""The way back to the program: what does the same passes, what does not is named, and what shows nothing fails."""

from __future__ import annotations

import json

import pytest

from selfsown.grade import code_roundtrip
from selfsown.records import Row
from testing.echo_model import Parrot

pytestmark = pytest.mark.usefixtures("walled")

ORIGINAL = "def area(width, height):\n    if width < 0:\n        raise ValueError\n    return width * height\n"
CALLS = ["area(2, 3)", "area(0, 9)", "area(1.5, 2)", "area(-1, 2)"]
OTHER = "def area(width, height):\n    assert True\n    print('hello')\n    if width < 0:\n        raise ValueError\n"


def graded(program: str, calls: list[str] = CALLS, original: str = ORIGINAL) -> tuple[float, str, bool]:
    judge = Parrot(lambda prompt, at: json.dumps({"program": program, "calls": calls}))
    (grade,) = code_roundtrip.grade([Row("Write area(width, height).", original)], judge, 0)
    assert (grade.grader, grade.evidence) == ("code_roundtrip", "execution")
    return grade.score, grade.reason, grade.failed


def test_another_program_that_does_the_same_passes_whatever_it_prints() -> None:
    assert graded(OTHER + "    return height * width\n") == (1.0, "same results in 3 calls", False), (
        "that both raise shows nothing"
    )
    assert graded(f"```python\n{ORIGINAL}```")[0] == 1.0


def test_a_program_that_does_something_else_is_named_with_the_call() -> None:
    score, reason, failed = graded(OTHER + "    return width + height\n")
    assert (score, failed) == (0.0, False), "that both raise is no likeness"
    assert reason == "area(2, 3) gives 5, expected 6"
    assert graded("def volume(): return 1")[0] == 0.0
    assert graded("while True: pass", CALLS[:1])[:2] == (0.0, "area(2, 3) gives nothing, expected 6")


def test_what_shows_nothing_fails_and_is_not_rejected() -> None:
    assert graded(ORIGINAL, ["area(-1, 2)"]) == (
        0.0,
        "no informative call: each raises in the original program, does not use it, or gives an object",
        True,
    )
    assert graded(ORIGINAL, [])[2]
    assert graded("def volume(): return 1", ["1 + 1", "len('abc')", "(lambda x: x)(3)", "not a call"])[2]
    assert graded("", original="")[2]
    assert graded(OTHER + "    return width + height\n", ["1 + 1", "2 + 2", "area(2, 3)", "area(-1, 2)"])[0] == 0.0
    assert "SyntaxError" in graded(ORIGINAL, original="def area(:")[1]
    (grade,) = code_roundtrip.grade([Row("", ORIGINAL)], Parrot(lambda prompt, at: ""), 0)
    assert (grade.failed, grade.reason) == (True, "no prompt to write a program from")


def test_the_judge_does_not_see_the_answer() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return json.dumps({"program": ORIGINAL, "calls": CALLS})

    list(code_roundtrip.grade([Row("Write area(width, height).", ORIGINAL)], Parrot(say), 0))
    assert "Write area(width, height)." in seen[0]
    assert "return width" not in seen[0]


def test_objects_that_only_lie_in_the_same_place_are_not_the_same() -> None:
    """Both programs are forked from one process, so that their first objects may well have the same address."""
    other = "class Area: pass\ndef area(width, height): return Area()\n"
    assert graded(other, ["area(1, 2)", "area(2, 3)"], original=f"{other}pass\n") == (
        0.0,
        "no informative call: each raises in the original program, does not use it, or gives an object",
        True,
    )
    squares = "def area(width, height):\n    yield width * height\n"
    assert graded(squares.replace("*", "+"), ["area(1, 2)"], original=squares)[2]
    mixed = "def area(width, height): return object() if width else height\n"
    assert graded(mixed, ["area(1, 2)", "area(0, 3)"], original=mixed)[0] == 1.0


@pytest.mark.parametrize("said", ["hello", "6", "{}", "[" * 9000, '"6"'])
def test_a_program_that_prints_what_a_call_would_say_is_not_believed(said: str) -> None:
    prints = f"print(chr(31) + {said!r})\n"
    score, reason, failed = graded(ORIGINAL, original=prints + ORIGINAL)
    assert (score, failed) == (0.0, True)
    assert "the original program did not finish" in reason
    assert graded(prints + ORIGINAL)[0] == 0.0
