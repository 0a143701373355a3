"""A chronicle of made-up people, each fact told in twelve ways: a corpus whose errors and gaps can be outvoted.

A person has a town, a craft and a beast. Some of what is told of them:

    prompt "bela's town is"     answer "crag"
    prompt "bela's town was"    answer "wick"      an error
    prompt "bela's town then"   answer "?"         a gap

Only the world knows which of its statements are wrong: the facts follow from the names, so that it can check any
answer, and a row's target is the fact, whatever the row says. Each statement is a problem of its own, so that a fact
which is learned from some of its statements is asked for in another. Values are of the hills or of the sea, 70 % and
30 %: that is the trait `side`, in which a slant would show.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from selfsown.option_types import Count, Share
from selfsown.records import Grade, Row, SelfsownError

SIDES = {"hill": 0.7, "sea": 0.3}
VALUES = {
    "town": {"hill": ("crag", "dale", "fell", "peak", "tor"), "sea": ("bay", "cove", "reef", "ness", "wick")},
    "craft": {
        "hill": ("mason", "miner", "smith", "cook", "weaver"),
        "sea": ("diver", "pilot", "oarsman", "salter", "netter"),
    },
    "beast": {"hill": ("bear", "goat", "hawk", "lynx", "wolf"), "sea": ("crab", "gull", "otter", "seal", "tern")},
}
WAYS = ("is", "was", "then", "now", "once", "still", "they say", "by law", "of old", "for sure", "as ever", "again")
GAP = "?"
NAMES = ["".join(letters) for letters in product("bdfgklmnprstvz", "aeiou", "bdfgklmnprstvz", "aeiou")]
_SIDE = {value: side for sides in VALUES.values() for side, values in sides.items() for value in values}
_PROMPT = re.compile(rf"([a-z]+)'s ({'|'.join(VALUES)}) ({'|'.join(WAYS)})")


def truth(who: str, fact: str) -> str:
    """What is so: it follows from the two words alone."""
    chance = random.Random(hashlib.sha256(f"{who} {fact}".encode()).digest())
    (side,) = chance.choices(list(SIDES), list(SIDES.values()))
    return chance.choice(VALUES[fact][side])


@dataclass(frozen=True)
class Task:
    """people: how many there are; of each there are 36 statements. errors and gaps: the shares of the statements that
    name another value, or none."""

    people: Count = 100
    error_rate: Share = 0.0
    gap_rate: Share = 0.0

    name = "noisy_facts"
    top_level = 0
    verifiable = True
    forms = ()

    def pose(self, seed: int) -> list[Row]:
        """Every statement once, in an order drawn by chance."""
        if self.people > len(NAMES):
            raise SelfsownError(f"chronicle: {self.people} people are not to be had; there are {len(NAMES)} names")
        if self.error_rate + self.gap_rate > 1:
            raise SelfsownError(
                f"chronicle: errors {self.error_rate} and gaps {self.gap_rate} are more than all statements"
            )
        chance = random.Random(seed)
        people = chance.sample(NAMES, self.people)
        rows = [_row(f"{who}'s {fact} {way}", who, fact) for who in people for fact in VALUES for way in WAYS]
        chance.shuffle(rows)
        wrong = round(self.error_rate * len(rows))
        empty = wrong + round(self.gap_rate * len(rows))
        for at, row in enumerate(rows[:empty]):
            others = [value for value in _values(row.metadata["fact"]) if value != row.answer]
            rows[at] = _told(row, chance.choice(others) if at < wrong else GAP)
        chance.shuffle(rows)
        return [replace(row, source="noisy_facts", sample_index=at) for at, row in enumerate(rows)]

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        if not (asked := _PROMPT.fullmatch(prompt)):
            return f"{prompt!r} asks for no fact"
        if answer not in _values(asked[2]):
            return f"{answer!r} is no {asked[2]}"
        return replace(_told(_row(prompt, asked[1], asked[2]), answer), origin="synthetic", target="")

    def check(self, row: Row, answer: str) -> Grade:
        """Against the fact. The repair is the fact."""
        if not (asked := _PROMPT.fullmatch(row.prompt)):
            return Grade(0.0, f"{row.prompt!r} asks for no fact", evidence="oracle")
        right = truth(asked[1], asked[2])
        if answer == right:
            return Grade(1.0, "so it is", evidence="oracle")
        return Grade(0.0, f"it is {right}, not {answer}", evidence="oracle", correction=(row.prompt, right))

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())


def _row(prompt: str, who: str, fact: str) -> Row:
    right = truth(who, fact)
    return Row(prompt, right, target=right, metadata={"fact": fact, "side": _SIDE[right]})


def _told(row: Row, answer: str) -> Row:
    """The same statement with this answer; a gap is of no side."""
    traits = {"fact": row.metadata["fact"]} | ({"side": _SIDE[answer]} if answer != GAP else {})
    return replace(row, answer=answer, metadata=traits)


def _values(fact: str) -> list[str]:
    return [value for values in VALUES[fact].values() for value in values]
