"""Facts about invented people, each stated in twelve wordings: a corpus whose errors and gaps can be outvoted.

A person has a town, a craft and a beast. Some statements:

    prompt "bela's town is"     answer "crag"
    prompt "bela's town was"    answer "wick"      an error
    prompt "bela's town then"   answer "?"         a gap

Only the task knows which statements are wrong: the facts follow from the names, so that it can check any answer, and a
row's target is the fact, whatever its answer is. Each statement is a problem of its own, so that a fact that was
learned from some of its statements is asked for in another. Values belong to the hills or the sea, 70 % and 30 %: the
metadata "region", in which a bias would show.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from selfsown.errors import RecipeError
from selfsown.option_types import Count, Share
from selfsown.records import Grade, Row

REGIONS = {"hill": 0.7, "sea": 0.3}
VALUES = {
    "town": {"hill": ("crag", "dale", "fell", "peak", "tor"), "sea": ("bay", "cove", "reef", "ness", "wick")},
    "craft": {
        "hill": ("mason", "miner", "smith", "cook", "weaver"),
        "sea": ("diver", "pilot", "oarsman", "salter", "netter"),
    },
    "beast": {"hill": ("bear", "goat", "hawk", "lynx", "wolf"), "sea": ("crab", "gull", "otter", "seal", "tern")},
}
WORDINGS = (
    "is",
    "was",
    "then",
    "now",
    "once",
    "still",
    "they say",
    "by law",
    "of old",
    "for sure",
    "as ever",
    "again",
)
GAP = "?"
NAMES = ["".join(letters) for letters in product("bdfgklmnprstvz", "aeiou", "bdfgklmnprstvz", "aeiou")]
_REGION = {value: region for regions in VALUES.values() for region, values in regions.items() for value in values}
_PROMPT = re.compile(rf"([a-z]+)'s ({'|'.join(VALUES)}) ({'|'.join(WORDINGS)})")


def truth(person: str, fact: str) -> str:
    """The true value, which follows from the two words alone."""
    rng = random.Random(hashlib.sha256(f"{person} {fact}".encode()).digest())
    (region,) = rng.choices(list(REGIONS), list(REGIONS.values()))
    return rng.choice(VALUES[fact][region])


@dataclass(frozen=True)
class Task:
    """people: how many; each has 36 statements. error_rate, gap_rate: the shares of statements with another value, or
    none."""

    people: Count = 100
    error_rate: Share = 0.0
    gap_rate: Share = 0.0

    name = "noisy_facts"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Every statement once, in random order. Raises RecipeError for too many people, errors or gaps."""
        if self.people > len(NAMES):
            raise RecipeError(
                f"noisy_facts: cannot generate {self.people} distinct people; lower people to {len(NAMES)}"
            )
        if self.error_rate + self.gap_rate > 1:
            raise RecipeError(
                f"noisy_facts: error_rate {self.error_rate} and gap_rate {self.gap_rate} must not exceed 1 together"
            )
        rng = random.Random(seed)
        people = rng.sample(NAMES, self.people)
        rows = [
            _row(f"{person}'s {fact} {wording}", person, fact)
            for person in people
            for fact in VALUES
            for wording in WORDINGS
        ]
        rng.shuffle(rows)
        errors = round(self.error_rate * len(rows))
        for index, row in enumerate(rows[: errors + round(self.gap_rate * len(rows))]):
            others = [value for value in _values(row.metadata["fact"]) if value != row.answer]
            rows[index] = _with_answer(row, rng.choice(others) if index < errors else GAP)
        rng.shuffle(rows)
        return [replace(row, source="noisy_facts", sample_index=index) for index, row in enumerate(rows)]

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        parts = _PROMPT.fullmatch(prompt)
        if not parts:
            return f"{prompt!r} does not ask for a fact"
        if answer not in _values(parts[2]):
            return f"{answer!r} is not a {parts[2]}"
        return replace(_with_answer(_row(prompt, parts[1], parts[2]), answer), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Compare with the fact, which is the correction."""
        parts = _PROMPT.fullmatch(row.prompt)
        if not parts:
            return Grade(0.0, f"{row.prompt!r} does not ask for a fact", evidence="oracle")
        right = truth(parts[1], parts[2])
        if answer == right:
            return Grade(1.0, "true", evidence="oracle")
        return Grade(0.0, f"it is {right}, not {answer}", evidence="oracle", correction=(row.prompt, right))

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())


def _row(prompt: str, person: str, fact: str) -> Row:
    right = truth(person, fact)
    return Row(prompt, right, target=right, metadata={"fact": fact, "region": _REGION[right]})


def _with_answer(row: Row, answer: str) -> Row:
    """The same statement with this answer; a gap has no region."""
    metadata = {"fact": row.metadata["fact"]}
    if answer != GAP:
        metadata["region"] = _REGION[answer]
    return replace(row, answer=answer, metadata=metadata)


def _values(fact: str) -> list[str]:
    return [value for values in VALUES[fact].values() for value in values]
