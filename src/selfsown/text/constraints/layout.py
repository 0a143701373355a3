"""Constraints on layout: paragraphs, lists, sections, lines and marks within the text."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from typing import Any

from selfsown.text.constraints.kind import Kind, Parameters, at_least, between, counted, exactly
from selfsown.text.constraints.parts import bullets, lines, numbered, paragraphs, spaced_words, starts_with
from selfsown.text.constraints.vocabulary_lists import SPLITTERS, START_WORDS
from selfsown.text.normalize import normal, unified

_HIGHLIGHT = re.compile(r"(?<![*\w])(\*{1,2})(?!\s)([^*\n]*\w[^*\n]*)(?<!\s)\1(?![*\w])")
_PLACEHOLDER = re.compile(r"\[([^\[\]\n]*\w[^\[\]\n]*)\]")


def _paragraphs(answer: str, parameters: Parameters) -> str:
    return exactly(len(paragraphs(answer)), parameters["count"], "paragraph")


def _paragraph_word(answer: str, parameters: Parameters) -> str:
    parts, number = paragraphs(answer), parameters["paragraph"]
    if len(parts) != parameters["count"]:
        return exactly(len(parts), parameters["count"], "paragraph")
    right = starts_with(parts[number - 1], parameters["word"])
    return "" if right else f"its paragraph {number} does not start with {parameters['word']!r}"


def _draw_paragraph_word(rng: random.Random, instruction: str) -> dict[str, Any]:
    count = rng.randint(2, 3)
    return {"count": count, "paragraph": rng.randint(1, count), "word": rng.choice(START_WORDS)}


def _bullets(answer: str, parameters: Parameters) -> str:
    return exactly(len(bullets(answer)), parameters["count"], "bullet point")


def _sorted_bullets(answer: str, parameters: Parameters) -> str:
    items = [normal(item) for item in bullets(answer)]
    if len(items) != parameters["count"]:
        return exactly(len(items), parameters["count"], "bullet point")
    keys = [re.sub(r"^\W+", "", item) for item in items]
    wrong = next((key for before, key in pairwise(keys) if key < before), "")
    return f"its bullet point {wrong!r} is out of alphabetical order" if wrong else ""


def _numbered_list(answer: str, parameters: Parameters) -> str:
    numbers = [number for number, _ in numbered(answer)]
    if numbers == list(range(1, parameters["count"] + 1)):
        return ""
    return f"its numbered items are {numbers}, not 1 to {parameters['count']}"


def _highlights(answer: str, parameters: Parameters) -> str:
    passages = {normal(match[2]) for match in _HIGHLIGHT.finditer(unified(answer))}
    return at_least(len(passages), parameters["count"], "different highlighted passage")


def _placeholders(answer: str, parameters: Parameters) -> str:
    names = {normal(match[1]) for match in _PLACEHOLDER.finditer(unified(answer))}
    return at_least(len(names), parameters["count"], "different placeholder")


def _sections(answer: str, parameters: Parameters) -> str:
    splitter, count = parameters["splitter"], parameters["count"]
    heading = re.compile(
        rf"^[#*\s]*{re.escape(unified(splitter))}[ \t]+(\d+)\b[ \t:.*-]*", re.MULTILINE | re.IGNORECASE
    )
    _, *pieces = heading.split(unified(answer))  # number, text, number, text, …
    if [int(number) for number in pieces[::2]] != list(range(1, count + 1)):
        return (
            f"it has {counted(len(pieces) // 2, 'section')} marked {splitter!r}, not {splitter} 1 to {splitter} {count}"
        )
    blank = next((number for number, text in zip(pieces[::2], pieces[1::2], strict=True) if not spaced_words(text)), "")
    return f"its {splitter} {blank} has no text" if blank else ""


def _line_words(answer: str, parameters: Parameters) -> str:
    parts = lines(answer)
    long = next((line for line in parts if len(spaced_words(line)) > parameters["words"]), "")
    if long:
        return f"a line has {len(spaced_words(long))} words, not at most {parameters['words']}"
    return at_least(len(parts), 2, "line")


def _blank_marks(pattern: re.Pattern[str]) -> Any:
    """The answer without the marked passages, so that something must stand beside them."""
    return lambda answer, parameters: pattern.sub(" ", unified(answer))


KINDS = (
    Kind(
        "paragraphs",
        "layout",
        (
            "Write exactly {count} paragraphs, with a blank line between them.",
            "Answer in {count} paragraphs that are separated by blank lines.",
        ),
        {"count": int},
        between("count", 2, 3),
        _paragraphs,
    ),
    Kind(
        "paragraph_word",
        "layout",
        (
            "Write {count} paragraphs with blank lines between them. Start paragraph {paragraph} with the word {word}.",
            "Separate {count} paragraphs by blank lines and let the first word of paragraph {paragraph} be {word}.",
        ),
        {"count": int, "paragraph": int, "word": str},
        _draw_paragraph_word,
        _paragraph_word,
    ),
    Kind(
        "bullets",
        "layout",
        (
            "Answer with exactly {count} bullet points, each on a line that starts with *.",
            "Write a list of {count} bullet points, using * as the bullet.",
        ),
        {"count": int},
        between("count", 2, 4),
        _bullets,
    ),
    Kind(
        "sorted_bullets",
        "layout",
        (
            "Answer with {count} bullet points in alphabetical order, each on a line that starts with *.",
            "List {count} bullet points, with * as the bullet, sorted from A to Z.",
        ),
        {"count": int},
        between("count", 2, 4),
        _sorted_bullets,
    ),
    Kind(
        "numbered_list",
        "layout",
        ("Answer as a numbered list from 1 to {count}.", "Number your points 1. to {count}., each on its own line."),
        {"count": int},
        between("count", 2, 4),
        _numbered_list,
    ),
    Kind(
        "highlights",
        "marks",
        (
            "Highlight at least {count} passages with asterisks, like *this*.",
            "Put at least {count} phrases between asterisks, like *this*.",
        ),
        {"count": int},
        between("count", 2, 3),
        _highlights,
        _blank_marks(_HIGHLIGHT),
    ),
    Kind(
        "placeholders",
        "marks",
        (
            "Include at least {count} placeholders in square brackets, such as [name].",
            "Leave {count} or more blanks to fill in, each in square brackets like [name].",
        ),
        {"count": int},
        between("count", 2, 3),
        _placeholders,
        _blank_marks(_PLACEHOLDER),
    ),
    Kind(
        "sections",
        "layout",
        (
            "Divide your answer into {count} sections that begin with {splitter} 1, {splitter} 2 and so on.",
            "Use {count} sections and mark each one with {splitter} and its number, as in {splitter} 1.",
        ),
        {"count": int, "splitter": str},
        lambda rng, instruction: {"count": rng.randint(2, 3), "splitter": rng.choice(SPLITTERS)},
        _sections,
    ),
    Kind(
        "line_words",
        "layout",
        (
            "Write several short lines of at most {words} words each.",
            "Break your answer into lines; no line may have more than {words} words.",
        ),
        {"words": int},
        between("words", 4, 8),
        _line_words,
    ),
)
