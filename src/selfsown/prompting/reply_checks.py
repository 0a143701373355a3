"""Checks of a teacher's reply before it becomes a row: empty, a refusal, too long, or a copy of its instructions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.models import Model, SamplingParams
from selfsown.records import Row
from selfsown.text.normalize import normal
from selfsown.text.rouge import words

SHARED_RUN_WORDS = 8  # in a row: a text does not share so many with its instructions by chance

_CANNOT = r"i ?(?:can ?not|can't|won't|will not|am (?:not able|unable)(?: to)?|'m (?:not able|unable)(?: to)?)(?: \w+)?"
_DO = r"(?:help|assist|comply|fulfil+|provide|answer|write|rewrite|create|generate|produce|do|engage|continue)\b"
# At the beginning of the text; an apology further down is no refusal.
_REFUSAL = re.compile(
    rf"\W*(?:(?:(?:i'm|i am) (?:\w+ )?sorry|sorry|i apologi[sz]e|unfortunately)\b[^.!?\n]{{0,60}}?\b{_CANNOT} {_DO}"
    rf"|{_CANNOT} (?:help|assist|comply)\b(?=[^.!?\n]{{0,40}}\b(?:that|this|your|you|requests?)\b|\W*\Z)"
    r"|i must (?:\w+ )?decline\b)",
    re.IGNORECASE,
)
_AS_AN_AI = re.compile(r"\W*as an ai(?: language)?(?: model| assistant)?, i\b", re.IGNORECASE)
_MARK = re.compile(r"</?text-[0-9a-f]{12}>")  # as `fenced` sets them


def refusal_text(text: str) -> str:
    """The words with which the text refuses, at its beginning; "" where it does not."""
    return _opening(_REFUSAL, text)


def rejection_reason(text: str, max_chars: int, *, prompt: str = "", instructions: str = "") -> str:
    """Why the text is rejected, "" where it is not.

    max_chars: the longest text. prompt: that it answers. instructions: the prompt around that.
    """
    if not text.strip():
        return "an empty text"
    if len(text) > max_chars:
        return f"{len(text):,} characters; the limit is {max_chars:,}"
    if refusal := refusal_text(text) or _opening(_AS_AN_AI, text):
        return f"it refuses: {refusal[:60]!r}"
    if prompt and normal(text) == normal(prompt):
        return "it repeats its prompt"
    if mark := _MARK.search(text):
        return f"it repeats a mark of its instructions: {mark[0]!r}"
    run = shared_word_run(text, instructions, SHARED_RUN_WORDS)
    return f"it repeats its instructions: {run!r}" if run else ""


def _opening(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text.replace("’", "'"))
    return match[0].strip() if match else ""


def shared_word_run(one: str, other: str, size: int) -> str:
    """The first `size` words in a row that both texts contain; "" for none."""
    runs = set(_runs(other, size))
    return next((" ".join(run) for run in _runs(one, size) if run in runs), "")


def answer_prompts(
    teacher: Model, rows: Sequence[Row], *, temperature: float, seed: int, max_chars: int, instructions: str = ""
) -> Iterator[Row]:
    """The rows, in order: those that have not failed with the teacher's answer to their prompt."""
    prompts = [row.full_prompt for row in rows if not row.status]
    replies = iter(teacher.complete(prompts, SamplingParams(temperature=temperature, seed=seed)))
    for row in rows:
        if row.status:
            yield row
            continue
        (reply,) = next(replies)
        metadata = {**row.metadata, "reasoning": reply.reasoning} if reply.reasoning else row.metadata
        failure = reply.failure or rejection_reason(reply.text, max_chars, prompt=row.prompt, instructions=instructions)
        answered = replace(row, answer=reply.text, metadata=metadata)
        yield answered.failed(failure) if failure else answered


def _runs(text: str, size: int) -> Iterator[tuple[str, ...]]:
    tokens = words(text)
    return (tuple(tokens[start : start + size]) for start in range(len(tokens) - size + 1))
