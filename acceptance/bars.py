"""A bar: what is asked, what was seen, and whether it holds. Runs of recipes over seeds, and what they differ by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation
from selfsown.stats.intervals import student


@dataclass(frozen=True)
class Bar:
    """what: the measure, with its unit; asked: the bar, in words; seen: what was measured, with its interval."""

    what: str
    asked: str
    seen: str
    holds: bool


@dataclass(frozen=True)
class Mean:
    """The mean of one value a seed, with Student's 95 % interval."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        return cls(tuple(values))

    @property
    def interval(self) -> tuple[float, float]:
        return student(self.values) if len(self.values) > 1 else (float("-inf"), float("inf"))

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]

    def __sub__(self, other: Mean) -> Mean:
        """Paired by seed."""
        return Mean.of(one - two for one, two in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        middle = sum(self.values) / len(self.values)
        return f"{middle:+.3f} [{self.low:+.3f}, {self.high:+.3f}]" if len(self.values) > 1 else f"{middle:+.3f}"


def course(folder: Path, recipe: str, arm: str, seed: int, changes: Sequence[str] = ()) -> list[Generation]:
    """The generations of this arm of a recipe, from the folder if it was run there before."""
    return run(Recipe.load(recipe, [*changes, f"seed={seed}", "control=false"]), folder / f"{arm}-{seed}")


def last(courses: Iterable[Sequence[Generation]], score: str) -> Mean:
    """The score of each course's last generation."""
    return Mean.of(_value(generations[-1], score) for generations in courses)


def _value(generation: Generation, name: str) -> float:
    value = generation.pooled(name)
    if value is None:
        raise KeyError(f"generation {generation.number} has no score {name!r}")
    return value
