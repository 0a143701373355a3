"""Prompts with answers that are known to be right and to be wrong, and words that a grammar makes."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from selfsown.tasks.programs import Task
from selfsown.tasks.programs import run as executed

Known = dict[str, tuple[list[str], list[str]]]  # of each prompt, right answers and wrong ones


def programs(folder: Path) -> tuple[Any, Known]:
    """The built-in world. A wrong program is another's, and gives another output."""
    rows, chance, known = Task(rows=600).pose(0), random.Random(0), Known()
    others = [row.answer for row in rows if row.metadata["form"] == "induction"]
    for row in rows:
        if row.metadata["form"] == "deduction":
            wrong = [row.answer[:-1] + digit for digit in "0123456789" if digit != row.answer[-1]]
        else:
            digits, output = row.prompt[1:].split(">")
            wrong = [each for each in chance.sample(others, 8) if executed(each, digits) != output]
        known[row.prompt] = [row.answer], wrong
    return {"programs": {"rows": 600}}, known


def capitals(folder: Path) -> tuple[Any, Known]:
    """Answers in words, known by heart."""
    names = [f"{a}{b}" for a, b in itertools.product(("Al", "Bor", "Ced", "Dun", "El"), range(60))]
    known: Known = {f"What is the town of {name}?": ([name.upper()], [name, f"{name.upper()}S", "?"]) for name in names}
    return file(folder / "capitals.jsonl", [{"prompt": each, "answer": known[each][0][0]} for each in known]), known


def sums(folder: Path) -> tuple[Any, Known]:
    """Answers in several notations, right and wrong ones alike."""
    chance, rows, known = random.Random(1), list[dict[str, str]](), Known()
    for at in range(300):
        top, bottom, more = chance.randint(1, 99), chance.choice((2, 4, 5, 8, 10)), chance.randint(1, 9)
        value, prompt = Fraction(top, bottom) + more, f"({at}) What is {top}/{bottom} + {more}?"
        rows.append({"prompt": prompt, "answer": f"{value.numerator}/{value.denominator}"})
        known[prompt] = _written(value), [said for off in (-1, 1) for said in _written(value + Fraction(off, bottom))]
    return file(folder / "sums.jsonl", rows), known


def _written(value: Fraction) -> list[str]:
    top, bottom = value.numerator, value.denominator
    forms = [f"{top}/{bottom}", rf"\frac{{{top}}}{{{bottom}}}", f"{float(value):g}", rf"$\frac{{{top}}}{{{bottom}}}$"]
    return [*forms, *(f"First we add. The answer is {form}." for form in forms), rf"So it is \boxed{{{forms[1]}}}"]


def functions(folder: Path) -> tuple[Any, Known]:
    """Python functions with their tests. Wrong ones compute, loop for ever, fail or stop before the tests."""
    rows, known = list[dict[str, str]](), Known()
    for at in range(200):
        name, prompt = f"f{at}", f"Write a Python function f{at}(x): {at} times x, plus {at % 7}."
        body = f"def {name}(x):\n    return"
        tests = [f"assert {name}({x}) == {at * x + at % 7}" for x in (0, 1, 5, -3)]
        rows.append({"prompt": prompt, "answer": f"{body} {at} * x + {at % 7}", "tests": "\n".join(tests)})
        right = [f"{body} {at} * x + {at % 7}\n", f"Here:\n```python\n{body} sum([x] * {at}) + {at % 7}\n```"]
        wrong = [f"{body} {at} * x + {at % 7 + 1}", f"{body} {at + 1} * x + {at % 7}", f"{body} unknown(x)", "No."]
        known[prompt] = right, [*wrong, f"import os\n{right[0]}\nos._exit(0)"]
    return file(folder / "functions.jsonl", rows, attributes=["tests"]), known


def file(path: Path, rows: Sequence[dict[str, str]], **knobs: Any) -> Any:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {"file": {"path": str(path), **knobs}}


def words(path: Path) -> Path:
    """1,500 words that a small grammar makes: onset, vowel and coda, one to three times."""
    rng = random.Random(0)
    onsets = [*"bcdfghklmnprstvz", "br", "dr", "fl", "gr", "kl", "pr", "st", "tr", "sh", "th"]
    parts = (onsets, [*"aeiou", "ai", "ea", "ou"], ["", "", "", *"nrlsm", "nd", "rt", "x"])
    syllable = [(part, [1 / (at + 1) for at in range(len(part))]) for part in parts]  # some are rare
    made = dict[str, None]()
    while len(made) < 1500:
        size = rng.choices((1, 2, 3), (1, 3, 2))[0]
        made["".join(rng.choices(part, weights)[0] for part, weights in syllable * size)] = None
    path.write_text("\n".join(made) + "\n", encoding="utf-8")
    return path
