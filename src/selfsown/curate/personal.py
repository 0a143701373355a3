"""Reject rows with personal data that is known by its form: e-mail addresses, telephone, card, account and social
security numbers.

Cards and accounts are told from other numbers by their check digits. Names and postal addresses have no form; a judge
may find them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from selfsown.records import Row

Kind = Literal["email", "phone", "card", "iban", "ssn"]
Found = re.Match[str]

_AT, _DOT = r"(?:@| ?[\[(]at[\])] ?)", r"(?:\.| ?[\[(]dot[\])] ?)"
_EMAIL = (rf"(?<![\w.+-])[\w.+-]+{_AT}(?P<host>[\w-]+(?:{_DOT}[\w-]+)*{_DOT}(?-i:[A-Z]{{2,}}|[a-z]{{2,}}))(?![\w@])",)
_PHONE = (
    r"(?<![\w+])(?<!\d )(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}(?!\w)",  # with the country's code
    r"(?<!\w)\(0?\d{2,4}\) ?\d{3,4}[ .-]?\d{3,4}(?!\w)",
    r"(?<![\w.-])\d{3}([.-])\d{3}\1\d{4}(?![\w-]|\.\d)",
    r"(?<![\w.,:-])(?<!\d )(?=\d(?:[ /-]?\d){8,11}(?![ /-]?\d))"
    r"0[1-9]\d{0,3}[ /-]\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\w-]|[.,]\d)",
    r"\b(?:tel|telephone|phone|mobile|cell|fax|whatsapp|(?:call|ring|text) (?:me|us|him|her|them))\b"
    r"[^\d\n+(]{0,20}(?<![$€£])[+(]?\d[\d ()./-]{5,}\d(?!\w)",
)
_CARD = (r"(?<![\w.])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5})(?!\w)",)
_IBAN = (r"(?<!\w)(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?!\w)",)
_SSN = (r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])",)
_NOBODY = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)


def curate(
    rows: Iterable[Row], *, kinds: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn")
) -> Iterator[Row]:
    """Prompt, answer and traits are searched; the reason does not repeat what was found. Addresses under example.com
    and its like, and numbers with 555-01, are nobody's."""
    wanted = [(kind, *_KINDS[kind]) for kind in kinds]
    for row in rows:
        parts = {"prompt": row.prompt, "answer": row.answer, **row.traits}
        found = next(
            (
                f"its {part} has {name} ({kind})"
                for part, text in parts.items()
                for kind, name, patterns, somebody_s in wanted
                if any(somebody_s(found) for pattern in patterns for found in pattern.finditer(text))
            ),
            "",
        )
        yield row.rejected(f"personal: {found}") if found else row


def _digits(found: Found) -> str:
    return "".join(each for each in found[0] if each.isdigit())


def _email(found: Found) -> bool:
    return not _NOBODY.search(re.sub(_DOT, ".", found["host"]))


def _phone(found: Found) -> bool:
    digits = _digits(found)
    return 7 <= len(digits) <= 15 and not set(digits) <= {"0", "1"} and digits[-7:-2] != "55501"


def _card(found: Found) -> bool:
    """By Luhn's check digit."""
    digits = [int(each) for each in reversed(_digits(found))]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[1::2]]
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _iban(found: Found) -> bool:
    """By its check digits, modulo 97."""
    said = found[0].replace(" ", "")
    return 15 <= len(said) <= 34 and int("".join(str(int(each, 36)) for each in said[4:] + said[:4])) % 97 == 1


def _compiled(patterns: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


_KINDS: dict[str, tuple[str, list[re.Pattern[str]], Callable[[Found], bool]]] = {
    "email": ("an e-mail address", _compiled(_EMAIL), _email),
    "phone": ("a telephone number", _compiled(_PHONE), _phone),
    "card": ("the number of a card", _compiled(_CARD), _card),
    "iban": ("the number of an account", _compiled(_IBAN), _iban),
    "ssn": ("a social security number", _compiled(_SSN), lambda found: True),
}
