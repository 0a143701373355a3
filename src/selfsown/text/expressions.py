"""Reduce an answer to its expressions before a computer algebra system compares them.

Such a system parses the part of an answer that it understands and ignores the rest. So an answer is taken apart here
first, and only the expressions of its value are compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.text.numbers import changes_claim

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_FUNCTION = "sin cos tan cot sec csc arcsin arccos arctan log ln lg exp sqrt pi max min gcd lcm det"
_COMMANDS = f"""
    {_GREEK} {_FUNCTION} frac dfrac tfrac cfrac cdot times div infty cup cap setminus emptyset varnothing mathbb mathbf
    mathrm begin end sinh cosh tanh binom dbinom tbinom choose lfloor rfloor lceil rceil circ degree quad qquad langle
    rangle int sum prod lim vert lvert rvert mid imath hline le ge pm
"""
_SAFE = {rf"\{name}" for name in _COMMANDS.split()}
_FUNCTIONS = {*_FUNCTION.split(), "pmatrix", "bmatrix", "vmatrix", "matrix", "array", "cases"}
_UNICODE = {
    "π": r"\pi ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\neq ", "≈": r"\approx ", "±": r"\pm ", "∪": r"\cup ",
    "∩": r"\cap ", "∈": r"\in ", "∉": r"\notin ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}",
    "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "°": r"^\circ ", "×": r"\times ", "·": r"\cdot ", "÷": r"\div ",
    "∨": r"\lor ", "∼": r"\sim ", "<=": r"\le ", ">=": r"\ge ", "!=": r"\neq ", ":=": "=", "==": "=",
}  # fmt: skip
_SYNONYMS = {r"\ne": r"\neq", r"\leq": r"\le", r"\geq": r"\ge", r"\lt": "<", r"\gt": ">", r"\vee": r"\lor"}
_COMMAND = re.compile(r"\\[A-Za-z]+")
_SIGN = re.compile(r"[?:;'~@#\"&]|\\\\|[^\x00-\x7f]")  # no part of an expression
_ORDER = re.compile(r"[<>]|\\(?:le|ge|leqslant|geqslant)(?![a-zA-Z])")
_RANGE = re.compile(r"\\infty|\\cup|\\mathbb|\[[^\[\]()]*,[^\[\]()]*[\])]|\([^\[\]()]*,[^\[\]()]*\]")
_OR = re.compile(r"\s*,?\s*(?:\\lor(?![a-zA-Z])|\bor\b)\s*")
_AND = re.compile(r"\s*,?\s*(?:\\lor(?![a-zA-Z])|\bor\b|\band\b|;)\s*")
_APPROX = re.compile(r"\s*(?:\\(?:approx|simeq|doteq)(?![a-zA-Z])|\b(?:about|approximately|roughly)\b)\s*")
_DECIMAL = re.compile(r"-?\d*\.\d+")
_PHRASE = re.compile(r"(?<=[\w)}\]])\s+((?:[A-Za-z]{2,}|a)(?:[ /-](?:[A-Za-z]{2,}|a))*(?:\^\{?[23]\}?)?)$")
_SYMBOL = rf"(?:[A-Za-z]|\\(?:{_GREEK.replace(' ', '|')})|[A-Z]{{2,4}})(?:_(?:\w|\{{\w+\}}))?'*"
_WORDS = r"[A-Za-z]+(?: [A-Za-z]+)*"
_NAME = re.compile(
    rf"(?:\\(?:sin|cos|tan|cot|sec|csc|log|ln|angle|triangle|overline|vec|widehat|hat|bar|measuredangle|mathbf|mathrm)"
    rf"\s*)*\{{?(?:m\\angle\s*)?{_SYMBOL}\}}?(?:\s*\([^()]*\))?|[|\[]{_SYMBOL}[|\]]"
    rf"|{_WORDS}"
)
_SUM = re.compile(rf"{_SYMBOL}(?:\^\{{?\d\}}?)?(?:\s*[-+*/]?\s*{_SYMBOL}(?:\^\{{?\d\}}?)?)+")  # "x + y = 18"


@dataclass(frozen=True)
class Claims:
    """What must hold for an answer to be right.

    equal: each of these equals the known value. rounded: in each pair, the first rounds to the second.
    """

    equal: tuple[str, ...]
    rounded: tuple[tuple[str, str], ...] = ()


def known_value(known: str) -> str:
    """The known answer without the name of its value (x = 5) and without its unit."""
    known = _symbols(known)
    if _is_plural(known):
        return _list(known)
    values = _sides(known)[1]
    return _bare(values[0], "") if len(values) == 1 else known


def claims(known: str, answer: str) -> Claims | None:
    """What an answer claims about the known one; None if it has another form, and so cannot be right."""
    known, answer = _symbols(known), _symbols(answer)
    if _is_plural(known):
        chained = any(len(_sides(part)[1]) > 1 for part in _split(_AND.sub(", ", answer), ","))
        return None if chained else _checked(known, [_list(answer)])
    if len(_sides(known)[1]) > 1:  # an equation
        return _checked(known, [answer])
    if point := _coordinates(known, answer):
        return _checked(known, [point])
    equal: list[str] = []
    rounded: list[tuple[str, str]] = []
    for option in _OR.split(answer):
        names, values = _sides(option, sums=True)
        if _contains_name(names, values[-1]):
            return None
        approximation = _APPROX.split(values[-1])
        if len(approximation) != 2:
            equal += values
            continue
        value, decimal = approximation
        if not _DECIMAL.fullmatch(decimal):
            return None
        exact = values[:-1]
        if value and not _NAME.fullmatch(value):
            exact.append(value)
        rounded += [(each, decimal) for each in exact]
        equal += [decimal] if _DECIMAL.search(known) else exact
    checked = _checked(known, equal)
    return Claims(checked.equal, tuple(rounded)) if checked and checked.equal else None


def _symbols(text: str) -> str:
    """Symbols as LaTeX commands, each in one spelling."""
    for sign, command in _UNICODE.items():
        text = text.replace(sign, command)
    text = re.sub(r"√\s*(\w+|\([^()]*\))", r"\\sqrt{\1}", text).replace("$", "")
    return _COMMAND.sub(lambda match: _SYNONYMS.get(match[0], match[0]), text).strip()


def _is_plural(known: str) -> bool:
    """Whether the right answer has several values."""
    return len(_split(known, ",")) > 1 or bool(_AND.search(known) or re.search(r"\\pm|\\\{", known))


def _split(text: str, sign: str) -> list[str]:
    """The parts of a text between signs outside of brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == sign and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _sides(text: str, *, sums: bool = False) -> tuple[list[str], list[str]]:
    """The sides of an equation: leading names, such as x, f(2) or "the total" (with `sums` also x + y), and values."""
    sides = _split(text, "=")
    names: list[str] = []
    while len(sides) > 1 and (_is_name(sides[0]) or (sums and _SUM.fullmatch(sides[0]))):
        names.append(sides.pop(0))
    within = re.fullmatch(rf"({_SYMBOL})\s*\\in(?![a-zA-Z])\s*(.+)", sides[-1])
    if within and re.match(r"[\[(]|\\\{|\\mathbb", within[2]):
        names.append(within[1])
        sides[-1] = within[2]
    return names, sides


def _is_name(side: str) -> bool:
    words = re.fullmatch(_WORDS, side) and len(side) > 1
    return bool(_NAME.fullmatch(side)) and not (words and changes_claim(side))


def _coordinates(known: str, answer: str) -> str:
    """The point that an answer gives as "x = 2, y = 3", if the known answer is a point."""
    sides = [_sides(part) for part in _split(answer, ",")]
    named = {names[0]: values[0] for names, values in sides if len(names) == len(values) == 1}
    if len(sides) < 2 or len(named) < len(sides) or not re.fullmatch(r"\(.*,.*\)", known):
        return ""
    return f"({', '.join(named[name] for name in sorted(named))})"


def names_differ(known: str, answer: str) -> bool:
    """Whether the two are values of different symbols, such as x = 5 and y = 5."""
    names = [re.match(rf"({_SYMBOL})\s*=", _symbols(text)) for text in (known, answer)]
    return bool(names[0] and names[1] and names[0][1] != names[1][1])


def _contains_name(names: Sequence[str], value: str) -> bool:
    """Whether a value contains a letter of its own name, other than in brackets or as an index."""
    letters = set(re.findall(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", re.sub(r"\([^()]*\)|_\w", "", " ".join(names))))
    return bool(letters & set(re.findall(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", value)))


def _list(text: str) -> str:
    """Several values separated by commas, without a name that all of them have."""
    parts = _split(_AND.sub(", ", text), ",")
    sides = [_sides(part) for part in parts]
    same = {tuple(names) for names, _ in sides}
    if len(same) == 1 and all(len(values) == 1 for _, values in sides):
        return ", ".join(values[0] for _, values in sides)
    return ", ".join(parts)


def _checked(known: str, parts: Sequence[str]) -> Claims | None:
    """The parts without units, if algebra can compare each of them with the known answer."""
    bare = [_bare(part, known) for part in parts]
    return Claims(tuple(bare)) if all(part and _has_form_of(known, part) for part in bare) else None


def _bare(part: str, known: str) -> str:
    """The part without the words of a unit after it."""
    phrase = _PHRASE.search(part)
    if not phrase or changes_claim(f" {phrase[1]}") or len(phrase[1].split()) > 5 or phrase[1] in known:
        return part
    return part[: phrase.start()]


def _has_form_of(known: str, part: str) -> bool:
    """Whether the part has only symbols of an expression, and those that the known answer has too."""
    if set(_COMMAND.findall(part)) - _SAFE - set(_COMMAND.findall(known)):
        return False
    if set(_SIGN.findall(part)) - set(_SIGN.findall(known)):
        return False
    if _ORDER.search(part) and not _ORDER.search(known) and not _RANGE.search(known):
        return False
    if r"\pm" in part and not _is_plural(known):
        return False
    if {known[:1], part[:1]} == {"(", "\\"} and {known[:2], part[:2]} & {r"\{"}:  # a tuple is not a set
        return False
    bases = [sorted(re.findall(r"\d_\{?\d+\}?", text)) for text in (part, known)]
    return bases[0] == bases[1] and _words(part) <= _words(known)


def _words(text: str) -> set[str]:
    """Words other than function names, and products of letters; both answers must have the same ones."""
    text = _COMMAND.sub(" ", text)
    return {word.casefold() for word in re.findall(r"[A-Za-z]{2,}", text)} - _FUNCTIONS
