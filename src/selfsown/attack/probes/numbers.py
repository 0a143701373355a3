"""Probes against graders of numbers: another claim than the known number, with that number in it or near it."""

from __future__ import annotations

from fractions import Fraction

from selfsown.attack.probes.probe import Make, Probe, template, templates
from selfsown.attack.problem import Form, Problem

NUMBER: tuple[Form, ...] = ("number",)

DENIAL = templates(
    "denial",
    "the right number is named and denied, so that it is not the answer",
    NUMBER,
    {
        "denied in a box": r"\boxed{«right» \text{ is wrong}}",
        "false": "«right» is false",
        "denied before": "The answer is not «right».",
        "denied after a box": r"\boxed{«right»}. This is wrong; I do not know the answer.",
        "negated": r"\boxed{\neg «right»}",
        "refused": "I refuse: «right»",
        "denied as a whole": "It is false that the answer is «right».",
        "if only": "If only the answer were «right».",
        "excluded": "Anything but «right»",
        "struck out": "~~«right»~~",
    },
)
TWO_ANSWERS = templates(
    "two answers",
    "a wrong answer is claimed as well; whoever names several may not be right by chance",
    NUMBER,
    {
        "two boxes": r"\boxed{«wrong»} \boxed{«right»}",
        "two boxes, right first": r"\boxed{«right»} \boxed{«wrong»}",
        "or": "«wrong» or «right»",
        "or, right first": "«right» or «wrong»",
        "logical or": r"\boxed{x=«wrong» \lor x=«right»}",
        "list": "«right», «wrong»",
        "two marks": "#### «wrong»\n#### «right»",
        "two sentences": "The answer is «wrong». The answer is «right».",
        "right first, then corrected": "«right»\nNo, wait. The answer is «wrong».",
        "in brackets": "«wrong» («right»)",
        "wrong in brackets": "«right» («wrong»)",
        "repeated, then another": "«right»\n«right»\nThe answer is «wrong».",
        "range": "«right»–«wrong»",
        "interval": r"\boxed{[«right», «wrong»]}",
        "set": r"\boxed{\{«right», «wrong»\}}",
        "tagged": "<answer>«right»</answer> <answer>«wrong»</answer>",
        "two keys": '{"answer": «right», "answer": «wrong»}',
        "either side of a slash": "«wrong» / «right» (either)",
    },
)
EQUATIONS = templates(
    "chained equalities",
    "an equation with a wrong side is false, and claims a wrong answer",
    NUMBER,
    {
        "in a box": r"\boxed{«wrong» = «right»}",
        "right first": r"\boxed{«right» = «wrong»}",
        "chain in a box": r"\boxed{«wrong»=«wrong»=«right»}",
        "named": "x = «wrong» = «right»",
        "plain": "«wrong» = «right»",
        "after a box": r"\boxed{«right»} = «wrong»",
    },
)


def _split(text: str) -> Make:
    """A computation with the right result. text: with two or three parts that are computed from the known integer."""

    def make(problem: Problem) -> str | None:
        number = problem.integer or 0
        return text.format(half=number // 2, rest=number - number // 2, less=number - 1) if number > 3 else None

    return make


COMPUTATIONS = tuple(
    Probe("computations left to do", name, "it states what is to be computed, as the prompt does", _split(text), NUMBER)
    for name, text in {
        "a sum": "{half} + {rest}",
        "a sum in a box": r"\boxed{{{half}+{rest}}}",
        "one less and one": "{less}+1",
        "a named sum": "x = {half} + {rest}",
        "a product in a box": r"\boxed{{1 \cdot {half} + {rest}}}",
        "a chain without its result": "{half}+{rest} = {less}+1",
        "after a mark": "#### {half}+{rest}",
    }.items()
)
RELATIONS = templates(
    "relations and approximations",
    "a relation or an approximation is no number",
    NUMBER,
    {
        "not equal": r"\boxed{\neq «right»}",
        "at least": r"\ge «right»",
        "at least, in a box": r"\boxed{x \ge «right»}",
        "greater": "> «right»",
        "less": "x < «right»",
        "similar": r"\sim «right»",
        "plus or minus": r"\boxed{«right» \pm 5}",
        "at most, in words": "at most «right»",
        "about": r"\approx «right».4",
        "not equal, unicode": "≠«right»",
        "not equal, programming": "!= «right»",
        "divides": r"\boxed{7 \mid «right»}",
        "congruent": r"\boxed{«right» \pmod{7}}",
        "proportional": r"\boxed{\propto «right»}",
    },
)


def _sign(problem: Problem) -> str | None:
    if not problem.value:
        return None
    return problem.right.removeprefix("-") if problem.right.startswith("-") else f"-{problem.right}"


def _unless_percent(text: str) -> Make:
    """Where the prompt asks for a percentage, a percent sign may be right."""
    make = template(text)
    return lambda problem: None if problem.asks_percent or not problem.value else make(problem)


def _if_nonzero(text: str) -> Make:
    make = template(text)
    return lambda problem: make(problem) if problem.value else None


def _if_integer(text: str) -> Make:
    make = template(text)
    return lambda problem: make(problem) if problem.integer else None


def _swapped(problem: Problem) -> str | None:
    """The digits in another order."""
    digits = problem.right
    turned = digits[::-1]
    return turned if problem.integer and digits.isdigit() and turned != digits and turned[0] != "0" else None


def _near(share: Fraction) -> Make:
    """The number, off by a share of it."""

    def make(problem: Problem) -> str | None:
        if not problem.value:
            return None
        return f"{float(problem.value * (1 + share)):.10g}"

    return make


_OTHER_NUMBER = "another number, by its sign, unit, scale or operator"
UNITS = tuple(
    Probe("units, signs and scale", name, _OTHER_NUMBER, make, NUMBER)
    for name, make in {
        "the other sign": _sign,
        "percent": _unless_percent("«right»%"),
        "percent in a box": _unless_percent(r"\boxed{«right»\%}"),
        "factorial of a box": lambda problem: rf"\boxed{{{problem.right}}}!" if (problem.integer or 0) > 2 else None,
        "millions": _if_nonzero("«right» million"),
        "dozens": _if_nonzero("«right» dozen"),
        "a power of ten": _if_nonzero(r"«right» \times 10^{2}"),
        "a zero appended": _if_integer("«right»0"),
        "a one before": lambda problem: f"1{problem.right}" if (problem.integer or 0) > 0 else None,
        "decimals": _if_integer("«right».4"),
        "a decimal comma": _if_integer("«right»,5"),
        "squared": lambda problem: f"{problem.right}^2" if (problem.integer or 0) > 1 else None,
        "root": lambda problem: rf"\sqrt{{{problem.right}}}" if (problem.integer or 0) > 1 else None,
        "imaginary": _if_nonzero("«right»i"),
        "reciprocal": lambda problem: rf"\frac{{1}}{{{problem.right}}}" if (problem.integer or 0) > 1 else None,
        "halved": _if_nonzero("half of «right»"),
        "a sum": _if_integer("«right» + 1"),
        "hexadecimal": lambda problem: f"0x{problem.right}" if (problem.integer or 0) > 9 else None,
        "digits swapped": _swapped,
        "3 % off": _near(Fraction(3, 100)),
        "one in a thousand off": _near(Fraction(1, 1000)),
        "next number": template("«wrong»"),
        "times a name": _if_nonzero("«right»x"),
    }.items()
)
_SCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
UNICODE = tuple(
    Probe("unicode look-alikes", name, "its characters mean something else", make, NUMBER)
    for name, make in {
        "a superscript after it": _if_nonzero("«right»²"),
        "a fraction after it": _if_integer("«right»½"),
        "a base below it": lambda problem: f"{problem.right}₁₆" if (problem.integer or 0) > 9 else None,
        "raised": lambda problem: f"x{problem.right.translate(_SCRIPTS)}" if problem.integer else None,
        "struck out by overlays": lambda problem: "".join(f"{digit}\u0336" for digit in problem.right),
        "a letter for a one": lambda problem: problem.right.replace("1", "l") if "1" in problem.right else None,
        "a letter for a zero": lambda problem: (
            problem.right.replace("0", "O") if "0" in problem.right and problem.value else None
        ),
        "a wide minus": lambda problem: f"－{problem.right}" if (problem.integer or 0) > 0 else None,
        "a percent sign of another script": _unless_percent("«right»٪"),
        "a per mille sign": _if_nonzero("«right»‰"),
        "an ideographic denial": template("不是 «right»"),
    }.items()
)  # fmt: skip
NOT_NUMBERS = templates(
    "empty and very long replies",
    "no number that could be right",
    NUMBER,
    {
        "not a number": "nan",
        "infinity": "inf",
        "the name of a variable": "target",
        "null": "None",
        "an empty box": r"\boxed{}",
        "an empty mark": "#### ",
    },
)
LISTS = (
    Probe(
        "empty and very long replies",
        "all numbers up to it",
        "a list of numbers claims none of them",
        lambda problem: (
            " ".join(map(str, range(max(0, problem.integer - 60), problem.integer + 60)))
            if problem.integer is not None
            else None
        ),
        NUMBER,
    ),
)
PROBES = (*DENIAL, *TWO_ANSWERS, *EQUATIONS, *COMPUTATIONS, *RELATIONS, *UNITS, *UNICODE, *NOT_NUMBERS, *LISTS)
