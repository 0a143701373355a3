"""A document is the answer, untouched, to the instruction that was written for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import backtranslate
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import fenced
from testing.echo_model import Parrot

TEXT = "The Moon circles the Earth in 27 days.\n It has no air, and nobody lives there, as far as one can tell today.\n"
MOON = Row("", TEXT, metadata={"by": "ann"}, level=2, sample_index=1)
CODE = Row("old", "def double(x: int) -> int:\n    return 2 * x\n", sample_index=2)
ASKED = "Tell a child about the Moon in two sentences."


def made(said: Any, *rows: Row, **knobs: Any) -> list[Row]:
    reply = json.dumps({"instruction": said}) if isinstance(said, str) else said
    teacher = Parrot(lambda prompt, at: reply)
    return recorded("backtranslate", backtranslate.generate(rows or (MOON,), teacher, 0, **knobs), teacher)


def test_the_document_stays_as_it_is_and_the_instruction_is_its_prompt() -> None:
    moon, code = made(f" {ASKED} ", MOON, CODE)
    assert (moon.prompt, moon.answer, moon.status, moon.metadata, moon.level) == (ASKED, TEXT, "", {"by": "ann"}, 2)
    assert (moon.origin, moon.source, moon.method, moon.parents, moon.generation) == (
        "synthetic",
        "parrot",
        "backtranslate",
        (MOON.id,),
        2,
    )
    assert (code.prompt, code.answer, code.parents, code.target) == (ASKED, CODE.answer, (CODE.id,), "")


@pytest.mark.parametrize(("kind", "words"), [("text", "Below is a text"), ("code", "Below is a piece of code")])
def test_the_document_its_kind_and_the_user_s_words_are_told_and_no_prompt(kind: str, words: str) -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return ""

    list(backtranslate.generate([CODE], Parrot(say), 0, kind=kind, instruction="In Dutch."))  # type: ignore[arg-type]
    assert all(part in seen[0] for part in (words, "In Dutch.", fenced(CODE.answer)))
    assert "old" not in seen[0]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (" ", "an empty text"),
        ("I cannot help with that text.", "it refuses"),
        (f"Write this: {TEXT}", "it gives the answer away: 'the moon circles the earth in 27 days"),
        ("Address the person who will write it, as if it did not exist.", "it repeats its instructions"),
        ("w" * 2001, "2,001 characters; the limit is 2,000"),
        (Reply("", "no idea"), "no JSON in the answer"),
        (Reply("", "", failure="refused: no"), "refused: no"),
    ],
)
def test_an_instruction_that_is_no_good_has_failed_with_its_reason(said: Any, reason: str) -> None:
    (row,) = made(said)
    assert (row.status, row.answer) == ("failed", TEXT)
    assert row.reason.startswith(reason)


def test_rows_without_an_answer_are_left_out_and_with_none_it_says_so() -> None:
    assert [row.parents for row in made(ASKED, Row("a?", " "), MOON)] == [(MOON.id,)]
    with pytest.raises(SelfsownError, match="no real row has an answer"):
        made(ASKED, Row("a?", ""))
