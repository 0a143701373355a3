"""Short programs over lists of digits: a world in which every answer can be checked by running it.

A program is a style letter and one to `levels` operations, applied from left to right to a list of digits.
It is asked about in two ways:

    deduction    prompt "2arp:1234"   answer "4790"    program and input; what comes out?
    induction    prompt "|1234>4790"  answer "arp"     input and output; which program does it?

The leading digit of a deduction is its level. Any program that turns the input into the output answers an
induction. Operations are drawn with Zipf's frequencies, so the last ones are rare; the style letter does
nothing and is `a` in 70 % of the real rows: it is the attribute in which a bias would show.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from selfsown.option_types import Count, Level
from selfsown.records import Grade, Row, SelfsownError

Digits = list[int]
Length = Annotated[int, Field(ge=2, le=20)]

OPERATIONS: dict[str, Callable[[Digits], Digits]] = {
    "r": lambda v: v[::-1],  # reverse
    "t": lambda v: v[1:] + v[:1],  # rotate to the left
    "i": lambda v: [(x + 1) % 10 for x in v],  # increment
    "s": sorted,
    "w": lambda v: [v[1], v[0], *v[2:]],  # swap the first two
    "d": lambda v: [2 * x % 10 for x in v],  # double
    "m": lambda v: [max(v), *v[1:]],  # the largest to the front, over the first
    "h": lambda v: [(x + at + 1) % 10 for at, x in enumerate(v)],  # increment by the position
    "f": lambda v: [v[0], *((b - a) % 10 for a, b in itertools.pairwise(v))],  # differences
    "p": lambda v: [sum(v[: at + 1]) % 10 for at in range(len(v))],  # running sums
}
RARE = frozenset("mhfp")  # the last four: together about a sixth of the draws
STYLES = {"a": 0.7, "b": 0.3}
_PROGRAM = re.compile(f"[{''.join(STYLES)}][{''.join(OPERATIONS)}]+")


def run(program: str, digits: str) -> str:
    """What the program (its style letter and operations) turns the digits into."""
    values = [int(digit) for digit in digits]
    for operation in program[1:]:
        values = OPERATIONS[operation](values)
    return "".join(map(str, values))


@dataclass(frozen=True)
class Task:
    """rows: how many real rows there are, to learn from and to hold out, and there are no more.
    levels: the longest program. length: digits in a list."""

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
        """Different problems, asked by turns as deduction and as induction."""
        rng = np.random.default_rng(seed)
        zipf = 1 / np.arange(1, len(OPERATIONS) + 1)
        rows: list[Row] = []
        keys: set[str] = set()
        for _ in range(100 * self.rows):
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
        raise SelfsownError(
            f"programs: {self.rows} rows of {self.length} digits are not to be had; ask for fewer, or longer"
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
            return "it asks neither way"
        if not _PROGRAM.fullmatch(program) or len(program) - 1 > self.levels:
            return f"{program!r} is not a program of 1 to {self.levels} operations"
        if deduction and deduction[1] != str(len(program) - 1):
            return f"a program of {len(program) - 1} operations under level {deduction[1]}"
        if len(digits) != self.length:
            return f"its input is not {self.length} digits"
        return replace(_row(form, program, digits, output), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Run the program. The repair is the output as it should have been."""
        if row.metadata.get("form") == "induction":
            digits, wanted = row.prompt[1:].split(">")
            if not _PROGRAM.fullmatch(answer) or len(answer) - 1 > self.levels:
                return Grade(0.0, f"{answer!r} is not a program", evidence="execution")
            got = run(answer, digits)
            repair = (f"|{digits}>{got}", answer)
        else:
            program, digits = row.prompt[1:].split(":")
            got, wanted = run(program, digits), answer
            repair = (row.prompt, got)
        if got == wanted:
            return Grade(1.0, "runs right", evidence="execution")
        return Grade(0.0, f"running it gives {got}, not {wanted}", evidence="execution", correction=repair)

    def restate(self, row: Row) -> Iterator[Row]:
        program, digits = row.prompt[1:].split(":") if row.metadata["form"] == "deduction" else ("", "")
        if program:
            yield _row("induction", program, digits, row.answer)


def _row(form: str, program: str, digits: str, output: str) -> Row:
    """Input and output name the problem: both forms of it, and every other program that does the same."""
    said = (
        (f"{len(program) - 1}{program}:{digits}", output) if form == "deduction" else (f"|{digits}>{output}", program)
    )
    rare = "yes" if RARE & set(program[1:]) else "no"
    traits = {"form": form, "style": program[0], "rare": rare}
    problem = f"{digits}>{output}"
    return Row(*said, problem=problem, target=said[1], level=len(program) - 1, metadata=traits)
