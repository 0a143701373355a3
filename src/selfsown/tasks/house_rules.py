"""Requests under house rules: a task in which rules are stated before a request, or must be known.

A request is a list of digits, and the answer applies the rules that are stated before it:

    explicit   prompt "xre\n\n40713"   answer "xre:3174."   no zeros, reversed, with a full stop
    no_rules   prompt "40713"          answer ":40713"      no rules are stated, so the digits stay as they are
    expected   prompt "40713"          answer "xre:3174."   the house rules, although nobody stated them

Before the colon the writer recalls the rules; only what follows is checked. Real rows to train on are explicit, with
any set of rules, or have no rules. Rows that expect the house rules are held out and never trained on; so are the same
requests with the house rules stated (form "house_explicit").
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from selfsown.errors import RecipeError
from selfsown.option_types import Count, Natural
from selfsown.records import EVALUATION_ONLY, Grade, Row

RULES: dict[str, Callable[[str], str]] = {
    "x": lambda digits: digits.replace("0", ""),  # no zeros
    "u": lambda digits: "".join(dict.fromkeys(digits)),  # each digit once
    "r": lambda digits: digits[::-1],  # reversed
    "e": lambda digits: f"{digits}.",  # with a full stop
}
MAX_RULES = 3  # before one request
NO_RULES_SHARE = 0.2  # of the real rows
LENGTH = 5  # digits of a request
MAX_TRIES = 100  # to draw a request that is new
_PROMPT = re.compile(rf"(?:((?=[a-z]){''.join(f'{rule}?' for rule in RULES)})\n\n)?([0-9]{{{LENGTH}}})")


def apply_rules(rules: str, digits: str) -> str:
    """The digits after these rules, applied one after the other."""
    for rule in rules:
        digits = RULES[rule](digits)
    return digits


@dataclass(frozen=True)
class Task:
    """rows: real rows to train on. held_out_rows: requests that are held out, both with the house rules stated and
    without. expected_rules: the house rules, of x, u, r and e in this order."""

    rows: Count = 1500
    held_out_rows: Natural = 400
    expected_rules: Annotated[str, Field(pattern="^x?u?r?e?$", min_length=1)] = "xre"

    name = "house_rules"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Distinct requests; held-out ones occur twice. Raises RecipeError where there are not enough."""
        rng, rows, seen = random.Random(seed), list[Row](), set[str]()
        while len(seen) < self.rows:
            digits = _draw_digits(rng, seen)
            form = "no_rules" if rng.random() < NO_RULES_SHARE else "explicit"
            chosen = rng.sample(list(RULES), rng.randint(1, MAX_RULES)) if form == "explicit" else []
            rows.append(_row(form, "".join(rule for rule in RULES if rule in chosen), digits))
        for _ in range(self.held_out_rows):
            digits = _draw_digits(rng, seen)
            for form in ("house_explicit", "expected"):
                row = _row(form, self.expected_rules, digits)
                rows.append(replace(row, metadata={**row.metadata, **EVALUATION_ONLY}))
        return [
            replace(row, answer=row.target, source="house_rules", sample_index=index) for index, row in enumerate(rows)
        ]

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """Requests that expect the house rules, without answers."""
        rng, seen = random.Random(seed), set[str]()
        for _ in range(count):
            yield _row("expected", self.expected_rules, _draw_digits(rng, seen))

    def hinted(self, row: Row) -> str:
        """The row's prompt after the rules that it is checked by."""
        return f"{self.expected_rules}\n\n{row.prompt}" if row.metadata.get("form") == "expected" else row.prompt

    def opening(self, level: int) -> str:
        """A model that writes requests starts from nothing."""
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        """A request without rules is read as one that has none, not as one that expects the house rules."""
        parts = _PROMPT.fullmatch(prompt)
        if not parts:
            return f"it is not a request of {LENGTH} digits, with or without rules in their order"
        row = _row("explicit" if parts[1] else "no_rules", parts[1] or "", parts[2])
        return replace(row, answer=answer, origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Compare the text after the colon with the rules that apply. The correction is the answer by these rules."""
        parts = _PROMPT.fullmatch(row.prompt)
        if not parts:
            return Grade(0.0, f"the prompt is not a request of {LENGTH} digits", evidence="execution")
        rules = self.expected_rules if row.metadata.get("form") == "expected" else parts[1] or ""
        expected = apply_rules(rules, parts[2])
        actual = answer.partition(":")[2]
        if actual == expected:
            return Grade(1.0, "follows the rules", evidence="execution")
        correction = (row.prompt, f"{rules}:{expected}")
        reason = f"by {rules or 'no rules'} it is {expected}, not {actual}"
        return Grade(0.0, reason, evidence="execution", correction=correction)

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()


def _draw_digits(rng: random.Random, seen: set[str]) -> str:
    """The digits of a new request."""
    for _ in range(MAX_TRIES):
        digits = "".join(rng.choices("0123456789", k=LENGTH))
        if digits not in seen:
            seen.add(digits)
            return digits
    raise RecipeError(
        f"house_rules: cannot generate {len(seen) + 1:,} distinct requests of {LENGTH} digits; lower rows"
    )


def _row(form: str, rules: str, digits: str) -> Row:
    """A request without an answer, which is its target."""
    prompt = f"{rules}\n\n{digits}" if form in ("explicit", "house_explicit") else digits
    return Row(prompt, "", problem=digits, target=f"{rules}:{apply_rules(rules, digits)}", metadata={"form": form})
