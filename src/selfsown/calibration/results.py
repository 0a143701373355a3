"""The result of a calibration, and its form in calibration.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from selfsown.calibration.metrics import Metric
from selfsown.option_types import GraderMetric
from selfsown.records import Json, JsonObject
from selfsown.usage.ledger import UsageEntry

METRICS: tuple[GraderMetric, ...] = get_args(GraderMetric)


@dataclass(frozen=True)
class GraderResult:
    """What a calibration measured of one grader.

    identity: the grader, its options and its models, as in the recipe. metrics: those of METRICS; None where the rows
    do not suffice. false_accepts_by_kind: of rows whose kind of error is known. unmeasured: why the grader could not be
    measured at all; then there are no metrics.
    """

    identity: Mapping[str, Json]
    metrics: Mapping[str, Metric | None] = field(default_factory=dict)
    false_accepts_by_kind: Mapping[str, Metric] = field(default_factory=dict)
    unmeasured: str = ""

    @property
    def name(self) -> str:
        """The method, without its options."""
        grader = self.identity["grader"]
        return grader if isinstance(grader, str) else str(next(iter(grader)))

    def to_json(self) -> JsonObject:
        if self.unmeasured:
            return {**self.identity, "unmeasured": self.unmeasured}
        metrics = {name: metric._asdict() if metric else None for name, metric in self.metrics.items()}
        by_kind = {kind: metric._asdict() for kind, metric in self.false_accepts_by_kind.items()}
        return {**self.identity, **metrics, "false_accepts_by_kind": by_kind}


@dataclass(frozen=True)
class Calibration:
    """The graders of a recipe, measured on `rows` rows, of which `good` are good.

    source: where the rows come from. cost: the requests of all calibrations in the folder; None without a model server.
    """

    source: str
    rows: int
    good: int
    graders: Sequence[GraderResult]
    cost: UsageEntry | None

    def to_json(self) -> JsonObject:
        return {
            "source": self.source,
            "rows": self.rows,
            "good": self.good,
            "graders": [grader.to_json() for grader in self.graders],
            "cost": _cost_json(self.cost) if self.cost else None,
        }


def metrics_of(grader: Mapping[str, Json], names: Sequence[str] = METRICS) -> dict[str, Metric | None]:
    """The metrics of these names of one grader in calibration.json or attack.json."""
    present = {name: grader[name] for name in names if name in grader}
    return {name: Metric(**metric) if metric else None for name, metric in present.items()}


def _cost_json(cost: UsageEntry) -> JsonObject:
    numbers = {"requests": cost.requests, "input": cost.input_tokens, "output": cost.output_tokens}
    return {**numbers, "unmetered": cost.unmetered, "usd": cost.usd}
