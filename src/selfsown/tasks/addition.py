"""Additions with their carries written out, short ones to learn from and longer ones to be examined on.

A problem is written in columns from the units up, the answer under it, a digit and its carry for each column:

    47 + 85    prompt "7548........"    answer "2131": 7 + 5 is 2 carry 1, 4 + 8 + 1 is 3 carry 1, so 132

The columns stand somewhere in a frame that is as wide for every problem, with dots on both sides, so that a place says
nothing of how long a problem is. The level is the number of columns. Right is what comes to the sum; the carries on
the way are the writer's own. With `hints`, a column has a third character, "?" or, as a hint, the digit of the sum.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selfsown.option_types import Count, Level, Natural, Share
from selfsown.records import EXAMINED, Grade, Row, SelfsownError

TRIES = 100  # for each row, before it is said that there are no more


@dataclass(frozen=True)
class Task:
    """rows: real problems of 1 to `taught` columns. longer: problems of each number of columns from there to `levels`,
    which are examined and never learned from. hints: the share of the real problems that come with the sum."""

    rows: Count = 1200
    longer_rows: Natural = 200
    max_train_digits: Level = 3
    max_digits: Level = 8
    hint_share: Share = 0.0

    name = "addition"
    verifiable = True
    forms = ()

    @property
    def top_level(self) -> int:
        return self.max_digits

    def pose(self, seed: int) -> list[Row]:
        """Different problems; which of the two numbers stands first makes no difference."""
        chance, rows, keys = random.Random(seed), list[Row](), set[str]()
        sizes = [range(1, self.max_train_digits + 1)] * self.rows
        sizes += [
            range(size, size + 1)
            for size in range(self.max_train_digits + 1, self.max_digits + 1)
            for _ in range(self.longer_rows)
        ]
        for some in sizes:
            tries = (self._posed(chance, chance.choice(some)) for _ in range(TRIES))
            row = next((row for row in tries if row.key not in keys), None)
            if row is None:
                raise SelfsownError(
                    f"sums: {self.rows} real rows of up to {self.max_train_digits} columns are not to be had; ask for fewer"
                )
            keys.add(row.key)
            hint = chance.random() < self.hint_share and row.level <= self.max_train_digits
            traits = {**row.metadata, **(EXAMINED if row.level > self.max_train_digits else {})}
            row = replace(row, prompt=self.hinted(row) if hint else row.prompt, metadata=traits)
            rows.append(replace(row, answer=row.target, source="addition", sample_index=len(rows)))
        return rows

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """New problems without an answer, half of them of the level and half of any below."""
        chance = random.Random(seed)
        for _ in range(count):
            yield self._posed(chance, level if chance.random() < 0.5 else chance.randint(1, level))

    def opening(self, level: int) -> str:
        """A model that is left to pose problems may begin as it likes."""
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        found = self._parsed(prompt)
        if isinstance(found, str):
            return found
        return replace(self._row(*found), prompt=prompt, answer=answer, origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Read the sum off the columns and add. The repair is the answer with its carries."""
        found = self._parsed(row.prompt)
        if isinstance(found, str):
            return Grade(0.0, found, evidence="execution")
        one, two, start = found
        known = self._row(one, two, start)
        written = re.fullmatch(rf"(?:\.\.){{{start}}}((?:[0-9][01]){{{known.level}}})", answer)
        if not written:
            reason = "it is not written under its columns"
        else:
            said = int(written[1][-1] + written[1][-2::-2])
            if said == one + two:
                return Grade(1.0, "adds up", evidence="execution")
            reason = f"it comes to {said}, not {one + two}"
        return Grade(0.0, reason, evidence="execution", correction=(row.prompt, known.target))

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def hinted(self, row: Row) -> str:
        """The row's prompt with the sum in its columns."""
        found = self._parsed(row.prompt)
        if not self.hint_share or isinstance(found, str):
            raise SelfsownError("sums: no real row has a hint, so none would be understood; set hints above 0")
        return self._row(*found, hint=True).prompt

    @property
    def _cell(self) -> int:
        return 3 if self.hint_share else 2

    def _parsed(self, prompt: str) -> tuple[int, int, int] | str:
        """Both numbers and where they begin, or the reason why there are none."""
        cells = [prompt[at : at + self._cell] for at in range(0, len(prompt), self._cell)]
        digits = "[0-9]{2}[0-9?]" if self.hint_share else "[0-9]{2}"
        filled = [at for at, cell in enumerate(cells) if re.fullmatch(digits, cell, re.ASCII)]
        if len(prompt) != self._cell * (self.max_digits):
            return f"its frame is not of {self.max_digits} columns"
        if not filled or any(cell != "." * self._cell for at, cell in enumerate(cells) if at not in filled):
            return "it is no addition in columns"
        start, size = filled[0], len(filled)
        if filled[-1] - start + 1 != size:
            return "its columns do not stand as they should"
        one, two = (int("".join(cells[at][which] for at in reversed(filled))) for which in (0, 1))
        return (one, two, start) if len(str(max(one, two))) == size else "both numbers begin with a nought"

    def _posed(self, chance: random.Random, size: int) -> Row:
        """A new problem; its answer is known, as its target."""
        one, two = chance.randrange(10 ** (size - 1) if size > 1 else 0, 10**size), chance.randrange(10**size)
        if chance.random() < 0.5:
            one, two = two, one
        return replace(self._row(one, two, chance.randint(0, self.max_digits - size)), answer="")

    def _row(self, one: int, two: int, start: int, hint: bool = False) -> Row:
        """The problem with the answer that works it out."""
        size, carry = len(str(max(one, two))), 0
        cells, answer = ["." * self._cell] * (self.max_digits), ".." * start
        digits = zip(str(one).zfill(size)[::-1], str(two).zfill(size)[::-1], strict=True)
        for at, (above, below) in enumerate(digits, start):
            carry, unit = divmod(int(above) + int(below) + carry, 10)
            answer += f"{unit}{carry}"
            cells[at] = above + below + (str(unit) if hint else "?") * (self._cell - 2)
        traits = {"long": "yes" if size > self.max_train_digits else "no"}
        problem = f"{min(one, two)}+{max(one, two)}"
        return Row("".join(cells), answer, problem=problem, target=answer, level=size, metadata=traits)
