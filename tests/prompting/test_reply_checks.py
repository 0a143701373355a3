"""What a teacher wrote is of use, or it is said why not."""

from __future__ import annotations

import pytest

from selfsown.models import Reply
from selfsown.prompting.reply_checks import answer_prompts, rejection_reason, shared_word_run
from selfsown.records import Row
from selfsown.text.normalize import fenced
from testing.echo_model import Parrot

TOLD = "Write a message that the person described here might send to an assistant."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty text"),
        (" \n", "an empty text"),
        ("a" * 101, "101 characters; the limit is 100"),
        ("I'm sorry, but I can't help with that.", "it refuses"),
        ("I’m really sorry, I cannot assist with this.", "it refuses"),
        ("Sorry, I am not able to write that.", "it refuses"),
        ("Unfortunately, I'm unable to provide it.", "it refuses"),
        ("I cannot help you there.", "it refuses"),
        ("As an AI language model, I have no opinions.", "it refuses"),
        ("I must respectfully decline.", "it refuses"),
        ("Say it:\n" + fenced("x"), "it repeats a mark"),
        ("Well: the person described here might send to an assistant this", "it repeats its instructions"),
        ("What is  2+2?", "it repeats its prompt"),
    ],
)
def test_what_is_of_no_use_has_its_reason(text: str, reason: str) -> None:
    assert rejection_reason(text, 100, prompt="what is 2+2?", instructions=TOLD).startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "4",
        "I can't find the leak in my roof. What should I do?",
        "Dear Ann,\nI am sorry that we could not come. I cannot write more today.",
        "Sorry is what she said, and he can help.",
        "Describe the person who might send a message to an assistant.",
        "What is 2+2? It is 4.",
        "Erklär mir das bitte.",
    ],
)
def test_what_is_of_use_has_none(text: str) -> None:
    assert rejection_reason(text, 100, prompt="What is 2+2?", instructions=TOLD) == ""


def test_a_run_of_words_is_found_whatever_their_case_and_marks() -> None:
    assert shared_word_run("He said: One two, THREE four.", "one, two; three", 3) == "one two three"
    assert shared_word_run("one two four three", "one two three", 3) == ""


def test_each_row_is_answered_in_its_place_but_those_that_have_failed() -> None:
    rows = [Row("a?", ""), Row("b?", "").failed("no good"), Row("c?", ""), Row("d?", ""), Row("e?", "")]
    said = {
        "a?": Reply("a?", "A", reasoning="first letter"),
        "c?": Reply("c?", "C", failure="cut off"),
        "d?": Reply("d?", "D?"),
        "e?": Reply("e?", "I cannot help with that."),
    }
    found = list(answer_prompts(Parrot(lambda prompt, at: said[prompt]), rows, temperature=1.0, seed=0, max_chars=100))
    assert [(row.prompt, row.answer, row.status) for row in found] == [
        ("a?", "A", ""),
        ("b?", "", "failed"),
        ("c?", "C", "failed"),
        ("d?", "D?", "failed"),
        ("e?", "I cannot help with that.", "failed"),
    ]
    assert found[0].metadata == {"reasoning": "first letter"}
    assert [row.reason for row in found[1:4]] == ["no good", "cut off", "it repeats its prompt"]
