"""Roll back when fewer of the rows that were kept are right than before: measured on those whose answer is known.

Graders that are not verifiers let wrong answers pass, and a model that learns them writes more of them. Where
`patience` is 2, as it is by default, two falls in a row end the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from selfsown.option_types import NotNegative, Pattern, Share
from selfsown.records import Generation, Row, Verdict
from selfsown.stats.intervals import error, share
from selfsown.tasks import Task
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
    """The label precision is the share of kept rows that are right, by the world where it checks answers, otherwise by
    the known answer, letter case and spaces aside. `pattern`: a regular expression whose last match in both is
    what is compared, such as `#### (.*)`.

    It fires where the precision is below the best that stands by more than `errors` standard errors of the difference,
    or where its whole interval is below `least`, or cannot be measured although there is a `least`.
    """
    told = [row for row in kept if (task.verifiable or row.target) and row.method != "restate"]
    if not told:
        return Verdict(not min_precision, "not measured: of no kept row is the answer known", "label_precision")
    if not task.verifiable:
        right = sum(final_match(row.answer, pattern) == final_match(row.target, pattern) for row in told)
    else:
        right = sum(task.check(row, row.answer).score >= 0.5 for row in told)
    now, (low, high) = right / len(told), share(right, len(told))
    numbers = {"precision": now, "low": low, "high": high, "rows": float(len(told))}
    said = f"{right} of {len(told)} kept rows whose answer is known are right, {now:.3f} [{low:.3f}, {high:.3f}]"
    best = max(_past(history), key=lambda past: past["low"], default=numbers)
    fall, chance = best["precision"] - now, math.hypot(error(best["low"], best["high"]), error(low, high))
    if fall > std_errors * chance:
        return Verdict(False, f"label precision fell from {best['precision']:.3f}: {said}", "label_precision", numbers)
    if high < min_precision:
        return Verdict(False, f"label precision is below {min_precision:g}: {said}", "label_precision", numbers)
    return Verdict(True, said, "label_precision", numbers)


def _past(history: Sequence[Generation]) -> list[dict[str, float]]:
    """What was measured of the generations that stand, before the last."""
    verdicts = [verdict for past in history[:-1] if past.accepted for verdict in past.verdicts]
    return [dict(verdict.metrics) for verdict in verdicts if verdict.guard == "label_precision" and verdict.metrics]
