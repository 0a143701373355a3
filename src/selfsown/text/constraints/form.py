"""Constraints that decide the form of the whole answer: JSON, given options, two answers, a repeated request."""

from __future__ import annotations

import json
import random
import re
from typing import Any

from selfsown.text.constraints.kind import Kind, Parameters, nothing
from selfsown.text.constraints.parts import spaced_words
from selfsown.text.constraints.vocabulary_lists import KEYS
from selfsown.text.normalize import normal, unified, words

SEPARATOR = "******"
MAX_REPEATED_WORDS = 25  # a longer request is not asked to be repeated
MAX_SHARED = 0.8  # of the words of two answers that shall differ
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)
_YES_NO = re.compile(r"(is|are|was|were|do|does|did|can|could|should|would|will|has|have)\b", re.IGNORECASE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _read_json(answer: str) -> Any:
    """The JSON of an answer, alone or in a Markdown fence. ValueError, RecursionError: it is none."""
    fenced = _FENCED.fullmatch(answer.strip())
    return json.loads(fenced[1] if fenced else answer, object_pairs_hook=_unique, parse_constant=_reject_constant)


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")


def _json_keys(answer: str, parameters: Parameters) -> str:
    try:
        value = _read_json(answer)
    except (ValueError, RecursionError) as error:
        return f"it is not valid JSON: {error}"
    expected = list(parameters["keys"])
    if not isinstance(value, dict) or sorted(value) != sorted(expected):
        actual = ", ".join(value) if isinstance(value, dict) else type(value).__name__
        return f"it is not a JSON object with exactly the keys {', '.join(expected)}: {actual}"
    blank = next((key for key in expected if not words(_leaves(value[key]))), "")
    return f"its key {blank!r} has no text" if blank else ""


def _leaves(value: Any) -> str:
    """All texts and numbers of a JSON value, a line each."""
    if isinstance(value, dict | list):
        return "\n".join(map(_leaves, value.values() if isinstance(value, dict) else value))
    return "" if value is None or isinstance(value, bool) else str(value)


def _json_values(answer: str, parameters: Parameters) -> str:
    try:
        return _leaves(_read_json(answer))
    except (ValueError, RecursionError):
        return answer


def _options(answer: str, parameters: Parameters) -> str:
    text = normal(answer).strip(" .!\"'")
    options = list(parameters["options"])
    if text in {normal(option).strip(" .!\"'") for option in options}:
        return ""
    return f"it is none of {', '.join(map(repr, options))}"


def _two_responses(answer: str, parameters: Parameters) -> str:
    parts = unified(answer).split(SEPARATOR)
    if len(parts) != 2 or not all(spaced_words(part) for part in parts):
        return f"it is not two answers with {SEPARATOR} between them"
    one, two = (set(words(part)) for part in parts)
    return "its two answers are nearly the same" if len(one & two) > MAX_SHARED * min(len(one), len(two)) else ""


def _pattern(request: str) -> re.Pattern[str]:
    text = r"\s+".join(map(re.escape, unified(request).split()))
    return re.compile(rf"[\s\"'*>]*{text}[\s\"'*]*", re.IGNORECASE)


def _repeat_request(answer: str, parameters: Parameters) -> str:
    match = _pattern(parameters["request"]).match(unified(answer))
    if not match:
        return "it does not begin with the request, word for word"
    return "" if spaced_words(unified(answer)[match.end() :]) else "nothing follows the repeated request"


def _after_request(answer: str, parameters: Parameters) -> str:
    return _pattern(parameters["request"]).sub("", unified(answer), count=1)


def _draw_request(rng: random.Random, instruction: str) -> dict[str, Any] | None:
    return {"request": instruction} if len(spaced_words(instruction)) <= MAX_REPEATED_WORDS else None


def _draw_options(rng: random.Random, instruction: str) -> dict[str, Any] | None:
    """For questions that yes or no can answer."""
    is_question = instruction.strip().endswith("?") and _YES_NO.match(instruction.strip())
    return {"options": rng.choice((["yes", "no"], ["yes", "no", "maybe"]))} if is_question else None


KINDS = (
    Kind(
        "json_keys",
        "form",
        (
            "Answer in JSON, with exactly these keys: {keys}.",
            "Your whole answer must be a JSON object whose keys are {keys}.",
        ),
        {"keys": list},
        lambda rng, instruction: {"keys": rng.sample(KEYS, rng.randint(1, 2))},
        _json_keys,
        _json_values,
        alone=True,
    ),
    Kind(
        "options",
        "form",
        ("Answer with one of these options and nothing else: {options}.", "Choose your answer from: {options}."),
        {"options": list},
        _draw_options,
        _options,
        lambda answer, parameters: None,
        alone=True,
    ),
    Kind(
        "two_responses",
        "form",
        (
            "Give two different answers and separate them with ******.",
            "Write two answers that differ, with a line of six asterisks (******) between them.",
        ),
        {},
        nothing,
        _two_responses,
        alone=True,
    ),
    Kind(
        "repeat_request",
        "form",
        (
            "First repeat the request above word for word, then answer it.",
            "Before you answer, copy the request above without changing it.",
        ),
        {"request": str},
        _draw_request,
        _repeat_request,
        _after_request,
        alone=True,
        short=False,
    ),
)
