"""Units of measurement in answers: 30 cm is 0.3 m, and not 30 m."""

from __future__ import annotations

import re
from fractions import Fraction

Unit = tuple[str, Fraction]  # dimension, and size relative to the first unit of this dimension

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
_AMBIGUOUS = {
    "m",
    "in",
    "s",
    "h",
    "g",
    "l",
    "min",
    "sec",
    "second",
    "pound",
    "oz",
    "mi",
}  # also words of another meaning
_PHRASE = re.compile(
    r"\s*(?:(?:square|cubic|sq|cu)\.?\s+)?([A-Za-z]+|[$€£¥₹¢])\.?(?:\s*(?:/|\bper\b)\s*([A-Za-z]+))?(.*)", re.DOTALL
)


def parse_unit(phrase: str) -> Unit | None:
    """The unit at the start of the phrase after a number, such as "dollars a day" or "km/h"; None for another word."""
    match = _PHRASE.match(phrase)
    unit = _by_name(match[1]) if match else None
    if not match or not unit or (_singular(match[1]) in _AMBIGUOUS and match[3].strip(" .") and not match[2]):
        return None
    per = _by_name(match[2]) if match[2] else None
    return (f"{unit[0]} per {per[0]}", unit[1] / per[1]) if per else unit


def is_unit(word: str) -> bool:
    """Whether a word is the name of a unit."""
    return _by_name(word) is not None


def _by_name(word: str) -> Unit | None:
    return _UNITS.get(word.lower()) or _UNITS.get(_singular(word))


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")
