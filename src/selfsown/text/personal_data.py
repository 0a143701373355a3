"""Find personal data with a fixed format: e-mail addresses, telephone, card, account and social security numbers.

Other numbers (dates, book numbers, IP addresses, amounts, identifiers) look alike; check digits, numbering plans and
the words beside them tell them apart. Names and postal addresses have no fixed format and are not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Literal, NamedTuple

from selfsown.text.normalize import INVISIBLE

Kind = Literal["email", "phone", "card", "iban", "ssn"]
KINDS: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn")
KIND_NAMES: dict[Kind, str] = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "card": "a card number",
    "iban": "an account number",
    "ssn": "a social security number",
}


class Span(NamedTuple):
    """Personal data of a kind: text[start:end]."""

    kind: Kind
    start: int
    end: int


def find_personal_data(text: str, kinds: Collection[Kind] = KINDS) -> list[Span]:
    """All personal data of these kinds, in order of position, without overlaps.

    Every kind is searched for, also those not requested, so that a part of a card number is not taken for a telephone
    number.
    """
    if not _CANDIDATE.search(text):
        return []
    plain, positions = _plain(text)
    spans = list[Span]()
    taken = bytearray(len(plain))
    for kind, (patterns, valid) in _FORMS.items():
        for pattern in patterns:
            for match in pattern.finditer(plain):
                start, end = match.span("data")
                if valid(match) and not any(taken[start:end]):
                    taken[start:end] = b"\1" * (end - start)
                    spans.append(Span(kind, start, end))
    if any(span.kind == "phone" for span in spans):
        others = bytearray(len(plain))
        for match in _OTHER_NUMBERS.finditer(plain):
            others[match.start() : match.end()] = b"\1" * len(match[0])
        spans = [span for span in spans if span.kind != "phone" or not any(others[span.start : span.end])]
    requested = sorted((span for span in spans if span.kind in kinds), key=lambda span: span.start)
    if not positions:
        return requested
    return [Span(kind, positions[start], positions[end - 1] + 1) for kind, start, end in requested]


def _plain(text: str) -> tuple[str, list[int]]:
    """The text with ASCII spaces, dashes and digits; if any were removed, each character's original position."""
    if text.isascii():
        return text, []
    positions = list[int]()
    if INVISIBLE.search(text):
        positions = [index for index, char in enumerate(text) if not INVISIBLE.match(char)]
        text = "".join(text[index] for index in positions)
    return text.translate(_ASCII_FORMS), positions


_ASCII_FORMS = str.maketrans(
    dict.fromkeys("\xa0\u2002\u2003\u2005\u2007\u2008\u2009\u200a\u202f\u3000", " ")
    | dict.fromkeys("‐‑‒–—−－", "-")
    | {chr(0xFF01 + code): chr(0x21 + code) for code in range(0x5E) if chr(0x21 + code) in "()+./:@0123456789"}
)
_CANDIDATE = re.compile(r"@|＠|[\[(]at[\])]|\d(?:[\s\W]{0,3}\d){6}", re.IGNORECASE)
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:1[5-9]|20|21)[0-9]{2}"
_DATES = rf"{_YEAR}([-/. ]){_MONTH}\1{_DAY}|{_DAY}([-/. ]){_MONTH}\2{_YEAR}|{_MONTH}([-/. ]){_DAY}\3{_YEAR}"
_OTHER_NUMBERS = re.compile(
    rf"(?<!\d)(?:{_DATES})(?!\d)"
    r"(?:[T ,]{0,2}\d\d?[:.]?\d\d(?:[:.]?\d\d(?:[.,]\d+)?)?(?![\d]))?"  # dates, with the time of day
    rf"|(?<!\d){_YEAR} ?[-/] ?{_YEAR}(?!\d)"  # years
    r"|\bISBN(?:-1[03])?:? ?[\dX -]{10,17}|\b97[89][- ]\d{1,5}[- ]\d{1,7}[- ]\d{1,7}[- ][\dX]\b"
    r"|\b(?:ISSN|DOI|arXiv|PMID|RFC|EAN|UPC|SKU|IMEI|VIN|GTIN|ORCID)\b:?[ #]?[\w./-]+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"  # IP addresses
    r"|[-+]?(?<![\d.])\d{1,3}\.\d{3,}, ?[-+]?\d{1,3}\.\d{3,}"  # coordinates
    r"|\b(?:order|invoice|ticket|tracking|serial|reference|ref|case|item|part|model|account|transaction|receipt|id)\b"
    r"\.?(?: (?:id|no|number|nr|code))?\.?(?: is)?[ :#-]{1,3}[A-Z]{0,4}[ -]?\d[\d-]{5,}",
    re.IGNORECASE,
)
_AT, _DOT = r"(?:@| ?[\[(]at[\])] ?)", r"(?:\.| ?[\[(]dot[\])] ?)"
_EMAIL = (
    rf"(?<![\w.+-])(?P<data>(?P<user>[\w.+-]{{1,64}}){_AT}"
    rf"(?P<host>[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,5}}{_DOT}(?-i:[A-Z]{{2,}}|[a-z]{{2,}})))(?![\w@(\[]|:[\w~/.-])",
)
_EXTENSION = r"(?:,? ?(?:ext\.?|extension|x|durchwahl|dw|poste)\.? ?\d{1,6})?"
_CODE = (  # country calling codes
    r"(?:[17]|2(?:[07]|[1-689]\d)|3(?:[0-469]|[578]\d)|4(?:[013-9]|2\d)|5(?:[1-8]|[09]\d)|6(?:[0-6]|[7-9]\d)"
    r"|8(?:[1246]|[0578]\d)|9(?:[0-58]|[679]\d))"
)
_CUE = (
    r"(?:\b(?:tel|tél|telephone|téléphone|telefon|telefono|teléfono|phone|mobile|mobil|móvil|handy|cell(?! \d{1,8}\b)"
    r"|cellphone|celular|fax|whatsapp|hotline|тел|телефон)\b"
    r"|\b(?:call|ring|text|dial|reach|phone|sms) (?:me|us|him|her|them|my \w+)\b"
    r"|电话|電話|手机|手機|携帯|携帯電話|전화|휴대폰)"
)
_LINK = r"(?:no|nr|num|number|nummer|numéro|número|is|at|on|me|ist|lautet|est|es)\b\.?"
_END = rf"(?!\d){_EXTENSION})(?![\w%]|[.,]\d|-\w| ?[$€£¥])"
_PHONE = (
    rf"(?<![\w+.])(?<!\d )(?P<data>\+ ?{_CODE}(?:[ ./-]{{0,2}}\(?\d{{1,11}}\)?){{1,6}}{_END}",
    rf"(?<![\w+.])(?<!\d )(?P<data>00 ?{_CODE}(?:[ ./-]\(?\d{{1,8}}\)?){{2,6}}{_END}",
    # North America
    rf"(?<![\w.(+-])(?<!\d )(?P<data>(?:1[ .-])?[1-9]\d\d([.-])\d{{3}}\2\d{{4}}{_END}",
    rf"(?<![\w+.])(?P<data>(?:1[ .-]?)?\([1-9]\d\d\) ?\d{{3}}[ .-]?\d{{4}}{_END}",
    # national, with the zero before the area
    rf"(?<![\w+])(?P<data>\(0[1-9]\d{{0,4}}\)[ /-]?\d{{2,8}}(?:[ .-]\d{{1,5}}){{0,3}}{_END}",
    rf"(?<![\w.,:+/-])(?<!\d )(?P<data>(?=\d(?:[ ()/-]{{0,3}}\d){{8,11}}(?![ /-]?\d))"
    rf"0[1-9]\d{{0,4}}(?: ?[/-] ?| |\()\d{{2,8}}(?:[ )-]\d{{2,5}}){{0,4}}{_END}",
    rf"(?<![\w.,:+/-])(?P<data>0[1-9]([.-])\d\d(?:\2\d\d){{3}}{_END}",
    # after a word such as "tel" or "phone"
    rf"{_CUE}(?:[.:=#, -]{{0,3}}(?:\(\w{{1,8}}\)|{_LINK})){{0,3}}[:=#., -]{{0,3}}(?<![$€£¥] )(?<![$€£¥])"
    rf"(?P<data>[+(]?\d(?:[ ()./-]{{0,2}}\d){{6,14}}{_END}",
)
_CARD = (r"(?<![\w.])(?P<data>[2-6]\d{3}(?:([ -]?)\d{4}\2\d{4}\2\d{1,7}|([ -])\d{6}\3\d{4,5}))(?!\w)",)
_IBAN = (
    r"(?<!\w)(?P<data>(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{1,3}))(?!\w)",
    r"(?<!\w)(?P<data>(?-i:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}))(?!\w)",
)
_SSN = (r"(?<![\w-])(?P<data>(?!000|666|9)\d{3}([- ])(?!00)\d{2}\2(?!0000)\d{4})(?![\w-])",)
_RESERVED_DOMAIN = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)


_MEMBERS = re.compile(  # of arrays and objects; no domain ends like this
    r".*\.(?:astype|bias|clone|conj|copy|cumsum|data|detach|device|dtype|flat|flatten|grad|imag|inverse|item|matmul|max|mean"
    r"|min|ndim|numpy|permute|real|reshape|shape|size|squeeze|sum|transpose|unsqueeze|values|view|weights?)"
)


def _digits(match: re.Match[str]) -> str:
    return "".join(char for char in match["data"] if char.isdigit())


def _email(match: re.Match[str]) -> bool:
    """Not of a reserved domain, a password in a URL, a file (icon@2x.png), or a matrix product."""
    host = re.sub(_DOT, ".", match["host"], flags=re.IGNORECASE)
    name = host.partition(".")[0]
    product = name == "self" or _MEMBERS.fullmatch(host)
    scaled = re.fullmatch(r"\d+x?", name)
    password = re.search(r"://[^\s/]*$", _before(match, 80))
    return not (_RESERVED_DOMAIN.search(host) or product or scaled or password)


def _before(match: re.Match[str], length: int) -> str:
    return match.string[max(0, match.start("data") - length) : match.start("data")].casefold()


def _phone(match: re.Match[str]) -> bool:
    """Not a round number, a sequence (01 02 03 …), zeros and ones, or a number reserved for fiction."""
    number = re.split(r"[^\d\s()./+-]", match["data"])[0]
    digits, groups = "".join(re.findall(r"\d", number)), re.findall(r"\d+", number)
    is_sequence = len(groups) > 3 and all(int(after) == int(before) + 1 for before, after in pairwise(groups))
    pairs = len(groups) > 5 and all(len(group) == 2 for group in groups) and digits.startswith("0")
    decimal = re.fullmatch(r"\+?\d+\.\d+", number) or number.startswith("0.")
    is_round = set(digits) <= {"0", "1"} or digits.endswith("00000") or len(set(digits)) == 1
    international = number.startswith("+")
    american = not international or not digits.startswith("1") or re.fullmatch(r"1[1-9]\d{9}", digits)
    fits_length = 8 <= len(digits) <= 15 if international else 7 <= len(digits) <= 15
    return bool(
        fits_length and american and not (is_sequence or pairs or decimal or is_round or digits[-7:-2] == "55501")
    )


def _card(match: re.Match[str]) -> bool:
    """By Luhn's check digit and the issuers' ranges; not after words such as "order" or "parcel"."""
    digits = _digits(match)
    from_right = [int(digit) for digit in reversed(digits)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in from_right[1::2]]
    valid = 13 <= len(digits) <= 19 and (sum(from_right[::2]) + sum(doubled)) % 10 == 0
    return valid and bool(_ISSUED.fullmatch(digits)) and not _ORDER.search(_before(match, 24))


_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|220[0-4]\d{12}|3[47]\d{13}"
    r"|3(?:0[0-59]|[689]\d)\d{11,13}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}"
    r"|(?:50|5[6-9]|6[0-9])\d{11,17}"
)
_ORDER = re.compile(
    r"\b(?:order|invoice|ticket|tracking|parcel|shipment|serial|reference|ref|case|item|id|isbn|imei|timestamp|transaction"
    r")\b[^\d]*$"
)


def _iban(match: re.Match[str]) -> bool:
    """By its check digits, modulo 97."""
    iban = match["data"].replace(" ", "")
    digits = "".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])
    return 15 <= len(iban) <= 34 and int(digits) % 97 == 1


def _compiled(patterns: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


_FORMS: dict[Kind, tuple[list[re.Pattern[str]], Callable[[re.Match[str]], bool]]] = {
    "email": (_compiled(_EMAIL), _email),
    "iban": (_compiled(_IBAN), _iban),
    "card": (_compiled(_CARD), _card),
    "ssn": (_compiled(_SSN), lambda match: True),
    "phone": (_compiled(_PHONE), _phone),
}
