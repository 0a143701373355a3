"""Personal data that has a form is found in any usual writing of it; other numbers, and nobody's addresses, stay."""

from __future__ import annotations

import gzip
import json

import pytest
from realdata import real_data

from selfsown.curate import pii
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.text import personal_data

THERE = {
    "email": [
        "Write to ann.smith@mail-box.org.",
        "ann+news@firm.co.uk",
        "mailto:J_D@UNI.EDU",
        "ann [at] firm [dot] com",
        "It is ann(at)firm.de, I think.",
    ],
    "phone": [
        "+49 30 901820",
        "+44 (0)20 7946 0018",
        "Ring +1-212-736-5000 now.",
        "+33612345678",
        "0044 20 7946 0018",
        "(212) 736-5000",
        "212-736-5000",
        "212.736.5000",
        "030 90182033",
        "0171/8550123",
        "06 12 34 56 78",
        "Phone: 7365000",
        "call me at 736 5000",
    ],
    "card": ["4539 1488 0343 6467", "4539148803436467.", "4539-1488-0343-6467", "Amex 3782 822463 10005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NL91ABNA0417164300"],
    "ssn": ["My number is 536-90-4399."],
}
NOBODY_S = [
    "Write to someone@example.com or a@mail.example.org.",
    "(212) 555-0142 and +1 212 555 0100",
    "matrix = a @ b",
    "@decorator\ndef f(x): return x@y",
    "4539 1488 0343 6468",  # the check digit is wrong
    "DE88 3704 0044 0532 0130 00",
    "900-12-3456",
    "The order 1234567890123456 came on 2024-01-31 at 10:45:00.",
    "31-12-1999 to 01-02-2003, pages 100-110",
    "3.14159265358979 and 6.02214076",
    "0101 1010 0101 1100",
    "5 + 1234567890 = 1234567895",
    "The phone costs $1,200.50, and 24 months of it $28800000.",
    "ISBN 978-3-16-148410-0",
    "192.168.100.200, version 10.2.33",
    "007 and 0.000123",
    "",
]


def ends(text: str, **knobs: tuple[personal_data.Kind, ...]) -> list[str]:
    return [row.status for row in pii.curate([Row("q", text)], **knobs)]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in THERE.items() for text in texts])
def test_each_kind_is_found_named_and_not_repeated(kind: str, text: str) -> None:
    (row,) = pii.curate([Row("q", text)], kinds=(kind,))  # type: ignore[arg-type]
    assert row.status == "rejected"
    assert row.reason.startswith("pii: its answer has ")
    assert row.reason.endswith(f"({kind})")
    assert not any(character.isdigit() or character == "@" for character in row.reason)


@pytest.mark.parametrize("text", NOBODY_S)
def test_other_numbers_and_nobody_s_addresses_stay(text: str) -> None:
    assert ends(text) == [""]


def test_prompt_and_traits_are_searched_and_a_kind_that_is_not_wanted_stays() -> None:
    mail = THERE["email"][0]
    (asked,), (hinted,) = pii.curate([Row(mail, "a")]), pii.curate([Row("q", "a", metadata={"system": mail})])
    assert "its prompt has" in asked.reason
    assert "its system has" in hinted.reason
    assert ends(mail, kinds=("phone", "card")) == [""]


def test_a_kind_that_is_none_is_explained() -> None:
    with pytest.raises(SelfsownError, match=r"curate\.pii\.kinds is"):
        step("curate", "pii", {"kinds": ["name"]})


def test_texts_without_personal_data_are_hardly_ever_rejected() -> None:
    folder = real_data("gsm8k_train_1000.jsonl").parent
    lines = (folder / "gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Row(record["question"], record["answer"]) for record in map(json.loads, lines)]
    with gzip.open(folder / "humaneval.jsonl.gz", "rt", encoding="utf-8") as file:
        rows += [Row(record["prompt"], record["canonical_solution"]) for record in map(json.loads, file)]
    rows += [Row("", line) for line in (folder / "tinyshakespeare.txt").read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 30_000
    assert [(row.reason, row.prompt, row.answer) for row in pii.curate(rows) if row.status] == []
