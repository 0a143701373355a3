"""The result of an attack, and its form in attack.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from selfsown.calibration.metrics import Metric
from selfsown.errors import ExitCode
from selfsown.records import Json, JsonObject

MIN_TRIED = 20  # wrong answers that a grader must have graded


class Outcome(Enum):
    """What an attack found of a grader."""

    BROKEN = "a wrong answer passed"
    HELD = "no wrong answer passed"
    UNKNOWN = "too little could be tried"


@dataclass(frozen=True)
class Example:
    """An answer that passed though it is wrong, or a right one that did not."""

    prompt: str
    target: str
    answer: str


@dataclass(frozen=True)
class ProbeResult:
    """hits: how often a wrong answer was accepted, or a right one refused, of the `tried` ones that were graded."""

    family: str
    name: str
    reason: str
    tried: int
    hits: int
    example: Example | None = None

    @property
    def share(self) -> float:
        return self.hits / self.tried if self.tried else 0.0

    def to_json(self) -> JsonObject:
        example = vars(self.example) if self.example else None
        fields = {"family": self.family, "name": self.name, "reason": self.reason}
        return {**fields, "tried": self.tried, "hits": self.hits, "example": example}


@dataclass(frozen=True)
class GraderAttack:
    """What was tried on one grader.

    wrong, right, combinations: a result for each probe. false_accepts, false_refusals: the shares by family. not_built:
    how often no answer could be made of a row, by family. confirmed_right: answers that the task found to be right, and
    that were left out. failed: answers that the grader did not grade. identity: of a grader of a recipe, what decides
    how it grades, as in calibration.json.
    """

    name: str
    wrong: Sequence[ProbeResult] = ()
    right: Sequence[ProbeResult] = ()
    combinations: Sequence[ProbeResult] = ()
    false_accepts: Mapping[str, Metric] = field(default_factory=dict)
    false_refusals: Mapping[str, Metric] = field(default_factory=dict)
    not_built: Mapping[str, int] = field(default_factory=dict)
    confirmed_right: int = 0
    failed: int = 0
    unmeasured: str = ""
    identity: Mapping[str, Json] = field(default_factory=dict)

    @property
    def ceiling(self) -> tuple[str, Metric] | None:
        """The family of which the largest share is accepted; None if nothing was tried."""
        return max(self.false_accepts.items(), key=lambda item: (item[1].value, item[1].high), default=None)

    @property
    def worst_probe(self) -> ProbeResult | None:
        """What a policy would learn to say: the wrong answer that is accepted most often."""
        passed = self.passed
        return max(passed, key=lambda result: (result.share, result.tried)) if passed else None

    @property
    def passed(self) -> list[ProbeResult]:
        """The probes and combinations of which an answer was accepted."""
        return [result for result in (*self.wrong, *self.combinations) if result.hits]

    @property
    def tried(self) -> int:
        return sum(result.tried for result in self.wrong)

    @property
    def outcome(self) -> Outcome:
        if self.passed:
            return Outcome.BROKEN
        accepted = sum(result.tried - result.hits for result in self.right)
        enough = self.tried >= MIN_TRIED and (accepted or not self.right)
        return Outcome.HELD if enough and not self.unmeasured else Outcome.UNKNOWN

    def to_json(self) -> JsonObject:
        named = {"name": self.name, **self.identity}
        if self.unmeasured:
            return {**named, "outcome": self.outcome.value, "unmeasured": self.unmeasured}
        ceiling = self.ceiling if self.outcome is not Outcome.UNKNOWN else None
        return {
            **named,
            "outcome": self.outcome.value,
            "attack": ceiling[1]._asdict() if ceiling else None,
            "worst_family": ceiling[0] if ceiling else None,
            "tried": self.tried,
            "false_accepts": {family: metric._asdict() for family, metric in self.false_accepts.items()},
            "false_refusals": {family: metric._asdict() for family, metric in self.false_refusals.items()},
            "passed": [result.to_json() for result in self.passed],
            "refused": [result.to_json() for result in self.right if result.hits],
            "not_built": dict(self.not_built),
            "confirmed_right": self.confirmed_right,
            "failed": self.failed,
        }


@dataclass(frozen=True)
class Attack:
    """The graders of a recipe, or one grader, under attack on so many rows. source: where the rows come from."""

    source: str
    rows: int
    seed: int
    graders: Sequence[GraderAttack]

    @property
    def code(self) -> ExitCode:
        """FAILED where a wrong answer passed, INCONCLUSIVE where too little could be tried, else OK."""
        outcomes = {grader.outcome for grader in self.graders}
        if Outcome.BROKEN in outcomes:
            return ExitCode.FAILED
        return ExitCode.INCONCLUSIVE if Outcome.UNKNOWN in outcomes else ExitCode.OK

    def to_json(self) -> JsonObject:
        graders = [grader.to_json() for grader in self.graders]
        return {"source": self.source, "rows": self.rows, "seed": self.seed, "graders": graders}
