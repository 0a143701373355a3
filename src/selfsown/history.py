"""What the generations of a run come to: the best one, how long it was trained, and the control that it is set against.

Decisions look at validation scores; what is reported is measured on test rows, which no decision has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.records import Generation, Verdict

ROUNDING = 1e-9  # of a sum of weights
STATUSES = ("red", "amber", "unknown", "green")  # the worst first


def best_of(history: Sequence[Generation], goal: str) -> Generation:
    """The accepted generation with the best goal on validation rows; of equals, the first."""
    best = history[0]
    for generation in history[1:]:
        new, old = (each.as_validated().score(goal) for each in (generation, best))
        if generation.accepted and new and old and new.exceeds(old):
            best = generation
    return best


def last_accepted(history: Sequence[Generation]) -> Generation:
    """The newest generation that no guard has rolled back: what the next one starts from."""
    return next(generation for generation in reversed(history) if generation.accepted)


def trainings(history: Sequence[Generation], generation: Generation, start: str) -> int:
    """How many trainings lie between generation 0 and this one. start: "base" where each begins with generation 0."""
    if not generation.number:
        return 0
    return 1 if start == "base" else 1 + trainings(history, history[generation.parent], start)


def learned_from_synthetic(history: Sequence[Generation], generation: Generation) -> bool:
    """Whether synthetic rows were among what the generation, or an accepted one before it, was trained on."""
    return any(each.accepted and each.real_share < 1 - ROUNDING for each in history[1 : generation.number + 1])


def related_scores(first: Generation, goal: str) -> list[str]:
    """The keys of the goal and of the same score in the other strata of its attribute, as in generation 0."""
    stem = goal.partition("=")[0]
    keys = [score.key for score in first.scores]
    return [goal, *(key for key in keys if key.startswith(f"{stem}=") and "," not in key and key != goal)]


def monitor_status(verdict: Verdict) -> str:
    """The status of a verdict; "unknown" for a monitor that gave none, "" for a guard that has no status."""
    if verdict.guard == "monitor":
        return verdict.status or "unknown"
    return verdict.status


def worst_status(generation: Generation) -> str:
    """The worst status among the verdicts; "" where none has a status."""
    given = {monitor_status(verdict) for verdict in generation.verdicts}
    return next((status for status in STATUSES if status in given), "")


def reason_without_status(verdict: Verdict) -> str:
    """The reason without the status that it begins with, for output that shows the status beside it."""
    status = monitor_status(verdict)
    if not verdict.reason.lower().startswith(status):
        return verdict.reason
    return verdict.reason[len(status) :].lstrip(":; ")
