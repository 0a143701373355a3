"""What an attack found of a grader, in a sentence."""

from __future__ import annotations

from selfsown.attack.results import GraderAttack, Outcome
from selfsown.calibration.metrics import Metric


def conclusion(grader: GraderAttack) -> str:
    """How many wrong answers passed, and the worst family of probes."""
    ceiling = grader.ceiling
    if grader.outcome is Outcome.UNKNOWN or not ceiling:
        return "too little could be tried to tell"
    family, metric = ceiling
    if grader.outcome is Outcome.HELD:
        return f"none of {grader.tried:,} wrong answers passed"
    count = len(grader.passed)
    probes = "1 probe" if count == 1 else f"{count} probes"
    return f"{probes} passed; worst family: {family}, {share(metric)}"


def share(metric: Metric) -> str:
    """A share with its 95 % interval."""
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
