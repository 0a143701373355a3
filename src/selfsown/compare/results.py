"""What a comparison measured, as it is stored in compare.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from selfsown.atomic import write_atomically
from selfsown.scores import Direction as Direction

Beyond = Literal["", "above", "below"]
ProofVerdict = Literal["better", "worse", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A mean over the seeds with its 95 % interval; low and high are None where there is only one seed."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ScoreSummary(Estimate):
    """One score of an arm; the mean and interval are those of `last`.

    first, last, best: the score of generation 0, of the last generation and of the best generation, one value per seed.
    difference: the reference arm minus this arm, paired by seed; None for the reference arm.
    """

    first: list[float]
    last: list[float]
    best: list[float]
    difference: Estimate | None


@dataclass(frozen=True)
class GuardAlarms:
    """The generations of one seed in which a guard triggered."""

    seed: int
    guard: str
    generations: list[int]


@dataclass(frozen=True)
class ArmResult:
    """One arm over all seeds; each list has one value per seed.

    unmetered: attempts that were killed before their cost was recorded. model_usd: US dollars for models behind
    servers, None where a price is not known. made, kept: synthetic rows over all generations of a run.
    """

    name: str
    description: str
    changes: list[str]
    folder: str
    cpu_seconds: list[float]
    wall_seconds: list[float]
    unmetered: list[int]
    model_usd: list[float | None]
    made: list[int]
    kept: list[int]
    scores: dict[str, ScoreSummary]
    guards: list[GuardAlarms]


@dataclass(frozen=True)
class RowRatio:
    """The real rows that plain training needs to match a score, relative to those that the loop has.

    ratios: one per seed, None where plain training matched the score at no size. beyond: per seed, where
    the curve never reaches the score ("above") or starts above it ("below"). mean, low, high: taken over the logarithms
    of the ratios; None unless every seed has a crossover.
    """

    ratios: list[float | None]
    beyond: list[Beyond]
    mean: float | None
    low: float | None
    high: float | None
    summary: str


@dataclass(frozen=True)
class EfficiencyScore(RowRatio):
    """curve: per size, the best score of plain training in each seed. loop: the last score of the loop in each seed."""

    curve: dict[str, list[float]]
    loop: list[float]


@dataclass(frozen=True)
class SideCost:
    """What one side of the comparison used: real rows (training and held-out), CPU seconds, and US dollars for models
    behind servers."""

    rows: float
    cpu_seconds: float
    model_usd: float = 0.0

    def usd(self, prices: dict[str, float]) -> float:
        compute = self.cpu_seconds / 3600 * prices["cpu_hour"]
        return self.rows * prices["real_row"] + compute + self.model_usd * prices.get("models", 1.0)


@dataclass(frozen=True)
class CostComparison:
    """The cost of plain training relative to that of the loop at equal scores; None where it cannot be computed.

    label_ratio counts real rows alone, compute_ratio CPU seconds alone, total_ratio both at `prices`. sensitivity: the
    total ratio with one price at 50 % and at 150 %. break_even_real_row, break_even_cpu_hour: the price in US dollars
    at which both sides cost the same.
    """

    prices: dict[str, float]
    sentences: list[str]
    plain: SideCost | None = None
    loop: SideCost | None = None
    label_ratio: float | None = None
    compute_ratio: float | None = None
    total_ratio: float | None = None
    sensitivity: dict[str, list[float]] | None = None
    break_even_real_row: float | None = None
    break_even_cpu_hour: float | None = None


@dataclass(frozen=True)
class ClaimResult:
    """Whether plain training costs at least `claimed` times as much as the loop, at equal scores.

    ratios: one per seed, None where the scores are not equal at any size. verdict: "≥ 6.6×", "< 6.6×", "no ratio" or
    "unknown".
    """

    claimed: float
    ratios: list[float | None]
    verdict: str
    summary: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class DataEfficiency:
    """Plain training on more real rows against the loop. rows: training rows of each arm of real rows alone; loop: the
    name of the arm that it is compared with."""

    rows: dict[str, int]
    held_out: int
    loop: str
    scores: dict[str, EfficiencyScore]
    cost: CostComparison
    claim: ClaimResult | None


@dataclass(frozen=True)
class PairedDifference(Estimate):
    """A difference paired by seed. std: over the seeds; p_value: two-sided, of no difference."""

    low: float
    high: float
    std: float
    p_value: float


@dataclass(frozen=True)
class Uplift(PairedDifference):
    """Synthetic rows against real rows alone, last generation against last generation.

    against_best: the same against the best generation of real rows alone. corrected_p_value: the p-value of the
    verdict, after Holm's correction over the strata.
    """

    direction: Direction
    against_best: PairedDifference
    corrected_p_value: float = 1.0
    verdict: ProofVerdict = "inconclusive"


@dataclass(frozen=True)
class Control(PairedDifference):
    """The recipe against the same rows with shuffled grades."""

    direction: Direction


@dataclass(frozen=True)
class Proof:
    """Whether the synthetic rows help: the verdict on the goal, on each of its strata, and on the control."""

    goal: str
    seeds: int
    verdict: ProofVerdict
    difference: Uplift
    strata: dict[str, Uplift]
    control: Control | None
    headline: str
    sentences: list[str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True)
class ComparisonResult:
    """Everything in compare.json. reference: the arm that the other arms are compared with. early_stopped: `last` of
    every score is the best generation instead, as early stopping chooses it on validation rows."""

    recipe: str
    description: str
    goal: str
    seeds: list[int]
    reference: str
    arms: list[ArmResult]
    sentences: list[str]
    data_efficiency: DataEfficiency | None = None
    proof: Proof | None = None
    early_stopped: bool = False

    def arm(self, name: str) -> ArmResult:
        return next(arm for arm in self.arms if arm.name == name)

    def write(self, path: Path) -> None:
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))

    @classmethod
    def read(cls, path: Path) -> ComparisonResult:
        """Raises ValueError where the file is not a comparison."""
        return TypeAdapter(cls).validate_json(path.read_bytes())
