"""Scores of a model, verdicts of guards, and the generation that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Direction = Literal["higher", "lower", "neither", "target 1"]  # which values of a score are better


def distance(value: float, direction: Direction) -> float:
    """What two values of a score are compared by: of one whose target is 1, the distance to 1; otherwise the value."""
    return abs(value - 1) if direction == "target 1" else value


def less_is_better(direction: str) -> bool:
    """Whether the smaller of two values is better, or of two distances to a target."""
    return direction in ("lower", "target 1")


@dataclass(frozen=True)
class Score:
    """One measured number with its 95 % interval.

    direction: "higher" or "lower" values are better, or "neither"; or the "target 1" is, and what is farther from it is
    worse on either side. outcomes: of a share that two models are compared by question by question, "1" for each
    question that was answered rightly and "0" for each other one, in their order.
    """

    name: str
    value: float
    n: int  # held-out real rows that it was measured on
    low: float
    high: float
    stratum: str = ""  # such as "form=induction, level=2"; "": all rows
    direction: Direction = "higher"
    outcomes: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}[{self.stratum}]" if self.stratum else self.name

    def exceeds(self, other: Score) -> bool:
        """Whether this value is better than the other's; intervals are not compared."""
        ours, theirs = self.comparable().value, other.comparable().value
        return ours < theirs if less_is_better(self.direction) else ours > theirs

    def comparable(self) -> Score:
        """The score; of one whose target is 1 its distance to 1, with the interval of the distance: less is better."""
        if self.direction != "target 1":
            return self
        ends = sorted((abs(self.low - 1), abs(self.high - 1)))
        low = 0.0 if self.low <= 1 <= self.high else ends[0]
        return replace(self, value=abs(self.value - 1), low=low, high=ends[1], direction="lower")


Family = Literal["creativity", "bias", "function", "form", "gap"]  # gap: to real rows; it raises no alarm
Unit = Literal["%", "points", "of log-odds"]


@dataclass(frozen=True)
class Signal:
    """One measure of change, above 0 where the newer model is worse.

    0.1 means 10 % less than before, 10 percentage points, or 0.1 of log-odds, by its unit.
    """

    name: str
    family: Family
    value: float
    low: float  # 95 % interval
    high: float
    p: float  # probability of such a change if nothing changed
    tolerance: float  # changes up to this size raise no alarm
    mde: float  # minimum detectable effect: the smallest change that the test detects, at 80 % power
    n: int  # texts on either side
    unit: Unit = "%"
    significant: bool = False  # after Holm's correction over everything tested with it

    @property
    def is_alarm(self) -> bool:
        """Whether the change is significant and exceeds its tolerance; a gap to real rows is never an alarm."""
        return self.significant and self.value > self.tolerance and self.family != "gap"


@dataclass(frozen=True)
class Verdict:
    """Whether a guard accepts a generation, with the numbers that decided."""

    passed: bool
    reason: str = ""
    guard: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: Literal["", "green", "amber", "red", "unknown"] = ""
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class Generation:
    """One iteration of the loop: what was made and kept, the scores, and the verdicts."""

    number: int
    parent: int  # the last accepted generation before it, whose model wrote its rows
    level: int  # the hardest level at which rows were written
    counts: Mapping[str, int]  # rows made, kept, rejected, failed
    real_share: float  # of training draws
    scores: tuple[Score, ...]  # on test rows: reported, and never used for a decision
    verdicts: tuple[Verdict, ...] = ()
    rollback_enabled: bool = True  # false: a rejection is only an alarm
    synthetic_share: Mapping[str, float] = field(default_factory=dict)  # as `Mixture` counts it
    validation_scores: tuple[Score, ...] = ()  # on the other half, by which guards judge and the best is chosen
    pretrained_scores: tuple[Score, ...] = ()  # of generation 0: those of a pretrained student before any training

    @property
    def accepted(self) -> bool:
        return not self.rollback_enabled or not self.rejections

    @property
    def rejections(self) -> list[Verdict]:
        """The verdicts of the guards that rejected it."""
        return [verdict for verdict in self.verdicts if not verdict.passed]

    def score(self, key: str) -> Score | None:
        return next((score for score in self.scores if score.key == key), None)

    def as_validated(self) -> Generation:
        """A copy whose scores are the validation scores, for decisions; where it has none, its scores."""
        return replace(self, scores=self.validation_scores or self.scores)

    def pooled(self, key: str) -> float | None:
        """The score over all held-out rows, for a comparison in which neither half decided anything."""
        halves = [score for score in (*self.scores, *self.validation_scores) if score.key == key]
        rows = sum(score.n for score in halves)
        return sum(score.n * score.value for score in halves) / rows if rows else None
