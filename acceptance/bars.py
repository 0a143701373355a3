"""A bar: a requirement, what was measured, and whether it passed. Runs of recipes over seeds, and their differences."""

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
    """measure: what is measured, with its unit; requirement: in words; result: with its interval; passed: whether the
    result meets the requirement (always true of what is only reported)."""

    measure: str
    requirement: str
    result: str
    passed: bool


@dataclass(frozen=True)
class Mean:
    """The mean of one value per seed, with Student's 95 % interval."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        return cls(tuple(values))

    @property
    def value(self) -> float:
        return sum(self.values) / len(self.values)

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
        return Mean.of(left - right for left, right in zip(self.values, other.values, strict=True))

    def __str__(self) -> str:
        return (
            f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]" if len(self.values) > 1 else f"{self.value:+.3f}"
        )


def run_arm(folder: Path, recipe: str, arm: str, seed: int, overrides: Sequence[str] = ()) -> list[Generation]:
    """The generations of this arm of a recipe; read from the folder if it was run there before."""
    return run(Recipe.load(recipe, [*overrides, f"seed={seed}", "control=false"]), folder / f"{arm}-{seed}")


def final_scores(histories: Iterable[Sequence[Generation]], score: str) -> Mean:
    """The score of each run's last generation."""
    return Mean.of(_value(generations[-1], score) for generations in histories)


def _value(generation: Generation, name: str) -> float:
    value = generation.pooled(name)
    if value is None:
        raise KeyError(f"generation {generation.number} has no score {name!r}")
    return value
