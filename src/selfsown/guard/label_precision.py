"""Roll back when a smaller share of the kept rows is right than before, measured on rows with a known answer.

Graders that are not verifiers accept some wrong answers, and a model that learns these writes more of them. With the
default `patience: 2`, two falls in a row end the run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Pattern, Share
from selfsown.records import Generation, Row, Verdict
from selfsown.stats.intervals import error, share
from selfsown.tasks import Task, is_right
from selfsown.text.normalize import final_match


def guard(
    history: Sequence[Generation],
    kept: Sequence[Row],
    task: Task,
    *,
    pattern: Pattern = "",
    min_precision: Share = 0.0,
    std_errors: NotNegative = 2.0,
) -> Verdict:
    """Reject if label precision, the share of kept rows that are right, fell or is too low.

    A row is right if the task says so; if the task cannot check answers, if it equals the known answer, ignoring case
    and whitespace.

    pattern: regular expression whose last match in both answers is compared, such as `#### (.*)`.
    min_precision: reject if the whole 95 % interval is below this, or if precision cannot be measured; 0 is no limit.
    std_errors: reject if precision fell from the best accepted generation by more than this many standard errors of
    the difference.
    """
    checkable = (row for row in kept if (task.verifiable or row.target) and row.method != "restate")
    verdicts = Counter(_is_right(row, task, pattern) for row in checkable)
    right, rows = verdicts[True], verdicts.total()
    if not rows:
        return Verdict(not min_precision, "not measured: no kept row has a known answer", "label_precision")
    now = right / rows
    low, high = share(right, rows)
    metrics = {"precision": now, "low": low, "high": high, "rows": float(rows)}
    reason = f"{right} of {rows} kept rows with a known answer are right, {now:.3f} [{low:.3f}, {high:.3f}]"
    best = max(_accepted_metrics(history), key=lambda past: past["low"], default=metrics)
    fall = best["precision"] - now
    if fall > std_errors * math.hypot(error(best["low"], best["high"]), error(low, high)):
        reason = f"label precision fell from {best['precision']:.3f}: {reason}"
        return Verdict(False, reason, "label_precision", metrics)
    if high < min_precision:
        return Verdict(False, f"label precision is below {min_precision:g}: {reason}", "label_precision", metrics)
    return Verdict(True, reason, "label_precision", metrics)


def _is_right(row: Row, task: Task, pattern: str) -> bool:
    if task.verifiable:
        return bool(is_right(task, row, row.answer))
    return final_match(row.answer, pattern) == final_match(row.target, pattern)


def _accepted_metrics(history: Sequence[Generation]) -> list[dict[str, float]]:
    """This guard's metrics of the accepted generations before the last."""
    verdicts = [verdict for past in history[:-1] if past.accepted for verdict in past.verdicts]
    return [dict(verdict.metrics) for verdict in verdicts if verdict.guard == "label_precision" and verdict.metrics]
