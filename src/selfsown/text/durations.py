"""Durations in the units that a person reads."""

from __future__ import annotations

import math

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds


def duration(seconds: float) -> str:
    """Such as "8 s", "45 s", "2 min", "1 h 20 min" or "3 days"."""
    if seconds < 10:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 90 * MINUTE:
        return f"{round(seconds / MINUTE)} min"
    if seconds < 2 * DAY:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{round(seconds / HOUR)} h"
    return f"{round(seconds / DAY)} days"
