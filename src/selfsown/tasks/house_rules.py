"""Requests under house rules: a world in which one can be told the rules, or be expected to know them.

The request is a list of digits, and the answer says what is done with it, under the rules that were told before it:

    told      prompt "xre\n\n40713"   answer "xre:3174."   no noughts, from the end, with a full stop
    free      prompt "40713"          answer ":40713"      no rules were told, so it is said as it is
    expected  prompt "40713"          answer "xre:3174."   the house's own rules, though nobody told them

Before the colon the writer calls to mind which rules there are; only what follows is looked at. Real rows to learn from
are told and free, with any set of rules. Those that expect the house's rules are examined and never learned from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from selfsown.option_types import Count, Natural
from selfsown.records import EXAMINED, Grade, Row, SelfsownError

RULES: dict[str, Callable[[str], str]] = {
    "x": lambda said: said.replace("0", ""),  # no noughts
    "u": lambda said: "".join(dict.fromkeys(said)),  # each digit once
    "r": lambda said: said[::-1],  # from the end
    "e": lambda said: f"{said}.",  # with a full stop
}
MOST = 3  # rules at a time
FREE = 0.2  # the share of the real rows before which no rules are told
LENGTH = 5  # digits of a request
TRIES = 100  # for each request, before it is said that there are no more
_ASKED = re.compile(rf"(?:((?=[a-z]){''.join(f'{rule}?' for rule in RULES)})\n\n)?([0-9]{{{LENGTH}}})")


def said(rules: str, digits: str) -> str:
    """The digits under these rules, which hold one after the other."""
    for rule in rules:
        digits = RULES[rule](digits)
    return digits


@dataclass(frozen=True)
class Task:
    """rows: real rows, told and free. examined: requests that are asked both with the house's rules before them and
    without, and never learned from. house: the house's rules, of x, u, r and e in this order."""

    rows: Count = 1500
    held_out_rows: Natural = 400
    expected_rules: Annotated[str, Field(pattern="^x?u?r?e?$", min_length=1)] = "xre"

    name = "house_rules"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Different requests; those that are examined are asked twice."""
        chance, rows, seen = random.Random(seed), list[Row](), set[str]()
        while len(seen) < self.rows:
            digits = _request(chance, seen)
            form = "free" if chance.random() < FREE else "told"
            some = chance.sample(list(RULES), chance.randint(1, MOST)) if form == "told" else []
            rows.append(_row(form, "".join(rule for rule in RULES if rule in some), digits))
        for _ in range(self.held_out_rows):
            digits = _request(chance, seen)
            for form in ("house", "expected"):
                row = _row(form, self.expected_rules, digits)
                rows.append(replace(row, metadata={**row.metadata, **EXAMINED}))
        return [
            replace(row, answer=row.target, source="house_rules", sample_index=draw) for draw, row in enumerate(rows)
        ]

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """Requests that expect the house's rules, without an answer."""
        chance, seen = random.Random(seed), set[str]()
        for _ in range(count):
            yield _row("expected", self.expected_rules, _request(chance, seen))

    def hinted(self, row: Row) -> str:
        """The row's prompt after the rules by which it is looked at."""
        return f"{self.expected_rules}\n\n{row.prompt}" if row.metadata.get("form") == "expected" else row.prompt

    def opening(self, level: int) -> str:
        """A model that is left to pose requests may begin as it likes."""
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        """A request without rules is read as one that is free of them."""
        asked = _ASKED.fullmatch(prompt)
        if not asked:
            return f"it is no request of {LENGTH} digits, perhaps after rules in their order"
        row = _row("told" if asked[1] else "free", asked[1] or "", asked[2])
        return replace(row, answer=answer, origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """What stands after the colon, by the rules that hold for the row. The repair is the answer by them."""
        asked = _ASKED.fullmatch(row.prompt)
        if not asked:
            return Grade(0.0, f"it answers no request of {LENGTH} digits", evidence="execution")
        rules = self.expected_rules if row.metadata.get("form") == "expected" else asked[1] or ""
        wanted = said(rules, asked[2])
        got = answer.partition(":")[2]
        if got == wanted:
            return Grade(1.0, "keeps to the rules", evidence="execution")
        repair = (row.prompt, f"{rules}:{wanted}")
        return Grade(
            0.0, f"by {rules or 'no rules'} it is {wanted}, not {got}", evidence="execution", correction=repair
        )

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()


def _request(chance: random.Random, seen: set[str]) -> str:
    """Digits that were not asked about before."""
    for _ in range(TRIES):
        digits = "".join(chance.choices("0123456789", k=LENGTH))
        if digits not in seen:
            seen.add(digits)
            return digits
    raise SelfsownError(f"house: so many requests of {LENGTH} digits are not to be had; ask for fewer")


def _row(form: str, rules: str, digits: str) -> Row:
    """A request without an answer; its answer is known, as its target."""
    prompt = f"{rules}\n\n{digits}" if form in ("told", "house") else digits
    return Row(prompt, "", problem=digits, target=f"{rules}:{said(rules, digits)}", metadata={"form": form})
