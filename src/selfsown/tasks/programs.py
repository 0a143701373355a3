"""Short programs over lists of digits: a task whose every answer can be checked by running it.

A program is a style letter and one to `levels` operations, applied from left to right to a list of digits. It occurs in
two forms:

    deduction    prompt "2arp:1234"   answer "4790"    program and input are given, the output is asked for
    induction    prompt "|1234>4790"  answer "arp"     input and output are given, a program is asked for

The leading digit of a deduction is its level. Any program that turns the input into the output answers an induction.
Operations are drawn with Zipf's frequencies, so the last ones are rare; the style letter has no effect and is `a` in
70 % of the real rows: it is the attribute in which a bias would show.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from selfsown.errors import RecipeError
from selfsown.option_types import Count, Level
from selfsown.records import Grade, Row

Digits = list[int]
Length = Annotated[int, Field(ge=2, le=20)]

OPERATIONS: dict[str, Callable[[Digits], Digits]] = {
    "r": lambda v: v[::-1],  # reverse
    "t": lambda v: v[1:] + v[:1],  # rotate to the left
    "i": lambda v: [(x + 1) % 10 for x in v],  # increment
    "s": sorted,
    "w": lambda v: [v[1], v[0], *v[2:]],  # swap the first two
    "d": lambda v: [2 * x % 10 for x in v],  # double
    "m": lambda v: [max(v), *v[1:]],  # replace the first by the largest
    "h": lambda v: [(x + position) % 10 for position, x in enumerate(v, 1)],  # increment by the position
    "f": lambda v: [v[0], *((b - a) % 10 for a, b in itertools.pairwise(v))],  # differences
    "p": lambda v: [sum(v[:end]) % 10 for end in range(1, len(v) + 1)],  # running sums
}
RARE = frozenset("mhfp")  # the last four: together about a sixth of the draws
STYLES = {"a": 0.7, "b": 0.3}
MAX_TRIES = 100  # for each row, to draw one that is new
_PROGRAM = re.compile(f"[{''.join(STYLES)}][{''.join(OPERATIONS)}]+")


def run(program: str, digits: str) -> str:
    """The output of the program (its style letter and operations) for the digits."""
    values = [int(digit) for digit in digits]
    for operation in program[1:]:
        values = OPERATIONS[operation](values)
    return "".join(map(str, values))


@dataclass(frozen=True)
class Task:
    """rows: real rows, held-out ones included. levels: the most operations of a program. length: digits in a list."""

    rows: Count = 1000
    levels: Level = 2
    length: Length = 4

    name = "programs"
    verifiable = True
    forms = ("deduction", "induction")

    @property
    def top_level(self) -> int:
        return self.levels

    def pose(self, seed: int) -> list[Row]:
        """Distinct problems, by turns as deduction and as induction. Raises RecipeError where there are not enough."""
        rng = np.random.default_rng(seed)
        zipf = 1 / np.arange(1, len(OPERATIONS) + 1)
        rows: list[Row] = []
        keys: set[str] = set()
        for _ in range(MAX_TRIES * self.rows):
            if len(rows) == self.rows:
                return rows
            size = int(rng.integers(1, self.levels + 1))
            style = str(rng.choice(list(STYLES), p=list(STYLES.values())))
            program = style + "".join(rng.choice(list(OPERATIONS), size=size, p=zipf / zipf.sum()))
            digits = "".join(map(str, rng.integers(0, 10, self.length)))
            row = _row(self.forms[len(rows) % 2], program, digits, run(program, digits))
            if row.key not in keys:
                keys.add(row.key)
                rows.append(replace(row, source="programs", sample_index=len(rows)))
        raise RecipeError(
            f"programs: cannot generate {self.rows} distinct problems of {self.length} digits; lower rows"
        )

    def opening(self, level: int) -> str:
        return str(level)

    def read(self, prompt: str, answer: str) -> Row | str:
        """Both forms are read; a model that proposes begins with a level, so it writes deductions."""
        induction = re.fullmatch(r"\|([0-9]+)>([0-9]+)", prompt)
        deduction = re.fullmatch(r"([0-9])([^:]*):([0-9]+)", prompt)
        if induction:
            form, program, digits, output = "induction", answer, *induction.groups()
        elif deduction:
            form, program, digits, output = "deduction", deduction[2], deduction[3], answer
        else:
            return "it is neither a deduction nor an induction"
        if not _PROGRAM.fullmatch(program) or len(program) - 1 > self.levels:
            return f"{program!r} is not a program of 1 to {self.levels} operations"
        if deduction and deduction[1] != str(len(program) - 1):
            return f"a program of {len(program) - 1} operations has the level {deduction[1]}"
        if len(digits) != self.length:
            return f"its input is not {self.length} digits"
        return replace(_row(form, program, digits, output), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Run the program. The correction has the output that it gives."""
        if row.metadata.get("form") == "induction":
            digits, expected = row.prompt[1:].split(">")
            if not _PROGRAM.fullmatch(answer) or len(answer) - 1 > self.levels:
                return Grade(0.0, f"{answer!r} is not a program", evidence="execution")
            output = run(answer, digits)
            correction = (f"|{digits}>{output}", answer)
        else:
            program, digits = row.prompt[1:].split(":")
            output, expected = run(program, digits), answer
            correction = (row.prompt, output)
        if output == expected:
            return Grade(1.0, "its output is right", evidence="execution")
        reason = f"running it gives {output}, not {expected}"
        return Grade(0.0, reason, evidence="execution", correction=correction)

    def restate(self, row: Row) -> Iterator[Row]:
        if row.metadata["form"] != "deduction":
            return
        program, digits = row.prompt[1:].split(":")
        if program:
            yield _row("induction", program, digits, row.answer)


def _row(form: str, program: str, digits: str, output: str) -> Row:
    """Input and output are the problem: both forms of it, and every other program with the same effect, share it."""
    level = len(program) - 1
    if form == "deduction":
        prompt, answer = f"{level}{program}:{digits}", output
    else:
        prompt, answer = f"|{digits}>{output}", program
    rare = "yes" if RARE & set(program[1:]) else "no"
    metadata = {"form": form, "style": program[0], "rare": rare}
    return Row(prompt, answer, problem=f"{digits}>{output}", target=answer, level=level, metadata=metadata)
