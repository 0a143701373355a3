"""Real documents said anew, each text with the words that it rests on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import rephrase
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import fenced
from testing.echo_model import Parrot

MOON = Row(
    "", "The Moon circles the Earth in 27 days. It has no air.", metadata={"source": "sky.md"}, level=2, sample_index=1
)
SUN = Row("What is the Sun?", "A star.", sample_index=2)
ANEW = "Once in four weeks, our airless companion goes around us."


def made(said: Any, *rows: Row, seed: int = 0, **knobs: Any) -> list[Row]:
    teacher = Parrot(said if callable(said) else lambda prompt, at: said)
    return recorded("rephrase", rephrase.generate(rows or (MOON,), teacher, seed, **knobs), teacher)


def test_a_text_names_its_source_and_keeps_the_words_it_was_made_of() -> None:
    (row,) = made(ANEW, formats=("easy",))
    assert (row.prompt, row.answer, row.status) == ("", ANEW, "")
    assert (row.origin, row.source, row.method, row.parents) == ("synthetic", "parrot", "rephrase", (MOON.id,))
    assert (row.generation, row.level, row.target) == (2, 2, "")
    assert row.metadata == {"source": "sky.md", "format": "easy", "span": MOON.answer}


def test_prompt_and_answer_are_one_document() -> None:
    assert made(ANEW, SUN)[0].metadata["span"] == "What is the Sun?\n\nA star."


def test_a_long_document_is_taken_in_spans_that_together_are_all_of_it() -> None:
    sentences = [f"Fact number {at} is a fact." for at in range(100)]
    rows = made(lambda prompt, at: f"{ANEW} {at}", Row("", " ".join(sentences)), span_chars=300, per_document=2)
    spans = [row.metadata["span"] for row in rows]
    assert all(len(span) <= 300 for span in spans)
    assert spans[::2] == spans[1::2]
    assert " ".join(spans[::2]) == " ".join(sentences)
    assert all(rows[at].metadata["format"] != rows[at + 1].metadata["format"] for at in range(0, len(rows), 2))
    assert [row.sample_index for row in rows] == list(range(len(rows)))


def test_each_row_is_written_in_as_many_formats_as_asked_for_and_all_have_their_turn() -> None:
    real = [Row("", f"A fact, number {at}.", sample_index=at) for at in range(120)]
    assert len(made(ANEW, *real[:3], per_document=9)) == 18
    found = Counter(row.metadata["format"] for row in made(ANEW, *real))
    assert len(found) == 6
    assert min(found.values()) > 8


def test_the_formats_of_a_row_depend_on_seed_and_row_alone_so_chunks_change_nothing() -> None:
    real = [Row("", f"A fact, number {at}.", sample_index=at) for at in range(30)]
    whole = [(row.metadata["format"], row.parents) for row in made(ANEW, *real)]
    assert whole == [(row.metadata["format"], row.parents) for each in real for row in made(ANEW, each)]
    assert whole != [(row.metadata["format"], row.parents) for row in made(ANEW, *real, seed=1)]


def test_the_form_the_source_and_the_user_s_words_are_told() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return ANEW

    made(say, formats=("dialogue",), instruction="In Dutch.")
    assert all(part in seen[0] for part in ("a conversation between an expert", "In Dutch.", fenced(MOON.answer)))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"Sure! Here is the text:\n\n{ANEW}", ANEW),
        (f"Here’s a list of points:\n- {ANEW}", f"- {ANEW}"),
        (f"  {ANEW}\n", ANEW),
        ("Here is what I think: it goes around.", "Here is what I think: it goes around."),
    ],
)
def test_what_is_said_before_the_text_is_left_out(said: str, kept: str) -> None:
    assert made(said)[0].answer == kept


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "an empty text"),
        ("Here is the text:\n\n", "an empty text"),
        ("I'm sorry, but I can't rewrite this.", "it refuses"),
        (MOON.answer.upper(), "it copies its source"),
        ("Keep every fact, name and number as it is; leave nothing out.", "it repeats its instructions"),
        ("w" * 17_000, "17,000 characters; the limit is 16,000"),
        (Reply("", "half a", failure="cut off"), "cut off"),
    ],
)
def test_a_reply_that_is_no_good_has_failed_with_its_reason(said: Any, reason: str) -> None:
    (row,) = made(said)
    assert row.status == "failed"
    assert row.reason.startswith(reason)
    assert row.parents == (MOON.id,)


def test_without_a_format_it_names_them() -> None:
    with pytest.raises(SelfsownError, match="formats is empty; available: textbook"):
        made(ANEW, formats=())
