"""Whether an answer leaves the computation to the reader: "47 + 85" equals 132, and repeats the question.

A policy that is rewarded for any expression of the right value learns to copy the one in its prompt.
"""

from __future__ import annotations

import re
from math import gcd

MIN_COPIED_CHARS = 3  # of an expression in the prompt, without spaces

_PLAIN_NUMBER = re.compile(r"[^\w(]*\d+(?:\.\d+)?(?:[^\d+*/^\\(×·÷]*)")  # with its sign, currency or unit
_FRACTION = re.compile(r"\\[dtc]?frac(?:\{\d+\}\{\d+\}|\d\d)|(?<![\d./])\d+/\d+(?![\d./])")
_POWER_OF_TEN = re.compile(r"(?:\*|×|·|\\times|\\cdot)10\^\{?-?\d+\}?")
_OPERATION = re.compile(
    r"(?<=[\d)}\]!])(?:[-+*/×·÷]|\\(?:cdot|times|div)(?![a-zA-Z]))(?=[\d(\\{$.√-])"
    r"|\\[dtc]?frac|(?<=[\d)}])\((?=\d)|\)(?=[\d(])"
)
_ANY_OPERATION = re.compile(rf"{_OPERATION.pattern}|\^|\\(?:sqrt|d?binom)|√|!")


def leaves_computation(known: str, answer: str, prompt: str) -> bool:
    """Whether an answer that equals the known one only states what is to be computed.

    known, answer, prompt: as `selfsown.text.numbers.plain` returns them.

    That is a sum, a difference or a product where a number is known, and any operation that stands in the prompt and
    not in the known answer. Other fractions are notations of a number, also where they can be reduced.
    """
    sides = [side for side in (re.sub(r"\s|\$", "", side) for side in answer.split("=")) if re.search(r"\d", side)]
    is_computed = bool(_PLAIN_NUMBER.fullmatch(known)) and all(_is_computation(side) for side in sides)
    return bool(sides) and (is_computed or _is_copied(known, sides, prompt))


def _is_computation(side: str) -> bool:
    """Whether a number is left to be computed; mixed numbers, fractions and powers of ten are notations of one."""
    return bool(_OPERATION.search(_POWER_OF_TEN.sub("", _FRACTION.sub("", side))))


def _is_copied(known: str, sides: list[str], prompt: str) -> bool:
    """Whether each side is an expression that the prompt has and the known answer has not."""
    posed, right = re.sub(r"\s|\$", "", prompt), re.sub(r"\s|\$", "", known)
    return all(
        len(side) >= MIN_COPIED_CHARS
        and side in posed
        and side not in right
        and bool(_ANY_OPERATION.search(side))
        and not _is_lowest(side)
        for side in sides
    )


def _is_lowest(side: str) -> bool:
    """Whether it is a fraction in lowest terms, which is a number that a prompt may well name."""
    numbers = [int(digits) for digits in re.findall(r"\d+" if "{" in side or "/" in side else r"\d", side)]
    return bool(_FRACTION.fullmatch(side)) and gcd(*numbers) == 1 < numbers[1]
