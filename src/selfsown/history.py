"""Queries over the generations of a run: the best one, its number of trainings, related scores and the worst status.

Decisions use validation scores; reports use scores on test rows, which no decision has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.records import Generation, Verdict

ROUNDING_ERROR = 1e-9  # of a sum of weights
STATUSES = ("red", "amber", "unknown", "green")  # of a monitored generation, the worst first


def best_of(history: Sequence[Generation], goal: str) -> Generation:
    """The accepted generation with the best goal on validation rows; of equals, the first."""
    best = history[0]
    for generation in history[1:]:
        score = generation.as_validated().score(goal)
        best_score = best.as_validated().score(goal)
        if generation.accepted and score and best_score and score.exceeds(best_score):
            best = generation
    return best


def last_accepted(history: Sequence[Generation]) -> Generation:
    """The newest generation that no guard has rolled back: what the next one starts from."""
    return next(generation for generation in reversed(history) if generation.accepted)


def trainings(history: Sequence[Generation], generation: Generation, start: str) -> int:
    """The number of trainings between generation 0 and this one.

    start: "base" if every training starts from generation 0; otherwise each starts from its parent.
    """
    if not generation.number:
        return 0
    return 1 if start == "base" else 1 + trainings(history, history[generation.parent], start)


def learned_from_synthetic(history: Sequence[Generation], generation: Generation) -> bool:
    """Whether the generation, or an accepted one before it, was trained on synthetic rows."""
    until = history[1 : generation.number + 1]
    return any(trained.accepted and trained.real_share < 1 - ROUNDING_ERROR for trained in until)


def related_scores(first: Generation, goal: str) -> list[str]:
    """Keys of the goal and of the same score on other values of its stratum, as far as generation 0 measured them."""
    stem = goal.partition("=")[0] + "="
    keys = [score.key for score in first.scores]
    return [goal, *(key for key in keys if key.startswith(stem) and "," not in key and key != goal)]


def monitor_status(verdict: Verdict) -> str:
    """green, amber or red; unknown of a monitor without a status; empty of any other guard without one."""
    if not verdict.status and verdict.guard == "monitor":
        return "unknown"
    return verdict.status


def worst_status(generation: Generation) -> str:
    """The worst status of its verdicts; empty where no guard gives one."""
    present = {monitor_status(verdict) for verdict in generation.verdicts}
    return next((status for status in STATUSES if status in present), "")


def reason_without_status(verdict: Verdict) -> str:
    """The verdict's reason without the status that it begins with, for a table that shows the status beside it."""
    status = monitor_status(verdict)
    if verdict.reason.lower().startswith(status):
        return verdict.reason[len(status) :].lstrip(":; ")
    return verdict.reason
