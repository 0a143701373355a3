"""Prompts with known right and wrong answers, for teachers that plant errors; and words that a small grammar makes."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from selfsown.tasks.programs import Task
from selfsown.tasks.programs import run as run_program

Answers = dict[str, tuple[list[str], list[str]]]  # for each prompt, right answers and wrong ones
DataSource = dict[str, dict[str, Any]]  # as the recipe key `real` takes it


def programs(folder: Path) -> tuple[DataSource, Answers]:
    """The built-in task. A wrong program is that of another row, and gives another output."""
    rows, chance, answers = Task(rows=600).pose(0), random.Random(0), Answers()
    others = [row.answer for row in rows if row.metadata["form"] == "induction"]
    for row in rows:
        if row.metadata["form"] == "deduction":
            wrong = [row.answer[:-1] + digit for digit in "0123456789" if digit != row.answer[-1]]
        else:
            digits, output = row.prompt[1:].split(">")
            wrong = [other for other in chance.sample(others, 8) if run_program(other, digits) != output]
        answers[row.prompt] = [row.answer], wrong
    return {"programs": {"rows": 600}}, answers


def capitals(folder: Path) -> tuple[DataSource, Answers]:
    """Answers in words, by exact match."""
    names = [f"{first}{number}" for first, number in itertools.product(("Al", "Bor", "Ced", "Dun", "El"), range(60))]
    answers = {f"What is the town of {name}?": ([name.upper()], [name, f"{name.upper()}S", "?"]) for name in names}
    rows = [{"prompt": prompt, "answer": right[0]} for prompt, (right, _) in answers.items()]
    return file(folder / "capitals.jsonl", rows), answers


def sums(folder: Path) -> tuple[DataSource, Answers]:
    """Answers in several notations, right and wrong ones alike."""
    chance, rows, answers = random.Random(1), list[dict[str, str]](), Answers()
    for number in range(300):
        top, bottom, more = chance.randint(1, 99), chance.choice((2, 4, 5, 8, 10)), chance.randint(1, 9)
        value, prompt = Fraction(top, bottom) + more, f"({number}) What is {top}/{bottom} + {more}?"
        rows.append({"prompt": prompt, "answer": f"{value.numerator}/{value.denominator}"})
        wrong = [form for off in (-1, 1) for form in _notations(value + Fraction(off, bottom))]
        answers[prompt] = _notations(value), wrong
    return file(folder / "sums.jsonl", rows), answers


def _notations(value: Fraction) -> list[str]:
    top, bottom = value.numerator, value.denominator
    forms = [f"{top}/{bottom}", rf"\frac{{{top}}}{{{bottom}}}", f"{float(value):g}", rf"$\frac{{{top}}}{{{bottom}}}$"]
    return [*forms, *(f"First we add. The answer is {form}." for form in forms), rf"So it is \boxed{{{forms[1]}}}"]


def functions(folder: Path) -> tuple[DataSource, Answers]:
    """Python functions with their tests. Wrong ones are wrong, raise, are no code, or exit before the tests."""
    rows, answers = list[dict[str, str]](), Answers()
    for n in range(200):
        name, prompt = f"f{n}", f"Write a Python function f{n}(x): {n} times x, plus {n % 7}."
        body = f"def {name}(x):\n    return"
        tests = [f"assert {name}({x}) == {n * x + n % 7}" for x in (0, 1, 5, -3)]
        rows.append({"prompt": prompt, "answer": f"{body} {n} * x + {n % 7}", "tests": "\n".join(tests)})
        right = [f"{body} {n} * x + {n % 7}\n", f"Here:\n```python\n{body} sum([x] * {n}) + {n % 7}\n```"]
        wrong = [f"{body} {n} * x + {n % 7 + 1}", f"{body} {n + 1} * x + {n % 7}", f"{body} unknown(x)", "No."]
        answers[prompt] = right, [*wrong, f"import os\n{right[0]}\nos._exit(0)"]
    return file(folder / "functions.jsonl", rows, attributes=["tests"]), answers


def file(path: Path, rows: Sequence[dict[str, str]], **options: Any) -> DataSource:
    """A data source of these rows, which are written to the path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"file": {"path": str(path), **options}}


def words(path: Path) -> Path:
    """1,500 words that a small grammar makes: onset, vowel and coda, one to three times."""
    rng = random.Random(0)
    onsets = [*"bcdfghklmnprstvz", "br", "dr", "fl", "gr", "kl", "pr", "st", "tr", "sh", "th"]
    parts = (onsets, [*"aeiou", "ai", "ea", "ou"], ["", "", "", *"nrlsm", "nd", "rt", "x"])
    syllable = [(part, [1 / (at + 1) for at in range(len(part))]) for part in parts]  # some are rare
    result = dict[str, None]()
    while len(result) < 1500:
        size = rng.choices((1, 2, 3), (1, 3, 2))[0]
        result["".join(rng.choices(part, weights)[0] for part, weights in syllable * size)] = None
    path.write_text("\n".join(result) + "\n", encoding="utf-8")
    return path
