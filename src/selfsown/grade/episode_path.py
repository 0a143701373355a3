"""How an episode went: few calls of tools, and none that did not fit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from selfsown.episode import OUTCOME
from selfsown.option_types import Natural
from selfsown.records import Grade, Row

STREAMS = True


def grade(rows: Iterable[Row], *, max_calls: Natural = 0, max_invalid: Natural = 0) -> Iterator[Grade]:
    """1 for a turn of an episode that kept both bounds, else 0.

    max_calls: tools called in the whole episode, at most; 0: no bound. max_invalid: of them, calls that did not fit.
    """
    for row in rows:
        if OUTCOME not in row.metadata:
            yield Grade(0.0, "it is no turn of an episode", grader="episode_path", failed=True)
            continue
        outcome = json.loads(row.metadata[OUTCOME])
        calls, invalid = outcome["calls"], outcome["invalid"]
        if max_calls and calls > max_calls:
            yield Grade(0.0, f"{calls} calls of tools, more than {max_calls}", grader="episode_path")
        elif invalid > max_invalid:
            yield Grade(0.0, f"{invalid} calls that did not fit, more than {max_invalid}", grader="episode_path")
        else:
            yield Grade(1.0, f"{calls} calls, {invalid} of them did not fit", grader="episode_path")
