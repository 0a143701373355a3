"""Constraints on case and punctuation."""

from __future__ import annotations

import re

from selfsown.text.constraints.kind import Kind, Parameters, at_least, between, nothing
from selfsown.text.constraints.parts import spaced_words


def _lowercase(answer: str, parameters: Parameters) -> str:
    if capitals := [char for char in answer if char.isupper() or char.istitle()]:
        return f"it has {len(capitals):,} capital letters, the first {capitals[0]!r}"
    return "" if any(char.islower() for char in answer) else "it has no small letters"


def _uppercase(answer: str, parameters: Parameters) -> str:
    if small := [char for char in answer if char.islower()]:
        return f"it has {len(small):,} small letters, the first {small[0]!r}"
    return "" if any(char.isupper() for char in answer) else "it has no capital letters"


def _capital_words(answer: str, parameters: Parameters) -> str:
    capitals = [word for word in spaced_words(answer) if len(word) > 1 and word.isupper()]
    return at_least(len(capitals), parameters["count"], "word") and (
        f"it has {len(capitals)} words in capital letters, not at least {parameters['count']}"
    )


def _no_comma(answer: str, parameters: Parameters) -> str:
    commas = re.findall("[,，、،]", answer)
    return f"it has {len(commas):,} commas" if commas else ""


def _no_digits(answer: str, parameters: Parameters) -> str:
    digits = [char for char in answer if char.isdigit()]
    return f"it has {len(digits):,} digits, the first {digits[0]!r}" if digits else ""


KINDS = (
    Kind(
        "lowercase",
        "case",
        (
            "Write everything in lowercase letters.",
            "Use only small letters, no capital letters.",
            "Your whole answer must be in lowercase.",
        ),
        {},
        nothing,
        _lowercase,
    ),
    Kind(
        "uppercase",
        "case",
        (
            "Write everything in capital letters.",
            "Use only capital letters, no small letters.",
            "Your whole answer must be in uppercase.",
        ),
        {},
        nothing,
        _uppercase,
    ),
    Kind(
        "capital_words",
        "case",
        (
            "Write at least {count} words in all capital letters.",
            "Put {count} or more words in capital letters.",
        ),
        {"count": int},
        between("count", 2, 3),
        _capital_words,
    ),
    Kind(
        "no_comma",
        "punctuation",
        ("Do not use any commas.", "Write without commas.", "Your answer must not contain a comma."),
        {},
        nothing,
        _no_comma,
    ),
    Kind(
        "no_digits",
        "punctuation",
        ("Do not use any digits.", "Write numbers as words, without digits."),
        {},
        nothing,
        _no_digits,
    ),
)
