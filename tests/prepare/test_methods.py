"""The methods of `prepare` one by one: what each sets aside, what it changes, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.prepare import blank, dedup, length, normalize_unicode, normalize_whitespace, pii
from selfsown.records import Row
from selfsown.text.chat import messages_of
from selfsown.text.personal_data import find


def ends(method: Any, rows: list[Row], **options: Any) -> list[str]:
    """The reason of each row that is set aside, "" of the others."""
    found = list(method.prepare(rows, **options))
    assert [row.source for row in found] == [row.source for row in rows]
    assert all(bool(row.reason) == (row.status == "rejected") for row in found)
    return [row.reason for row in found]


@pytest.mark.parametrize(
    "nothing", ["", " \t\r\n", "\u00a0\u2003", "\u200b\u2060\ufeff", "\u00ad", "\u3164", "\u2800", "\x00\x1b"]
)
def test_what_shows_nothing_is_blank(nothing: str) -> None:
    assert ends(blank, [Row(nothing, nothing)]) == ["it says nothing"]
    assert ends(blank, [Row(nothing, "x"), Row("x", nothing)]) == ["", ""]
    assert ends(blank, [Row(nothing, "x")], require=("prompt",)) == ["its prompt says nothing"]
    assert ends(blank, [Row("x", nothing)], require=("prompt", "answer")) == ["its answer says nothing"]


@pytest.mark.parametrize("something", ["a", "?", "0", "😀", "私", "\u0627", "+", "e\u0301", "."])
def test_what_shows_anything_is_not(something: str) -> None:
    assert ends(blank, [Row(something, "")], require=("prompt",)) == [""]


def test_lengths_count_characters_of_the_part_that_is_named() -> None:
    rows = [Row("four", "1"), Row(" four ", "123456"), Row("", "12345")]
    assert ends(length, rows) == ["", "", ""]
    assert ends(length, rows, of="prompt", min_chars=4, max_chars=4)[:2] == ["", ""]
    assert ends(length, rows, of="prompt", min_chars=1)[2] == "its prompt has 0 characters, fewer than 1"
    assert ends(length, rows, max_chars=9) == ["", "it has 10 characters, more than 9", ""]


def test_the_first_of_equal_rows_stays() -> None:
    rows = [
        Row("What is it?", "a", source="f:1"),
        Row("what  is\nit?", "a", source="f:2"),
        Row("What is it?", "b", source="f:3"),
        Row("What is it?", "a", source="f:4", metadata={"system": "be brief"}),
        Row("", "a document", source="f:5"),
        Row("", "A  document", source="f:6"),
        Row("", "another", source="f:7"),
    ]
    same = "it says the same as f:{}".format
    assert ends(dedup, rows) == ["", same(1), same(1), "", "", same(5), ""]
    assert ends(dedup, rows, by="row") == ["", same(1), "", "", "", same(5), ""]


@given(st.lists(st.tuples(st.sampled_from(["", "a", "A ", "b"]), st.sampled_from(["", "x", "X", "y"]))))
def test_no_two_rows_that_stay_are_alike_and_each_that_goes_has_one_before_it(said: list[tuple[str, str]]) -> None:
    rows = [Row(*each, source=f"f:{at}") for at, each in enumerate(said)]
    out = list(dedup.prepare(rows, by="row"))
    keys = [(row.prompt.strip().lower(), row.answer.lower()) for row in out]
    stayed = [key for key, row in zip(keys, out, strict=True) if not row.status]
    assert len(stayed) == len(set(stayed))
    assert set(stayed) == set(keys)


def test_unicode_is_normal_and_nothing_unseen_is_left() -> None:
    (row,) = normalize_unicode.prepare([Row("Cafe\u0301\u200b so\u00adft\ufeff 👨\u200d👩 x²\x07", "a\tb\n")])
    assert (row.prompt, row.answer) == ("Café soft 👨\u200d👩 x²", "a\tb\n")
    (row,) = normalize_unicode.prepare([Row("ﬁn Ａ x²", "")], form="NFKC")
    assert row.prompt == "fin A x2"


def test_white_space_is_plain_and_indentation_stays() -> None:
    (row,) = normalize_whitespace.prepare([Row("\r\n\n  if x:\u00a0\t\r\n    y  z\r\n\n\n\n\u2028end  ", "")])
    assert row.prompt == "  if x:\n    y  z\n\nend"


MAIL = "ada@posteo.de"
IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"write to {MAIL}, please", "write to [EMAIL], please"),
        (f"{MAIL} and {MAIL}", "[EMAIL] and [EMAIL]"),
        ("call +49 30 901820 now", "call [PHONE] now"),
        (f"to {IBAN}.", "to [IBAN]."),
        ("card 4111 1111 1111 1111!", "card [CARD]!"),
        ("ssn 123-45-6789", "ssn [SSN]"),
        (f"<{MAIL}>", "<[EMAIL]>"),
        ("nothing at 3 @ 4 of 2024", "nothing at 3 @ 4 of 2024"),
    ],
)
def test_each_finding_is_replaced_by_its_kind_wherever_it_stands(text: str, redacted: str) -> None:
    turns = [("user", text), ("assistant", "well"), ("user", "so?")]
    messages = [{"role": role, "content": words} for role, words in turns]
    traits = {"system": text, "messages": json.dumps(messages, ensure_ascii=False), "customer": text}
    row = Row("\n".join(f"{role}: {words}" for role, words in turns), text, target=text, metadata=traits)
    (found,) = pii.prepare([row], redact=True)
    assert (found.answer, found.target, found.metadata["system"], found.metadata["customer"]) == (redacted,) * 4
    said = [(each["role"], each["content"]) for each in messages_of(found.prompt, found.metadata)]
    assert said == [("system", redacted), ("user", redacted), *turns[1:]]
    assert (found is row) == (text == redacted)
    (aside,) = pii.prepare([row])
    assert (aside.status == "rejected") == (text != redacted)
    assert MAIL not in aside.reason


@pytest.mark.parametrize("part", ["prompt", "answer", "system", "messages", "customer"])
def test_a_finding_anywhere_sets_the_row_aside(part: str) -> None:
    said = {"prompt": "", "answer": "", part: json.dumps([{"role": "user", "content": MAIL}])}
    traits = {name: text for name, text in said.items() if name not in ("prompt", "answer")}
    assert ends(pii, [Row(said["prompt"], said["answer"], metadata=traits)]) == [
        f"its {part} has an e-mail address (email)"
    ]


def test_only_the_kinds_that_are_named_are_looked_for() -> None:
    (row,) = pii.prepare([Row(f"{MAIL}, {IBAN}", "")], redact=True, kinds=("iban",))
    assert row.prompt == f"{MAIL}, [IBAN]"


@given(
    st.lists(st.sampled_from([MAIL, IBAN, "+49 30 901820", "4111 1111 1111 1111", " ", ",", "\n", "a", "1", "@", "."]))
)
def test_nothing_is_found_in_what_was_redacted(parts: list[str]) -> None:
    (row,) = pii.prepare([Row("".join(parts), "")], redact=True)
    assert find(row.prompt) == []
