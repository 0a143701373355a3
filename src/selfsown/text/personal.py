"""Where a text holds personal data that is known by its form: e-mail addresses, telephone, card, account and social
security numbers.

Cards and accounts are told from other numbers by their check digits. Names and postal addresses have no form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal, NamedTuple

Kind = Literal["email", "phone", "card", "iban", "ssn"]
KINDS: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn")
NAMES: dict[Kind, str] = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "card": "the number of a card",
    "iban": "the number of an account",
    "ssn": "a social security number",
}


class Span(NamedTuple):
    """Personal data of a kind: text[start:end]."""

    kind: Kind
    start: int
    end: int


def find(text: str, kinds: Collection[Kind] = KINDS) -> list[Span]:
    """All personal data of these kinds, in the order of the text; no two spans overlap.

    Every kind is looked for, whichever are wanted, so that no part of a card's number passes for a telephone number.
    """
    found = list[Span]()
    for kind, (patterns, valid) in _FORMS.items():
        for pattern in patterns:
            for match in pattern.finditer(text):
                group = "number" if "number" in pattern.groupindex else 0
                start, end = match.span(group)
                if valid(match) and not any(start < span.end and span.start < end for span in found):
                    found.append(Span(kind, start, end))
    return sorted((span for span in found if span.kind in kinds), key=lambda span: span.start)


_AT, _DOT = r"(?:@| ?[\[(]at[\])] ?)", r"(?:\.| ?[\[(]dot[\])] ?)"
_EMAIL = (rf"(?<![\w.+-])[\w.+-]+{_AT}(?P<host>[\w-]+(?:{_DOT}[\w-]+)*{_DOT}(?-i:[A-Z]{{2,}}|[a-z]{{2,}}))(?![\w@])",)
_PHONE = (
    r"(?<![\w+])(?<!\d )(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}(?!\w)",  # with the country's code
    r"(?<!\w)\(0?\d{2,4}\) ?\d{3,4}[ .-]?\d{3,4}(?!\w)",
    r"(?<![\w.-])\d{3}([.-])\d{3}\1\d{4}(?![\w-]|\.\d)",
    r"(?<![\w.,:-])(?<!\d )(?=\d(?:[ /-]?\d){8,11}(?![ /-]?\d))"
    r"0[1-9]\d{0,3}[ /-]\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\w-]|[.,]\d)",
    r"\b(?:tel|telephone|phone|mobile|cell|fax|whatsapp|(?:call|ring|text) (?:me|us|him|her|them))\b"
    r"[^\d\n+(]{0,20}(?<![$€£])(?P<number>[+(]?\d[\d ()./-]{5,}\d)(?!\w)",
)
_CARD = (r"(?<![\w.])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5})(?!\w)",)
_IBAN = (r"(?<!\w)(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?!\w)",)
_SSN = (r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])",)
_NOBODY = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)


def _digits(found: re.Match[str]) -> str:
    return "".join(each for each in found["number" if "number" in found.groupdict() else 0] if each.isdigit())


def _email(found: re.Match[str]) -> bool:
    return not _NOBODY.search(re.sub(_DOT, ".", found["host"]))


def _phone(found: re.Match[str]) -> bool:
    digits = _digits(found)
    return 7 <= len(digits) <= 15 and not set(digits) <= {"0", "1"} and digits[-7:-2] != "55501"


def _card(found: re.Match[str]) -> bool:
    """By Luhn's check digit."""
    digits = [int(each) for each in reversed(_digits(found))]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[1::2]]
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _iban(found: re.Match[str]) -> bool:
    """By its check digits, modulo 97."""
    said = found[0].replace(" ", "")
    return 15 <= len(said) <= 34 and int("".join(str(int(each, 36)) for each in said[4:] + said[:4])) % 97 == 1


def _compiled(patterns: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


_FORMS: dict[Kind, tuple[list[re.Pattern[str]], Callable[[re.Match[str]], bool]]] = {
    "email": (_compiled(_EMAIL), _email),
    "iban": (_compiled(_IBAN), _iban),
    "card": (_compiled(_CARD), _card),
    "ssn": (_compiled(_SSN), lambda found: True),
    "phone": (_compiled(_PHONE), _phone),
}
