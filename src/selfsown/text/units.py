"""Units of measurement that answers carry, so that 30 cm is 0.3 m, and is not 30 m."""

from __future__ import annotations

import re
from fractions import Fraction

Unit = tuple[str, Fraction]  # the dimension, and the size in its first unit

_SIZES = {
    "length": "m metre meter=1 cm centimetre centimeter=1/100 mm millimetre millimeter=1/1000 km kilometre "
    "kilometer=1000 in inch inche=127/5000 ft foot feet=381/1250 yd yard=1143/1250 mi mile=201168/125",
    "mass": "g gram=1 mg milligram=1/1000 kg kilogram kilo=1000 lb lbs pound=45359237/100000 oz ounce=45359237/1600000",
    "time": "s sec second=1 min mins minute=60 h hr hrs hour=3600 day=86400 week=604800",
    "volume": "l litre liter=1 ml millilitre milliliter=1/1000",
    "dollars": "$ dollar usd=1 ¢ cent=1/100",
    "euros": "€ euro eur=1",
    "pounds": "£ gbp=1",
    "rupees": "₹ rupee=1",
    "yen": "¥ yen=1",
    "angle": "degree=1",
}
_UNITS: dict[str, Unit] = {
    name: (dimension, Fraction(size))
    for dimension, sizes in _SIZES.items()
    for names, size in re.findall(r"([^=]+)=(\S+)", sizes)
    for name in names.split()
}
_ALONE = {"m", "in", "s", "h", "g", "l", "min", "sec", "second", "pound", "oz", "mi"}  # they mean other things as well
_PHRASE = re.compile(
    r"\s*(?:(?:square|cubic|sq|cu)\.?\s+)?([A-Za-z]+|[$€£¥₹¢])\.?(?:\s*(?:/|\bper\b)\s*([A-Za-z]+))?(.*)", re.DOTALL
)


def unit(phrase: str) -> Unit | None:
    """The unit that a phrase behind a number begins with, such as "dollars a day" or "km/h"; None for another word."""
    found = _PHRASE.match(phrase)
    one = _named(found[1]) if found else None
    if not found or not one or (_singular(found[1]) in _ALONE and found[3].strip(" .") and not found[2]):
        return None
    other = _named(found[2]) if found[2] else None
    return (f"{one[0]} per {other[0]}", one[1] / other[1]) if other else one


def is_unit(word: str) -> bool:
    return _named(word) is not None


def _named(word: str) -> Unit | None:
    return _UNITS.get(word.lower()) or _UNITS.get(_singular(word))


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")
