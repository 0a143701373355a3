"""The number that a short text states, in any notation, currency or unit.

A number is read only if it is unambiguous.
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from selfsown.text.units import Unit, is_unit, parse_unit

MAX_NUMBER_CHARS = 300  # of a text that is searched for one number

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_ONE_SPELLING = {ord(sign): "-" for sign in "−‐‑‒–—﹣－"} | {ord("٪"): "%"}
_SET = re.compile(
    r"\\(?:boxed|fbox)\s*\{\s*\}|\\(?:left|right|displaystyle|limits|bigg?[lr]?|Bigg?[lr]?)(?![a-zA-Z])|\\[!;:]"
    r"|\$\$|\\[()\[\]]"
)
_WORDED = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
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
_BEFORE = r"(?P<before>(?:[^\W\d_]|[\s'’\"“”:,])*?)"
_SIGN = r"(?P<sign>[+-]?)\s*(?P<currency>[$€£¥₹]|USD|EUR|GBP)?\s*(?P<more>[+-]?)\s*"
_WHOLE = [(re.compile(f"{_BEFORE}{_SIGN}{form}(?P<after>\\D*)"), make) for form, make in _FORMS]
_UNIT = re.compile(r"(?<=[A-Za-z]) ?\^\s*\{?[23]\}?|\s*\^\s*\{?\s*\\circ\s*\}?|\\degree")  # squares, cubes and degrees
# Words that change the claim of a sentence to another one than this number: anywhere, before it, after it.
_OTHERWISE = (
    r"not|never|no|none|neither|nor|cannot|nearly|almost|approximately|approx|roughly|around|about|maybe|perhaps|possibly"
    r"|wrong\w*|false|incorrect\w*|untrue|invalid|bogus|mistaken?|error|except|unless|kidding|joking|falsch|faux|falso"
    r"|nicht|kein|errado|and|or|minus"
)
_NEGATION = r"n't\b|[不错誤误非]"
_DENIED = re.compile(
    rf"\b(?:{_OTHERWISE}|isn't|wasn't|between|negative|than|over|under|at|up to|doubt|nobody|if only)\b"
    r"|\b(?:I|we)(?: \w+){0,2} (?:refuse|decline|deny|reject|dispute|pretend|hope)\b|\b(?:instead of|far from)\s*\Z"
    r"|\b(?:square|cube|root|half|third|quarter|fifth|tenth|fraction|percent|percentage|multiple|factor|opposite"
    r"|inverse|reciprocal|logarithm) of\s*\Z|\b(?:twice|double|triple|thrice|log|ln|but|times|plus)\s*\Z"
    rf"|[,;]|{_NEGATION}",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    rf"\b(?:{_OTHERWISE}|hundreds?|thousands?|million|billion|trillion|dozens?|half|halves|thirds?|quarters?|double"
    r"|twice|triple|pi|sqrt|root|times|squared|cubed|plus|e|i|[a-z](?= *[=^])|x|y|z|n|k|choose|factorial|mod|infinity"
    r"|to|less|more|fewer|short|above|below|under|too|off by|if|would|could|might|may|instead|but|however"
    r"|(?<!number )(?<!amount )(?<!total )(?<!sum )of(?! (?:the|an?|all|his|her|its|their|our|my|them|it)\b))\b"
    rf"|[!^√π∞±≠<>≤≥+*=:;\\{{}}|?~≈]|{_NEGATION}",
    re.IGNORECASE,
)
# "18 is the answer" states the number; "18 is even" states something else about it.
_PREDICATE = re.compile(
    r"[\s)$]*(?:is|are|was|were|equals|ist|est|es)\b(?!\s+in\b|\s+(?:(?:the|my|our|your|its|his|her|their) )?"
    r"(?:(?:final|correct|right|total) )*"
    r"(?:answer|result|total|solution|number|amount|sum|value|count|correct|right)\b)",
    re.IGNORECASE,
)
# Only these signs may stand beside a number: any other, such as a combining stroke or a per mille sign, may change it.
_OTHER_SIGN = re.compile(r"[^\w\s.,()\[\]'’\"“”«»„%$€£¥₹¢°/&…。、「」✓✔✅☑_–—-]")
_ALGEBRA = re.compile(r"[A-Za-z](?![A-Za-z])|['_/]|\.\S|,(?! (?:as|of course|because|since|in total|altogether)\b)")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Quantity:
    """An exact number; percent: whether it has a percent sign; unit: where it is known."""

    value: Fraction
    percent: bool = False
    unit: Unit | None = None

    def equals(self, other: Quantity, *, asks_percent: bool = False) -> bool:
        """Whether the other one states this number. 50 % is a half, and not 50; only where a percentage is known or
        asked for may its sign be left out or added. A number without a unit equals that number of any unit."""
        if self.unit and other.unit:
            return self.unit[0] == other.unit[0] and self.value * self.unit[1] == other.value * other.unit[1]
        if self.percent == other.percent:
            return self.value == other.value
        percentage, number = (self, other) if self.percent else (other, self)
        optional = asks_percent or self.percent
        return number.value == percentage.value / 100 or (optional and number.value == percentage.value)


@lru_cache(maxsize=1000)  # of answers to one prompt, each is read with that prompt and its known answer
def plain(text: str) -> str:
    """The text without typesetting commands, with one minus sign, and without digit grouping."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda match: f"^{{{''.join(map(_SUPERSCRIPTS.__getitem__, match[0]))}}}", text)
    text = re.sub(r"(\d)([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])", r"\1 \2", text)
    text = unicodedata.normalize("NFKC", text).replace("⁄", "/").translate(_ONE_SPELLING)
    text = re.sub(r"(?<!\\)\\ ", " ", text.replace(r"\%", "%").replace(r"\$", "\0"))
    text = re.sub(r"\$([^$]*)\$", r"\1", _SET.sub("", text)).replace("\0", "$")  # a single one is a dollar sign
    text = re.sub(r"\+?(?:∞|\\infty\b|\binfinity\b)", r"\\infty", text)
    text = _WORDED.sub(r" \1 ", text)
    text = re.sub(r"(?<=[\w)}])\*\*(?=[\w({-])", "^", text)
    text = re.sub(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?![\w{(])", "", text)
    text = _GROUPED.sub(lambda match: match[1] + re.sub(r"\D", "", match[2]), text)
    text = re.sub(r"(?<=\d) ?x ?(?=\d)", "*", text)
    return " ".join(text.split()).lstrip(" :").rstrip(" .:")


def parse_quantity(text: str) -> Quantity | None:
    """The only number that a text (as `plain` returns it) states; None if that is ambiguous.

    It may be the right side of an equation whose left side is a name, or arithmetic with this result.
    """
    if len(text) > MAX_NUMBER_CHARS:
        return None
    *left, right = text.split("=")
    number = _number(right)
    return number if number and all(_leads_to(side, number.value) for side in left) else None


def _number(text: str) -> Quantity | None:
    text = _UNIT.sub("", text.strip())
    text = text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text
    for form, evaluate in _WHOLE:
        match = form.fullmatch(text)
        if match and _is_unambiguous(text, match):
            numbers = match.groups()[4:-1]
            try:
                value = evaluate(*numbers)
            except ZeroDivisionError:
                return None
            percent = "%" in match["after"] or bool(re.search(r"\bper ?cent\b", match["after"]))
            unit = parse_unit(match["after"]) or parse_unit(match["currency"] or "")
            return Quantity(-value if "-" in (match["sign"], match["more"]) else value, percent, unit)
    return None


def _leads_to(side: str, value: Fraction) -> bool:
    """Whether a side of an equation is a name, or arithmetic with this value, which may be rounded."""
    match = re.fullmatch(r"((?:[^\W\d_]|[\s'’\"(),:]|\b-\b)*?)([\d\s.+*/()×$-]*)", side)
    if not match or _DENIED.search(match[1]):
        return False
    if not re.search(r"\d", match[2]):
        return True
    try:
        exact = _evaluated(ast.parse(match[2].replace("×", "*").replace("$", "").strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError):
        return False
    places = next((count for count in range(1, 10) if (value * 10**count).denominator == 1), 0)
    rounded = value.denominator > 1 and 2 * abs(exact - value) * 10**places <= 1
    return exact == value or rounded


def _evaluated(tree: ast.expr) -> Fraction:
    """The value of arithmetic; ValueError for anything else."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float):
        return Fraction(str(tree.value))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub | ast.UAdd):
        value = _evaluated(tree.operand)
        return -value if isinstance(tree.op, ast.USub) else value
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        return _OPERATORS[type(tree.op)](_evaluated(tree.left), _evaluated(tree.right))
    raise ValueError("not arithmetic")


def changes_claim(words: str) -> bool:
    """Whether the words after a number change the claim to another one than this number."""
    return bool(_CHANGED.search(words) or _OTHER_SIGN.search(words) or _PREDICATE.match(words))


def _is_unambiguous(text: str, match: re.Match[str]) -> bool:
    """Whether the text around a number does not change it: words of a sentence, or a unit."""
    before, after = match["before"], match["after"]
    part_of_word = before[-1:].isalpha() and not text[len(before)].isspace()
    glued = re.match(r"([A-Za-z]{2,3})(?![A-Za-z])", after)  # 18km, 18th; but not 18ab
    product = glued and not is_unit(glued[1]) and glued[1].lower() not in ("st", "nd", "rd", "th", "am", "pm")
    signs = match["sign"] and match["more"]
    return not (
        part_of_word or _ALGEBRA.match(after) or product or signs or _DENIED.search(before) or changes_claim(after)
    )
