"""Constraints on length: words and sentences."""

from __future__ import annotations

import random
from typing import Any

from selfsown.text.constraints.kind import Kind, Parameters, at_least, at_most, between, exactly, nothing
from selfsown.text.constraints.parts import lines, sentences, spaced_words


def _max_words(answer: str, parameters: Parameters) -> str:
    return at_most(len(spaced_words(answer)), parameters["words"], "word")


def _min_words(answer: str, parameters: Parameters) -> str:
    return at_least(len(spaced_words(answer)), parameters["words"], "word")


def _words_between(answer: str, parameters: Parameters) -> str:
    words = len(spaced_words(answer))
    return at_least(words, parameters["low"], "word") or at_most(words, parameters["high"], "word")


def _draw_range(rng: random.Random, instruction: str) -> dict[str, Any]:
    low = rng.randrange(10, 41, 5)
    return {"low": low, "high": low + rng.choice((10, 20))}


def _sentences(answer: str, parameters: Parameters) -> str:
    return exactly(len(sentences(answer)), parameters["count"], "sentence")


def _max_sentences(answer: str, parameters: Parameters) -> str:
    return at_most(len(sentences(answer)), parameters["count"], "sentence")


def _min_sentences(answer: str, parameters: Parameters) -> str:
    return at_least(len(sentences(answer)), parameters["count"], "sentence")


def _one_line(answer: str, parameters: Parameters) -> str:
    return exactly(len(lines(answer)), 1, "line")


KINDS = (
    Kind(
        "max_words",
        "length",
        ("Use at most {words} words.", "Answer in {words} words or fewer.", "Write no more than {words} words."),
        {"words": int},
        lambda rng, instruction: {"words": rng.randrange(10, 61, 5)},
        _max_words,
        counts_words=True,
    ),
    Kind(
        "min_words",
        "length",
        ("Use at least {words} words.", "Answer in {words} words or more.", "Write no fewer than {words} words."),
        {"words": int},
        lambda rng, instruction: {"words": rng.randrange(20, 81, 10)},
        _min_words,
        counts_words=True,
        short=False,
    ),
    Kind(
        "words_between",
        "length",
        ("Use between {low} and {high} words.", "Write at least {low} and at most {high} words."),
        {"low": int, "high": int},
        _draw_range,
        _words_between,
        counts_words=True,
        short=False,
    ),
    Kind(
        "sentences",
        "length",
        ("Answer in exactly {count} sentences.", "Write exactly {count} sentences.", "Use {count} sentences, no more."),
        {"count": int},
        between("count", 2, 3),
        _sentences,
    ),
    Kind(
        "max_sentences",
        "length",
        ("Answer in at most {count} sentences.", "Write no more than {count} sentences."),
        {"count": int},
        between("count", 2, 3),
        _max_sentences,
    ),
    Kind(
        "min_sentences",
        "length",
        ("Answer in at least {count} sentences.", "Write no fewer than {count} sentences."),
        {"count": int},
        between("count", 2, 4),
        _min_sentences,
    ),
    Kind(
        "one_line",
        "length",
        ("Write everything on a single line.", "Answer on one line, without line breaks."),
        {},
        nothing,
        _one_line,
    ),
)
