"""Questions about real documents: each answer quotes its source, or has failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import document_qa
from selfsown.models import Reply
from selfsown.records import Row
from testing.echo_model import Parrot

MOON = Row("", "The Moon\n circles the Earth  in 27 days. It has no air.", metadata={"by": "ann"}, sample_index=1)
SUN = Row("What is the Sun?", "A star. It is 4.6 billion years old.", sample_index=2)
DAYS = {"question": "How long does the Moon take?", "quote": "circles the Earth in 27 days", "answer": "27 days."}
AIR = {"question": "Has the Moon air?", "quote": "It has\tno air", "answer": "No."}


def saying(*pairs: dict[str, str]) -> str:
    return json.dumps({"pairs": pairs})


def made(said: Any, *rows: Row, **knobs: Any) -> list[Row]:
    teacher = Parrot(lambda prompt, at: said)
    return recorded("document_qa", document_qa.generate(rows or (MOON,), teacher, 0, **knobs), teacher)


def test_each_pair_is_a_row_that_names_its_source_and_quotes_it() -> None:
    rows = made(saying(DAYS, AIR))
    assert [(row.prompt, row.answer, row.status) for row in rows] == [
        ("How long does the Moon take?", "27 days.", ""),
        ("Has the Moon air?", "No.", ""),
    ]
    assert [row.metadata for row in rows] == [{"by": "ann", "quote": pair["quote"]} for pair in (DAYS, AIR)]
    assert [(row.origin, row.source, row.method, row.parents, row.generation, row.sample_index) for row in rows] == [
        ("synthetic", "parrot", "document_qa", (MOON.id,), 2, draw) for draw in (0, 1)
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quote": "circles the Sun"}, "the quote does not occur in the source"),
        ({"quote": " "}, "an empty quote"),
        ({"question": ""}, "an empty question"),
        ({"answer": "\n"}, "an empty answer"),
    ],
)
def test_a_pair_that_is_no_good_fails_alone_with_its_reason(change: dict[str, str], reason: str) -> None:
    rows = made(saying(DAYS | change, AIR))
    assert [(row.status, row.reason) for row in rows] == [("failed", reason), ("", "")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("I know nothing of it.", "no JSON in the answer"),
        (saying(), "it asks no question"),
        ('{"pairs": [{"question": "?"}]}', "does not match the schema"),
        (Reply("", "", failure="refused: no"), "refused: no"),
    ],
)
def test_a_reply_that_cannot_be_read_is_one_failed_row_for_its_document(said: Any, reason: str) -> None:
    rows = made(said, MOON, SUN)
    assert [row.parents for row in rows] == [(MOON.id,), (SUN.id,)]
    for row in rows:
        assert row.status == "failed"
        assert row.reason.startswith(reason)
        assert row.answer == (said if isinstance(said, str) else "")
    assert len({row.id for row in rows}) == 2


def test_prompt_and_answer_are_one_document_and_a_quote_may_come_from_either() -> None:
    rows = made(saying({"question": "?", "quote": "What is the Sun? A star.", "answer": "A star."}), SUN)
    assert rows[0].status == ""


def test_more_pairs_than_asked_for_are_no_more_rows_and_the_instruction_is_told() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return saying(DAYS, AIR)

    rows = list(document_qa.generate([MOON], Parrot(say), 0, per_document=1, instruction="Ask like a child."))
    assert len(rows) == 1
    assert "one question" in seen[0]
    assert "Ask like a child." in seen[0]
    assert MOON.answer in seen[0]
