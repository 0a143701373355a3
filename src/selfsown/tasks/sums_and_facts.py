"""Sums, which can be calculated, and facts, which follow from nothing: a skill and knowledge side by side.

    skill    prompt "+47+85"   answer "231"   the sum 132, units first, as it is calculated on paper
    fact     prompt "?b lomak" answer "407"   the fact about lomak, asked in wording b

Each fact is asked in several wordings, so that some can be trained on while others are held out. Nobody can know
whether a fact that a model writes is true; only answers to real questions can be checked. So facts reach the training
data by real rows alone, and a model's own rows can add to the skill only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from selfsown.errors import RecipeError
from selfsown.option_types import Count
from selfsown.records import Grade, Row

Digits = Annotated[int, Field(ge=1, le=6)]  # of a number
Wordings = Annotated[int, Field(ge=2, le=8)]
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
WORDINGS = "abcdefgh"
MAX_FACTS = len(CONSONANTS) ** 3 * len(VOWELS) ** 2 // 2  # half of all names, so that new ones are found soon
_SUM, _FACT = re.compile(r"\+(\d+)\+(\d+)"), re.compile(r"\?([a-h]) ([a-z]+)")


@dataclass(frozen=True)
class Task:
    """sums: real sums. digits: of each number. facts: how many there are. wordings: real rows about each fact."""

    sums: Count = 1400
    digits: Digits = 2
    facts: Count = 200
    wordings: Wordings = 5

    name = "sums_and_facts"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Distinct sums and all facts, in random order. Raises RecipeError where there are not enough of either."""
        rng = np.random.default_rng(seed)
        span = 10**self.digits
        if self.sums > span * span // 2:
            raise RecipeError(
                f"sums_and_facts: cannot generate {self.sums} distinct sums of {self.digits} digits; lower sums"
            )
        numbers = map(int, rng.choice(span * span, size=self.sums, replace=False))
        prompts = [f"+{number // span:0{self.digits}}+{number % span:0{self.digits}}" for number in numbers]
        rows = [self._row(prompt, self._sum(prompt)) for prompt in prompts]
        for name in self._names(rng):
            value = f"{int(rng.integers(1000)):03}"
            rows += [self._row(f"?{wording} {name}", value) for wording in WORDINGS[: self.wordings]]
        order = map(int, rng.permutation(len(rows)))
        return [replace(rows[place], source="sums_and_facts", sample_index=index) for index, place in enumerate(order)]

    def opening(self, level: int) -> str:
        """Models write sums only, because nobody can check the facts that they would write."""
        return "+"

    def read(self, prompt: str, answer: str) -> Row | str:
        numbers = _SUM.fullmatch(prompt)
        if not numbers and not _FACT.fullmatch(prompt):
            return "it asks for neither a sum nor a fact"
        if numbers and {len(number) for number in numbers.groups()} != {self.digits}:
            return f"its numbers do not have {self.digits} digits"
        if not re.fullmatch(r"\d+", answer):
            return f"{answer!r} is not a number"
        return replace(self._row(prompt, answer), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Any sum can be calculated; a fact is known for real rows only, and the grade of others is failed."""
        if _SUM.fullmatch(row.prompt):
            right = self._sum(row.prompt)
            if answer == right:
                return Grade(1.0, "adds up", evidence="execution")
            return Grade(0.0, f"the sum is {right}", evidence="execution", correction=(row.prompt, right))
        if not row.target:
            return Grade(0.0, "unknown: no real row has this fact", evidence="oracle", failed=True)
        return Grade(float(answer == row.target), f"the fact is {row.target}", evidence="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())

    def _names(self, rng: np.random.Generator) -> list[str]:
        """Distinct names of three syllables."""
        if self.facts > MAX_FACTS:
            raise RecipeError(
                f"sums_and_facts: cannot generate {self.facts} distinct facts; lower facts to {MAX_FACTS} or less"
            )
        names: dict[str, None] = {}
        while len(names) < self.facts:
            letters = [rng.choice(list(pool)) for pool in (CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS)]
            names["".join(map(str, letters))] = None
        return list(names)

    def _sum(self, prompt: str) -> str:
        """The sum, units first, padded to one digit more than the numbers have."""
        return f"{sum(map(int, prompt[1:].split('+'))):0{self.digits + 1}}"[::-1]

    def _row(self, prompt: str, answer: str) -> Row:
        kind = "skill" if prompt.startswith("+") else "fact"
        return Row(prompt, answer, problem=prompt, target=answer, metadata={"kind": kind})
