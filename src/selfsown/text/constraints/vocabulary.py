"""Constraints on words and letters that an answer must have, or must not have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from selfsown.text.constraints.kind import Draw, Kind, Parameters
from selfsown.text.constraints.parts import count_word, sentences
from selfsown.text.constraints.vocabulary_lists import COMMON_WORDS, KEYWORDS
from selfsown.text.normalize import unified


def _keywords(answer: str, parameters: Parameters) -> str:
    missing = [word for word in parameters["words"] if not count_word(answer, word)]
    return f"it lacks {', '.join(map(repr, missing))}" if missing else ""


def _keyword_count(answer: str, parameters: Parameters) -> str:
    count = count_word(answer, parameters["word"])
    return (
        ""
        if count >= parameters["count"]
        else (f"it has {parameters['word']!r} {count} times, not at least {parameters['count']}")
    )


def _forbidden_words(answer: str, parameters: Parameters) -> str:
    present = [word for word in parameters["words"] if count_word(answer, word)]
    return f"it has {', '.join(map(repr, present))}" if present else ""


def _letters(answer: str, letter: str) -> int:
    return unified(answer).casefold().count(letter.casefold())


def _min_letter(answer: str, parameters: Parameters) -> str:
    count = _letters(answer, parameters["letter"])
    return "" if count >= parameters["count"] else _times(count, "at least", parameters)


def _max_letter(answer: str, parameters: Parameters) -> str:
    count = _letters(answer, parameters["letter"])
    return "" if count <= parameters["count"] else _times(count, "at most", parameters)


def _times(count: int, limit: str, parameters: Parameters) -> str:
    return f"it has the letter {parameters['letter']!r} {count} times, not {limit} {parameters['count']}"


def _no_letter(answer: str, parameters: Parameters) -> str:
    letter = parameters["letter"]
    return f"it has the letter {letter!r}" if _letters(answer, letter) else ""


def _in_sentence(index: int, name: str) -> Any:
    def check(answer: str, parameters: Parameters) -> str:
        parts = sentences(answer)
        if parts and count_word(parts[index], parameters["word"]):
            return ""
        return f"its {name} sentence lacks {parameters['word']!r}"

    return check


def _some(words: Sequence[str], low: int, high: int) -> Draw:
    """Draws some of the words that the instruction does not have."""

    def draw(rng: random.Random, instruction: str) -> dict[str, Any]:
        return {"words": rng.sample(_new(words, instruction), rng.randint(low, high))}

    return draw


def _new(words: Sequence[str], instruction: str) -> list[str]:
    return [word for word in words if not count_word(instruction, word)]


def _draw_word(rng: random.Random, instruction: str) -> dict[str, Any]:
    return {"word": rng.choice(_new(KEYWORDS, instruction))}


KINDS = (
    Kind(
        "keywords",
        "words",
        (
            "Include the keywords {words}.",
            "Your answer must contain these words: {words}.",
            "Mention each of these words: {words}.",
        ),
        {"words": list},
        _some(KEYWORDS, 1, 2),
        _keywords,
    ),
    Kind(
        "keyword_count",
        "words",
        ("Use the word {word} at least {count} times.", "The word {word} must appear {count} or more times."),
        {"word": str, "count": int},
        lambda rng, instruction: {**_draw_word(rng, instruction), "count": rng.randint(2, 3)},
        _keyword_count,
    ),
    Kind(
        "forbidden_words",
        "forbidden",
        ("Do not use the words {words}.", "Avoid these words: {words}.", "Your answer must not contain: {words}."),
        {"words": list},
        _some(COMMON_WORDS, 2, 3),
        _forbidden_words,
    ),
    Kind(
        "min_letter",
        "letters",
        ("Use the letter {letter} at least {count} times.", "The letter {letter} must appear {count} or more times."),
        {"letter": str, "count": int},
        lambda rng, instruction: {"letter": rng.choice("bcfghklmpuvwy"), "count": rng.randint(3, 5)},
        _min_letter,
    ),
    Kind(
        "max_letter",
        "letters",
        (
            "Use the letter {letter} at most {count} times.",
            "The letter {letter} may appear no more than {count} times.",
        ),
        {"letter": str, "count": int},
        lambda rng, instruction: {"letter": rng.choice("aeiorst"), "count": rng.randint(2, 4)},
        _max_letter,
    ),
    Kind(
        "no_letter",
        "letters",
        ("Do not use the letter {letter}.", "Write without the letter {letter}."),
        {"letter": str},
        lambda rng, instruction: {"letter": rng.choice("bcdfglmpuwy")},
        _no_letter,
    ),
    Kind(
        "first_sentence_word",
        "words",
        ("Use the word {word} in your first sentence.", "Your first sentence must contain the word {word}."),
        {"word": str},
        _draw_word,
        _in_sentence(0, "first"),
    ),
    Kind(
        "last_sentence_word",
        "words",
        ("Use the word {word} in your last sentence.", "Your last sentence must contain the word {word}."),
        {"word": str},
        _draw_word,
        _in_sentence(-1, "last"),
    ),
)
