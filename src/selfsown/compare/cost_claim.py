"""A claim that one way costs so many times less than another: whether this comparison bears it out, or cannot say.

Palmyra X 004 is the claim that is known: articles report 0.7 million USD against 4.6 million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from selfsown.stats.intervals import student

PALMYRA = 4.6 / 0.7
NOTE = (
    "Articles report 4.6 / 0.7 million USD = 6.6 for Palmyra X 004: the whole training of two different models, one "
    "side of it inferred, and hardware prices alone explain 5 to 8 times; it is not the figure above."
)


def judged(
    asked: float, ratios: Sequence[float | None], gap: tuple[float, float] | None, priced: bool = True
) -> dict[str, Any]:
    """What the ratios of cost, one a seed, say of the claim. A seed has none where no size scored as the loop did.

    gap: the interval of the difference between the loop's score and that of the size that came nearest, over the seeds.
    priced: whether all costs are known, and are any.
    """
    seen = [ratio for ratio in ratios if ratio is not None]
    found: dict[str, Any] = {"asked": asked, "ratios": list(ratios), "mean": None, "low": None, "high": None}
    missing = f"{len(ratios) - len(seen)} of {len(ratios)} seeds"
    if not priced:
        return found | {"verdict": "cannot say", "words": "cannot say: what one side costs is not known, or is nothing"}
    if len(seen) < len(ratios):
        if gap and not gap[0] <= 0 <= gap[1]:
            words = f"no ratio: the scores differ by [{gap[0]:+.3f}, {gap[1]:+.3f}] at the size that comes nearest"
        else:
            words = f"cannot say: no size that was tried scores as the loop does in {missing}"
        return found | {"verdict": words.partition(":")[0], "words": f"{words}; try more sizes"}
    logs = [math.log(ratio) for ratio in seen]
    found["mean"] = math.exp(sum(logs) / len(logs))
    if len(logs) == 1:
        words = f"{found['mean']:.2f} times, of one seed and so without an interval"
        return found | {"verdict": "cannot say", "words": f"cannot say: {words}"}
    found["low"], found["high"] = map(math.exp, student(logs))
    least, most = f"≥ {asked:.1f}×", f"< {asked:.1f}×"
    verdict = least if found["low"] >= asked else most if found["high"] < asked else "cannot say"
    return found | {
        "verdict": verdict,
        "words": f"{verdict}: at equal scores plain training costs {found['mean']:.2f} times as much "
        f"[{found['low']:.2f}, {found['high']:.2f}]",
    }
