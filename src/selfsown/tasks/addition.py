"""Additions with their carries written out: a task with short problems to train on and longer ones to evaluate on.

A problem is written in columns from the units up, and the answer has a digit and its carry for each column:

    47 + 85    prompt "7548........"    answer "2131": 7 + 5 is 2 carry 1, 4 + 8 + 1 is 3 carry 1, so 132

The columns are somewhere in a frame of the same width for every problem, with dots on both sides, so that a position
does not tell how long a problem is. The level is the number of columns. An answer is right if it has the right sum; its
carries are not checked. With hints, a column has a third character: "?" or, as a hint, the digit of the sum.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selfsown.errors import RecipeError
from selfsown.option_types import Count, Level, Natural, Share
from selfsown.records import EVALUATION_ONLY, Grade, Row

MAX_TRIES = 100  # to draw a problem that is new


@dataclass(frozen=True)
class Task:
    """rows: real problems of 1 to max_train_digits columns. longer_rows: problems of each larger number of columns, up
    to max_digits, which are held out and never trained on. hint_share: the share of real problems that have a hint."""

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
        """Distinct problems; a + b and b + a are the same. Raises RecipeError where there are not enough."""
        rng, rows, keys = random.Random(seed), list[Row](), set[str]()
        for sizes in self._sizes():
            tries = (self._draw(rng, rng.choice(sizes)) for _ in range(MAX_TRIES))
            row = next((row for row in tries if row.key not in keys), None)
            if row is None:
                raise RecipeError(
                    f"addition: cannot generate {self.rows} distinct problems of up to {self.max_train_digits} "
                    "columns; lower rows"
                )
            keys.add(row.key)
            has_hint = rng.random() < self.hint_share and row.level <= self.max_train_digits
            metadata = {**row.metadata, **(EVALUATION_ONLY if row.level > self.max_train_digits else {})}
            row = replace(row, prompt=self.hinted(row) if has_hint else row.prompt, metadata=metadata)
            rows.append(replace(row, answer=row.target, source="addition", sample_index=len(rows)))
        return rows

    def _sizes(self) -> Iterator[range]:
        """The numbers of columns that each real problem may have."""
        for _ in range(self.rows):
            yield range(1, self.max_train_digits + 1)
        for size in range(self.max_train_digits + 1, self.max_digits + 1):
            for _ in range(self.longer_rows):
                yield range(size, size + 1)

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """New problems without answers: half of the level itself, half of any level up to it."""
        rng = random.Random(seed)
        for _ in range(count):
            yield self._draw(rng, level if rng.random() < 0.5 else rng.randint(1, level))

    def opening(self, level: int) -> str:
        """A model that writes problems starts from nothing."""
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        parsed = self._parse(prompt)
        if isinstance(parsed, str):
            return parsed
        return replace(self._row(*parsed), prompt=prompt, answer=answer, origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Read the sum from the columns and compare. The correction is the answer with its carries."""
        parsed = self._parse(row.prompt)
        if isinstance(parsed, str):
            return Grade(0.0, parsed, evidence="execution")
        one, two, start = parsed
        known = self._row(one, two, start)
        written = re.fullmatch(rf"(?:\.\.){{{start}}}((?:[0-9][01]){{{known.level}}})", answer)
        if not written:
            reason = "the answer is not aligned with its columns"
        else:
            total = int(written[1][-1] + written[1][-2::-2])
            if total == one + two:
                return Grade(1.0, "adds up", evidence="execution")
            reason = f"the sum is {one + two}, not {total}"
        return Grade(0.0, reason, evidence="execution", correction=(row.prompt, known.target))

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def hinted(self, row: Row) -> str:
        """The row's prompt with the sum in its columns. Raises RecipeError where real rows have no hints."""
        parsed = self._parse(row.prompt)
        if not self.hint_share or isinstance(parsed, str):
            raise RecipeError(
                "addition: no real row has a hint, so the model does not know hints; set hint_share above 0"
            )
        return self._row(*parsed, hint=True).prompt

    @property
    def _column_chars(self) -> int:
        return 3 if self.hint_share else 2

    def _parse(self, prompt: str) -> tuple[int, int, int] | str:
        """Both numbers and the column where they begin, or the reason why the prompt is not a problem."""
        width = self._column_chars
        cells = [prompt[start : start + width] for start in range(0, len(prompt), width)]
        digits = "[0-9]{2}[0-9?]" if self.hint_share else "[0-9]{2}"
        filled = [index for index, cell in enumerate(cells) if re.fullmatch(digits, cell, re.ASCII)]
        if len(prompt) != width * self.max_digits:
            return f"the frame does not have {self.max_digits} columns"
        if not filled or any(cell != "." * width for index, cell in enumerate(cells) if index not in filled):
            return "it is not an addition in columns"
        start, size = filled[0], len(filled)
        if filled[-1] - start + 1 != size:
            return "its columns are not contiguous"
        one, two = (int("".join(cells[index][line] for index in reversed(filled))) for line in (0, 1))
        return (one, two, start) if len(str(max(one, two))) == size else "both numbers begin with a zero"

    def _draw(self, rng: random.Random, size: int) -> Row:
        """A new problem of this many columns without its answer, which is its target."""
        one, two = rng.randrange(10 ** (size - 1) if size > 1 else 0, 10**size), rng.randrange(10**size)
        if rng.random() < 0.5:
            one, two = two, one
        return replace(self._row(one, two, rng.randint(0, self.max_digits - size)), answer="")

    def _row(self, one: int, two: int, start: int, hint: bool = False) -> Row:
        """The problem with its worked answer."""
        size, carry = len(str(max(one, two))), 0
        cells, answer = ["." * self._column_chars] * self.max_digits, ".." * start
        digits = zip(str(one).zfill(size)[::-1], str(two).zfill(size)[::-1], strict=True)
        for index, (above, below) in enumerate(digits, start):
            carry, unit = divmod(int(above) + int(below) + carry, 10)
            answer += f"{unit}{carry}"
            cells[index] = above + below
            if self.hint_share:
                cells[index] += str(unit) if hint else "?"
        metadata = {"long": "yes" if size > self.max_train_digits else "no"}
        problem = f"{min(one, two)}+{max(one, two)}"
        return Row("".join(cells), answer, problem=problem, target=answer, level=size, metadata=metadata)
