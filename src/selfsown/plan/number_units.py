"""Numbers with units, such as 25B, 1.5T and 32k: parse and format."""

from __future__ import annotations

import math
import re

from selfsown.errors import SelfsownError

MAX_AMOUNT = 1e18
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_AMOUNT = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE]([+-]?[0-9]{1,3}))?\s*([kKmMbBgGtT]?)")


def parse_amount(option: str, text: str) -> float:
    """The number that a text stands for. SelfsownError: not a number, not above 0, or above MAX_AMOUNT."""
    match = _AMOUNT.fullmatch(text.strip())
    value = 0.0
    if match:
        digits, power, unit = match.groups()
        value = float(f"{digits.replace(',', '').replace('_', '')}e{power or 0}") * _UNITS[unit.lower()]
    if not match or not 0 < value < math.inf:
        raise SelfsownError(f"{option} is {text!r}; it must be a number above 0, such as 32000, 25B, 1.5T or 2e9")
    if value > MAX_AMOUNT:
        raise SelfsownError(f"{option} is {text!r}; it must be at most {MAX_AMOUNT:.0e}")
    return value


def format_amount(value: float) -> str:
    """Three digits and a unit: 25 B, 1.5 T, 32 k; infinity is "unbounded"."""
    if not math.isfinite(value):
        return "unbounded" if value > 0 else "-"
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= 0.9995 * size:
            return f"{value / size:,.3g} {unit}" if value < 1000 * size else f"{value / size:,.0f} {unit}"
    return f"{value:,.3g}"
