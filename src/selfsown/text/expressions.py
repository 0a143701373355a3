"""What an answer has to be in form before algebra compares it: one expression, with no claim around it.

A computer algebra system reads of an answer what it understands, and takes that for the whole. So an answer is taken
apart here first; what is left to compare is only what stands for the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.text.numbers import is_otherwise

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
_OTHERS = {r"\ne": r"\neq", r"\leq": r"\le", r"\geq": r"\ge", r"\lt": "<", r"\gt": ">", r"\vee": r"\lor"}
_COMMAND = re.compile(r"\\[A-Za-z]+")
_SIGN = re.compile(r"[?:;'~@#\"&]|\\\\|[^\x00-\x7f]")  # what is none of an expression's own
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
    """All that must hold for an answer to be right: these equal the known value, and of these pairs the first, rounded
    as the second is, is the second."""

    equal: tuple[str, ...]
    rounded: tuple[tuple[str, str], ...] = ()


def known_value(known: str) -> str:
    """The known answer without the name that it gives its value, or its unit."""
    known = _symbols(known)
    if _is_plural(known):
        return _list(known)
    values = _sides(known)[1]
    return _bare(values[0], "") if len(values) == 1 else known


def claims(known: str, said: str) -> Claims | None:
    """What a plain answer claims of a known one; None where it is of another form, and so cannot be right."""
    known, said = _symbols(known), _symbols(said)
    if _is_plural(known):
        chained = any(len(_sides(part)[1]) > 1 for part in _split(_AND.sub(", ", said), ","))
        return None if chained else _checked(known, [_list(said)])
    if len(_sides(known)[1]) > 1:  # an equation
        return _checked(known, [said])
    if pair := _coordinates(known, said):
        return _checked(known, [pair])
    found: list[str] = []
    rounded: list[tuple[str, str]] = []
    for option in _OR.split(said):
        names, values = _sides(option, sums=True)
        if _is_made_of(names, values[-1]):
            return None
        exact = values[:-1]
        about = _APPROX.split(values[-1])
        if len(about) == 2:
            if not _DECIMAL.fullmatch(about[1]):
                return None
            exact += [about[0]] * bool(about[0] and not _NAME.fullmatch(about[0]))
            rounded += [(each, about[1]) for each in exact]
            exact = [about[1]] if _DECIMAL.search(known) else exact
        else:
            exact = values
        found += exact
    checked = _checked(known, found)
    return Claims(checked.equal, tuple(rounded)) if checked and checked.equal else None


def _symbols(text: str) -> str:
    """Signs as LaTeX commands, each in one spelling."""
    for sign, command in _UNICODE.items():
        text = text.replace(sign, command)
    text = re.sub(r"√\s*(\w+|\([^()]*\))", r"\\sqrt{\1}", text).replace("$", "")
    return _COMMAND.sub(lambda found: _OTHERS.get(found[0], found[0]), text).strip()


def _is_plural(known: str) -> bool:
    """Whether several values are the right answer."""
    return len(_split(known, ",")) > 1 or bool(_AND.search(known) or re.search(r"\\pm|\\\{", known))


def _split(text: str, sign: str) -> list[str]:
    """The text's parts between signs that stand in no brackets."""
    parts, depth = [""], 0
    for each in text:
        depth += (each in "([{") - (each in ")]}")
        if each == sign and depth <= 0:
            parts.append("")
        else:
            parts[-1] += each
    return [part.strip() for part in parts]


def _sides(text: str, *, sums: bool = False) -> tuple[list[str], list[str]]:
    """The sides of an equation: names in front, such as x, f(2) or "the total", with sums also x + y; and what they
    are said to be."""
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
    return bool(_NAME.fullmatch(side)) and not (words and is_otherwise(side))


def _coordinates(known: str, said: str) -> str:
    """The point that is said as "x = 2, y = 3", where the known answer is one."""
    sides = [_sides(part) for part in _split(said, ",")]
    named = {names[0]: values[0] for names, values in sides if len(names) == len(values) == 1}
    if len(sides) < 2 or len(named) < len(sides) or not re.fullmatch(r"\(.*,.*\)", known):
        return ""
    return f"({', '.join(named[name] for name in sorted(named))})"


def is_of_another(known: str, said: str) -> bool:
    """Whether the two are values of different symbols, such as x = 5 and y = 5."""
    names = [re.match(rf"({_SYMBOL})\s*=", _symbols(each)) for each in (known, said)]
    return bool(names[0] and names[1] and names[0][1] != names[1][1])


def _is_made_of(names: Sequence[str], value: str) -> bool:
    """Whether a value is made of a letter that stands in its name, be it not in brackets or as an index."""
    letters = set(re.findall(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", re.sub(r"\([^()]*\)|_\w", "", " ".join(names))))
    return bool(letters & set(re.findall(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", value)))


def _list(text: str) -> str:
    """Several values with commas between them, without a name that all of them have."""
    parts = _split(_AND.sub(", ", text), ",")
    sides = [_sides(part) for part in parts]
    same = {tuple(names) for names, _ in sides}
    if len(same) == 1 and all(len(values) == 1 for _, values in sides):
        return ", ".join(values[0] for _, values in sides)
    return ", ".join(parts)


def _checked(known: str, parts: Sequence[str]) -> Claims | None:
    """The parts without units, where each may be held against the known answer by algebra."""
    bare = [_bare(part, known) for part in parts]
    return Claims(tuple(bare)) if all(each and _has_form_of(known, each) for each in bare) else None


def _bare(part: str, known: str) -> str:
    """Without the words of a unit behind it."""
    phrase = _PHRASE.search(part)
    if not phrase or is_otherwise(f" {phrase[1]}") or len(phrase[1].split()) > 5 or phrase[1] in known:
        return part
    return part[: phrase.start()]


def _has_form_of(known: str, part: str) -> bool:
    """Whether the part holds nothing but an expression's own signs, and those that the known answer has, too."""
    if set(_COMMAND.findall(part)) - _SAFE - set(_COMMAND.findall(known)):
        return False
    if set(_SIGN.findall(part)) - set(_SIGN.findall(known)):
        return False
    if _ORDER.search(part) and not _ORDER.search(known) and not _RANGE.search(known):
        return False
    if r"\pm" in part and not _is_plural(known):
        return False
    if {known[:1], part[:1]} == {"(", "\\"} and {known[:2], part[:2]} & {r"\{"}:  # a tuple is no set
        return False
    bases = [sorted(re.findall(r"\d_\{?\d+\}?", each)) for each in (part, known)]
    return bases[0] == bases[1] and _words(part) <= _words(known)


def _words(text: str) -> set[str]:
    """Words, as they are none of algebra's: names of functions, and products of letters, which must be the same."""
    text = _COMMAND.sub(" ", text)
    return {word.casefold() for word in re.findall(r"[A-Za-z]{2,}", text)} - _FUNCTIONS
