"""A kind of constraint: the sentences that pose it, how its parameters are drawn, and how an answer is checked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]  # a whole number, a text or a list of texts each, as the kind's `parameters` say
Check = Callable[[str, Parameters], str]  # (answer, parameters): why the constraint is not kept; "" where it is
Draw = Callable[[random.Random, str], dict[str, Any] | None]  # (…, instruction): None where it does not suit
OwnPart = Callable[[str, Parameters], str | None]


def whole(answer: str, parameters: Parameters) -> str:
    """The answer: nothing in it is dictated."""
    return answer


@dataclass(frozen=True)
class Kind:
    """A kind of constraint.

    name: as recipes, files and scores have it.
    family: kinds of one family are not posed together, since they often contradict one another.
    wordings: the sentences that pose it, with the parameters in braces.
    parameters: the type of each parameter: int, str or list (of texts).
    draw: draws parameters for an instruction.
    check: why an answer does not keep it.
    own_part: the answer without what the constraint dictates, such as an end phrase; None where all of it is dictated.
    alone: it decides the form of the whole answer, and is not posed together with others.
    counts_words: it limits the length in words, and is not posed together with another such limit.
    short: it can be kept within 20 words.
    """

    name: str
    family: str
    wordings: tuple[str, ...]
    parameters: Mapping[str, type]
    draw: Draw
    check: Check
    own_part: OwnPart = whole
    alone: bool = False
    counts_words: bool = False
    short: bool = True

    def fits_with(self, other: Kind) -> bool:
        """Whether both may be posed of one answer."""
        families = {self.family, other.family}
        return len(families) == 2 and not (self.alone or other.alone) and families != {"length", "layout"}

    def sentences(self, parameters: Parameters) -> list[str]:
        """The sentences that pose it, one for each wording."""
        values = {name: _written(value) for name, value in parameters.items()}
        return [wording.format(**values) for wording in self.wordings]


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def counted(count: int, noun: str) -> str:
    """ "1 word", "2 words"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def at_least(count: int, minimum: int, noun: str) -> str:
    """Why a count is too small; "" where it is not."""
    return "" if count >= minimum else f"it has {counted(count, noun)}, not at least {minimum:,}"


def at_most(count: int, maximum: int, noun: str) -> str:
    """Why a count is too large; "" where it is not."""
    return "" if count <= maximum else f"it has {counted(count, noun)}, not at most {maximum:,}"


def exactly(count: int, expected: int, noun: str) -> str:
    """Why a count is wrong; "" where it is right."""
    return "" if count == expected else f"it has {counted(count, noun)}, not {expected:,}"


def between(name: str, low: int, high: int) -> Draw:
    """Draws one whole number."""
    return lambda rng, instruction: {name: rng.randint(low, high)}


def one_of(name: str, *values: Any) -> Draw:
    """Draws one of these values."""
    return lambda rng, instruction: {name: rng.choice(values)}


def nothing(rng: random.Random, instruction: str) -> dict[str, Any]:
    """For a kind without parameters."""
    return {}
