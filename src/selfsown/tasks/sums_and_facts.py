"""An almanac: sums, which can be reckoned, and facts, which nothing follows from: a skill and knowledge side by side.

    skill    prompt "+47+85"   answer "231"   the sum 132, units first, as it is reckoned on paper
    fact     prompt "?b lomak" answer "407"   what the almanac says of lomak, asked in wording b

Each fact is asked in several wordings, so that some may be learned from while others are held out. Of a fact that a
model writes, nobody can say whether it is true; only an answer to a real question is held against the almanac. So
facts come into training by real rows alone, and a model's own rows can add to the skill only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from selfsown.option_types import Count
from selfsown.records import Grade, Row, SelfsownError

Wide = Annotated[int, Field(ge=1, le=6)]  # digits of a number
Wordings = Annotated[int, Field(ge=2, le=8)]
CONSONANTS, VOWELS, FORMS = "bdfgklmnprstvz", "aeiou", "abcdefgh"
NAMES = len(CONSONANTS) ** 3 * len(VOWELS) ** 2
_SUM, _FACT = re.compile(r"\+(\d+)\+(\d+)"), re.compile(r"\?([a-h]) ([a-z]+)")


@dataclass(frozen=True)
class Task:
    """sums: how many real sums there are; digits: of each number. facts: how many the almanac has; wordings: in how
    many ways each is asked, every one a real row."""

    sums: Count = 1400
    digits: Wide = 2
    facts: Count = 200
    wordings: Wordings = 5

    name = "sums_and_facts"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Sums and facts by chance, no sum twice, in an order by chance."""
        rng = np.random.default_rng(seed)
        span = 10**self.digits
        if self.sums > span * span // 2:
            raise SelfsownError(f"almanac: {self.sums} sums of {self.digits} digits are not to be had; ask for fewer")
        chosen = rng.choice(span * span, size=self.sums, replace=False)
        said = [(f"+{at // span:0{self.digits}}+{at % span:0{self.digits}}", "") for at in map(int, chosen)]
        for name in self._names(rng):
            what = f"{int(rng.integers(1000)):03}"
            said += [(f"?{form} {name}", what) for form in FORMS[: self.wordings]]
        rows = [self._row(prompt, what or self._sum(prompt)) for prompt, what in said]
        order = rng.permutation(len(rows))
        return [
            replace(rows[at], source="sums_and_facts", sample_index=draw) for draw, at in enumerate(map(int, order))
        ]

    def opening(self, level: int) -> str:
        """Sums alone are asked for: what a model would write of facts, nobody could check."""
        return "+"

    def read(self, prompt: str, answer: str) -> Row | str:
        found = _SUM.fullmatch(prompt)
        if not found and not _FACT.fullmatch(prompt):
            return "it asks for neither a sum nor a fact"
        if found and {len(number) for number in found.groups()} != {self.digits}:
            return f"its numbers are not of {self.digits} digits"
        if not re.fullmatch(r"\d+", answer):
            return f"{answer!r} is no number"
        return replace(self._row(prompt, answer), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Sums are reckoned, whoever asks. Of facts, the answer to a real row is known, and of no other."""
        if _SUM.fullmatch(row.prompt):
            right = self._sum(row.prompt)
            if answer == right:
                return Grade(1.0, "adds up", evidence="execution")
            return Grade(0.0, f"it adds up to {right}", evidence="execution", correction=(row.prompt, right))
        if not row.target:
            return Grade(0.0, "a fact that no real row tells: nobody can say", evidence="oracle", failed=True)
        return Grade(float(answer == row.target), f"the almanac says {row.target}", evidence="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())

    def _names(self, rng: np.random.Generator) -> list[str]:
        """Different ones, of three syllables at the most."""
        if self.facts > NAMES // 2:  # the last ones would be long in coming
            raise SelfsownError(
                f"almanac: {self.facts} names are not to be had; ask for fewer facts, {NAMES // 2} at most"
            )
        found: dict[str, None] = {}
        while len(found) < self.facts:
            letters = [rng.choice(list(each)) for each in (CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS)]
            found["".join(map(str, letters))] = None
        return list(found)

    def _sum(self, prompt: str) -> str:
        """Units first, with room for a carry."""
        return f"{sum(map(int, prompt[1:].split('+'))):0{self.digits + 1}}"[::-1]

    def _row(self, prompt: str, answer: str) -> Row:
        kind = "skill" if prompt.startswith("+") else "fact"
        return Row(prompt, answer, problem=prompt, target=answer, metadata={"kind": kind})
