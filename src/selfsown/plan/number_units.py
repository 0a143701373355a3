"""Numbers as people write them: 25B, 1.5T, 32k; and back."""

from __future__ import annotations

import math
import re

from selfsown.records import SelfsownError

MOST = 1e18  # more than there is of anything that is counted here
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}


def amount(name: str, said: str) -> float:
    """The number that is meant; SelfsownError where it is none, not above 0, or beyond all bounds."""
    found = re.fullmatch(
        r"([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?\s*([kKmMbBgGtT]?)", said.strip()
    )
    value = 0.0
    if found:
        digits, power, unit = found.groups()
        value = float(f"{digits.replace(',', '').replace('_', '')}e{power or 0}") * _UNITS[unit.lower()]
    if not found or not 0 < value < math.inf:
        raise SelfsownError(f"{name} is {said!r}; write a number above 0, such as 32000, 25B, 1.5T or 2e9")
    if value > MOST:
        raise SelfsownError(f"{name} is {said!r}, more than there is anywhere; write a number up to {MOST:.0e}")
    return value


def written(value: float) -> str:
    """Three digits and a unit: 25 B, 1.5 T, 32 k."""
    if not math.isfinite(value):
        return "no end" if value > 0 else "-"
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:,.3g} {unit}" if value < 1000 * size else f"{value / size:,.0f} {unit}"
    return f"{value:,.3g}"
