"""What an answer says in the end, and which number that is, however it is set and in whatever currency or unit.

A number is read only where there is no doubt which is meant; of all else nothing is said here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 300  # characters in which one number is looked for

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_MINUS = {ord(each): "-" for each in "−‐‑‒–—﹣－"}
_SET = re.compile(r"\\(?:left|right|displaystyle|limits|bigg?[lr]?|Bigg?[lr]?)(?![a-zA-Z])|\\[!;:]|\$|\\[()\[\]]")
_WORDED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_STATED = re.compile(r"\b(?:answer|result|total)\b[^\S\n]*(?:is|are|:|=)[^\S\n]*:?[^\S\n]*(?=\S)", re.IGNORECASE)
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})((?:(,|\{,\}|\\,|'|_| )\d{3})(?:\3\d{3})*)(?![\d,'_]|\.\d+[.,]| \d)")
_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_FRACTION = r"\\[dtc]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}"
_FORMS: tuple[tuple[str, Callable[..., Fraction]], ...] = (
    (_NUMBER, Fraction),
    (rf"{_NUMBER}[eE]([+-]?\d\d?)", lambda a, b: Fraction(a) * Fraction(10) ** int(b)),
    (
        rf"{_NUMBER}\s*(?:\\times|\\cdot|\*|×|·)\s*10\^\{{?(-?\d\d?)\}}?",
        lambda a, b: Fraction(a) * Fraction(10) ** int(b),
    ),
    (rf"{_NUMBER}\s*/\s*{_NUMBER}", lambda a, b: Fraction(a) / Fraction(b)),
    (_FRACTION, lambda a, b: Fraction(a) / Fraction(b)),
    (r"\\[dtc]?frac\s*(\d)\s*(\d)", lambda a, b: Fraction(a) / Fraction(b)),
    (r"(\d+)\s+(\d+)\s*/\s*(\d+)", lambda a, b, c: Fraction(a) + Fraction(b) / Fraction(c)),
    (rf"(\d+)\s*{_FRACTION}", lambda a, b, c: Fraction(a) + Fraction(b) / Fraction(c)),
    (r"(\d{1,6})\s*\^\s*\{?(\d\d?)\}?", lambda a, b: Fraction(a) ** int(b)),
)
_BEFORE = r"(?P<before>[^\d\\^=<>/*()+{}.-]*?)"
_SIGN = r"(?P<sign>[+-]?)\s*(?:[€£¥₹]|USD|EUR|GBP)?\s*(?P<more>[+-]?)\s*"
_WHOLE = [(re.compile(f"{_BEFORE}{_SIGN}{form}(?P<after>\\D*)"), make) for form, make in _FORMS]
_UNIT = re.compile(r"(?<=[A-Za-z]) ?\^\s*\{?[23]\}?|\s*\^\s*\{?\s*\\circ\s*\}?|\\degree")  # squares, cubes and degrees
_DENIED = re.compile(
    r"\b(?:not|never|no|isn't|wasn't|or|and|between|minus|negative|than|about|over|under|at)\b|n't\b|[,;]"
)
_CHANGED = re.compile(
    r"\b(?:hundreds?|thousands?|million|billion|trillion|dozens?|half|pi|sqrt|root|times|squared|cubed|plus|minus|or"
    r"|e|i|[a-z](?= *[=^])|x|y|z|n|k|choose|factorial|mod|infinity|to|and|less|more|short|of)\b"
    r"|[!^√π∞±≠<>≤≥+*=:;\\{}|]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quantity:
    """A number, exactly; percent where it was said with that sign."""

    value: Fraction
    percent: bool = False

    def equals(self, other: Quantity) -> bool:
        """A percentage stands for the number before its sign, or for its hundredth part."""
        if self.percent == other.percent:
            return self.value == other.value
        said, meant = (self, other) if self.percent else (other, self)
        return meant.value in (said.value, said.value / 100)


def stated(text: str) -> str:
    """The part of an answer that says what came out: the last box, what follows ####, what the answer is said to be,
    or else the last line."""
    boxed = _boxed(text)
    if boxed is not None:
        return boxed.strip()
    if "####" in text:
        return text.rpartition("####")[2].strip()
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    said = list(_STATED.finditer(last))
    return last[said[-1].end() :] if said else last


def plain(text: str) -> str:
    """The same in plain letters: without what only sets it, with one minus sign, with no groups in numbers."""
    raised = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda found: f"^{{{''.join(map(_RAISED.__getitem__, found[0]))}}}", text)
    text = re.sub(r"(\d)([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])", r"\1 \2", raised)
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/").translate(_MINUS)
    text = text.replace(r"\$", "$").replace(r"\%", "%").replace(r"\ ", " ")
    text = _WORDED.sub(r" \1 ", _SET.sub("", text))
    text = re.sub(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)", "", text)
    text = _GROUPED.sub(lambda found: found[1] + re.sub(r"\D", "", found[2]), text)
    text = re.sub(r"(?<=\d) ?x ?(?=\d)", "*", text)
    return " ".join(text.split()).lstrip(" :").rstrip(" .:")


def quantity(said: str) -> Quantity | None:
    """The one number that a plain text states, perhaps as the right side of an equation; None where it is not clear."""
    left, equals, right = said.rpartition("=")
    if len(said) > LONGEST or (equals and not re.fullmatch(r"[^\d\\]*|[^\d\\]*?[\d\s.+*/()=×-]*", left)):
        return None
    said = _UNIT.sub("", right.strip())
    said = said[1:-1] if re.fullmatch(r"\([^()]*\)", said) else said
    for form, make in _WHOLE:
        found = form.fullmatch(said)
        if found and _clear(said, found):
            numbers = found.groups()[3:-1]
            try:
                value = make(*numbers)
            except ZeroDivisionError:
                return None
            percent = "%" in found["after"] or bool(re.search(r"\bper ?cent\b", found["after"]))
            return Quantity(-value if "-" in (found["sign"], found["more"]) else value, percent)
    return None


def _clear(said: str, found: re.Match[str]) -> bool:
    """Whether what stands around a number leaves it as it is: words of a sentence, a unit."""
    before, after = found["before"], found["after"]
    grown = before[-1:].isalpha() and not said[len(before)].isspace()
    algebra = re.match(r"[A-Za-z](?![A-Za-z])|[,'_/]|\.\S", after)
    signs = found["sign"] and found["more"]
    return not (grown or algebra or signs or _DENIED.search(before) or _CHANGED.search(after))


def _boxed(text: str) -> str | None:
    """What stands in the last box."""
    at = max(text.rfind(r"\boxed{"), text.rfind(r"\fbox{"))
    if at < 0:
        return None
    start = text.index("{", at) + 1
    depth = 1
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if not depth:
            return text[start:end]
    return None
