"""What is measured of a model, what guards say of it, and the generation that it makes up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True)
class Score:
    """One measured number with its 95 % interval, on n held-out real rows.

    group names the stratum ("form=induction, level=2"); "" is all rows. better says which way is up.
    """

    name: str
    value: float
    n: int
    low: float
    high: float
    stratum: str = ""
    direction: Literal["higher", "lower", "neither"] = "higher"

    @property
    def key(self) -> str:
        return f"{self.name}[{self.stratum}]" if self.stratum else self.name

    def exceeds(self, other: Score) -> bool:
        """Whether this is the better of the two, point against point."""
        return self.value < other.value if self.direction == "lower" else self.value > other.value


Family = Literal["creativity", "bias", "function", "form", "gap"]  # gap: to real rows; it raises no alarm
Unit = Literal["%", "points", "of log-odds"]


@dataclass(frozen=True)
class Signal:
    """One measure of change: `value` and its 95 % interval, above 0 where the newer is the worse.

    p: the chance of such a change where nothing changed; significant: by Holm's correction over all that was tested
    with it; tolerance: how much is borne; least: the smallest change that would have been seen in four cases of five;
    n: of how many documents on either side. 0.1 is a tenth less than before, 10 points, or 0.1 of log-odds.
    """

    name: str
    family: Family
    value: float
    low: float
    high: float
    p: float
    tolerance: float
    mde: float
    n: int
    unit: Unit = "%"
    significant: bool = False

    @property
    def is_alarm(self) -> bool:
        """More than chance, and more than is borne; a gap to real rows never does."""
        return self.significant and self.value > self.tolerance and self.family != "gap"


@dataclass(frozen=True)
class Verdict:
    """A guard's word on a generation, with the numbers it rests on; not ok: it does not stand."""

    passed: bool
    reason: str = ""
    guard: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    status: Literal["", "green", "amber", "red", "unknown"] = ""
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class Generation:
    """What one lap of the loop made, kept and scored, and whether it stands.

    level: the hardest level it wrote problems at; parent: the generation whose model wrote its rows;
    real_share: the share of training draws that were real rows; synthetic_share: as `Mixture` counts it. guarded:
    whether a guard's no rolls it back; otherwise the verdicts are alarms and no more. scores are those on test rows,
    which are reported and decide nothing; validation_scores those on the other half of the held-out rows, by which
    guards judge and the best generation is chosen.
    """

    number: int
    parent: int
    level: int
    counts: Mapping[str, int]
    real_share: float
    scores: tuple[Score, ...]
    verdicts: tuple[Verdict, ...] = ()
    rollback_enabled: bool = True
    synthetic_share: Mapping[str, float] = field(default_factory=dict)
    validation_scores: tuple[Score, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.rollback_enabled or not self.rejections

    @property
    def rejections(self) -> list[Verdict]:
        """The guards that said no."""
        return [verdict for verdict in self.verdicts if not verdict.passed]

    def score(self, key: str) -> Score | None:
        return next((score for score in self.scores if score.key == key), None)

    def as_validated(self) -> Generation:
        """The same with what a decision may look at as its scores; where nothing was validated, with those it has."""
        return replace(self, scores=self.validation_scores or self.scores)

    def pooled(self, key: str) -> float | None:
        """The score over all held-out rows, for a comparison in which neither half has decided anything."""
        found = [score for score in (*self.scores, *self.validation_scores) if score.key == key]
        rows = sum(score.n for score in found)
        return sum(score.n * score.value for score in found) / rows if rows else None
