"""Numbers in English words, as digits."""

from __future__ import annotations

import re
from fractions import Fraction

_TO_NINETEEN = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_SMALL = {word: value for value, word in enumerate(_TO_NINETEEN.split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_DECADES.split(), 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth"
_PARTS = {word: value for value, word in enumerate(_ORDINALS.split(), 3)} | {"half": 2, "halve": 2, "quarter": 4}

_CARDINAL = "|".join([*_SMALL, *_TENS, "hundred", *_SCALES])
_PART = "|".join(_PARTS)
_RUN = re.compile(
    rf"(?<![\w-])(?:(?P<sign>minus|negative)[ -]+)?"
    rf"(?:(?P<whole>(?:{_CARDINAL})(?:(?:[ -]+|[ -]+and[ -]+)(?:{_CARDINAL}))*)"
    rf"(?:(?:[ -]+and[ -]+(?P<more>an?|{_CARDINAL}))?[ -]+(?P<part>{_PART})s?)?"
    rf"|(?:(?<=\ba )|(?<!.)(?:an?[ -]+)?|\ba[ -]+)(?P<alone>half|quarter|third))(?![\w-])",
    re.IGNORECASE,
)
# "One" is more often a pronoun than a number.
_PRONOUN = re.compile(r"(?:\b(?:no|the|this|that|each|any|every|which|some|only)[ ]+)\Z", re.IGNORECASE)
_RESTATED = re.compile(r"(-?[\d/]+)\s*\(\s*(-?[\d/]+)\s*\)")


def in_digits(text: str) -> str:
    """The text with each number in words as digits, a fraction as "1/2"; "twelve (12)" and "12 (twelve)" become "12".

    A text with digits beside words that do not only repeat them stays unchanged.
    """
    converted = _RESTATED.sub(_without_repeat, _RUN.sub(lambda run: _number(text, run), text))
    return text if re.search(r"\d", text) and not _RESTATED.search(_RUN.sub("0", text)) else converted


def _without_repeat(match: re.Match[str]) -> str:
    return match[1] if match[1] == match[2] else match[0]


def _number(text: str, run: re.Match[str]) -> str:
    whole, alone = (run["whole"] or "").lower(), (run["alone"] or "").lower()
    if whole == "one" and not run["part"] and (_PRONOUN.search(text[: run.start()]) or run["sign"]):
        return run[0]
    value = Fraction(1, _PARTS[alone]) if alone else _cardinal(whole)
    if value is not None and run["part"]:
        part = Fraction(1, _PARTS[run["part"].lower()])
        more = (run["more"] or "").lower()
        value = value * part if not more else value + part * (_SMALL.get(more, 1))
    if value is None:
        return run[0]
    return f"{'-' if run['sign'] else ''}{value}"


def _cardinal(words: str) -> Fraction | None:
    """The value of a cardinal; None where the words are several numbers, such as "two three"."""
    total = group = 0
    last = 10**12  # the last scale: each must be smaller than the one before
    for word in re.findall(r"[a-z]+", words):
        if word in _SCALES:
            if not group or (total and _SCALES[word] >= last):
                return None
            total, group, last = total + group * _SCALES[word], 0, _SCALES[word]
        elif word == "hundred":
            if not 0 < group < 100:
                return None
            group *= 100
        elif word != "and":
            value = {**_SMALL, **_TENS}[word]
            fits = group % 100 == 0 or (value < 10 and group % 10 == 0 and group % 100 >= 20)
            if not fits or (value == 0 and (group or total)):
                return None
            group += value
    return Fraction(total + group)


def in_words(number: int) -> str:
    """An integer below 10^12 in English words, without "and": 105 is "one hundred five"."""
    if number < 0:
        return f"minus {in_words(-number)}"
    if number < 20:
        return _TO_NINETEEN.split()[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _DECADES.split()[tens - 2] + (f"-{in_words(ones)}" if ones else "")
    if number < 1000:
        size, name = 100, "hundred"
    else:
        name, size = next((name, size) for name, size in reversed(_SCALES.items()) if number >= size)
    count, rest = divmod(number, size)
    return f"{in_words(count)} {name}" + (f" {in_words(rest)}" if rest else "")
