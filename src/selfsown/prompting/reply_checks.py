"""What a teacher wrote is looked at before it becomes a row: nothing, a refusal, too much, or a copy is no good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.models import Model, SamplingParams
from selfsown.records import Row
from selfsown.text.normalize import normal
from selfsown.text.rouge import words

SHARED_RUN_WORDS = 8  # words in a row that a text does not share with what its writer was told by chance

_CANNOT = r"i ?(?:can ?not|can't|won't|will not|am (?:not able|unable)(?: to)?|'m (?:not able|unable)(?: to)?)(?: \w+)?"
_DO = r"(?:help|assist|comply|fulfil+|provide|answer|write|rewrite|create|generate|produce|do|engage|continue)\b"
# It opens the text; who says sorry further down refuses nothing.
_REFUSAL = re.compile(
    rf"\W*(?:(?:(?:i'm|i am) (?:\w+ )?sorry|sorry|i apologi[sz]e|unfortunately)\b[^.!?\n]{{0,60}}?\b{_CANNOT} {_DO}"
    rf"|{_CANNOT} (?:help|assist|comply)\b(?=[^.!?\n]{{0,40}}\b(?:that|this|your|you|requests?)\b|\W*\Z)"
    r"|i must (?:\w+ )?decline\b)",
    re.IGNORECASE,
)
_AS_AN_AI = re.compile(r"\W*as an ai(?: language)?(?: model| assistant)?, i\b", re.IGNORECASE)
_MARK = re.compile(r"</?text-[0-9a-f]{12}>")  # as `fenced` sets them


def refusal_text(text: str) -> str:
    """The words in which the text refuses, at its beginning; "" where it does not."""
    return _opening(_REFUSAL, text)


def rejection_reason(text: str, longest: int, *, prompt: str = "", told: str = "") -> str:
    """Why the text is of no use, "" where it is of some. longest: the most characters; prompt: what it answers; told:
    what its writer was told around that."""
    if not text.strip():
        return "an empty text"
    if len(text) > longest:
        return f"{len(text):,} characters; longest is {longest:,}"
    if said := refusal_text(text) or _opening(_AS_AN_AI, text):
        return f"it refuses: {said[:60]!r}"
    if prompt and normal(text) == normal(prompt):
        return "it repeats its prompt"
    if mark := _MARK.search(text):
        return f"it repeats a mark of what it was told: {mark[0]!r}"
    run = shared_word_run(text, told, SHARED_RUN_WORDS)
    return f"it repeats what it was told: {run!r}" if run else ""


def _opening(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text.replace("’", "'"))
    return found[0].strip() if found else ""


def shared_word_run(one: str, other: str, size: int) -> str:
    """The first `size` words of the one text that stand in the other in the same order; "" for none."""
    there = set(_runs(other, size))
    return next((" ".join(run) for run in _runs(one, size) if run in there), "")


def answer_prompts(
    teacher: Model, rows: Sequence[Row], *, temperature: float, seed: int, longest: int, told: str = ""
) -> Iterator[Row]:
    """The rows, in order: to the prompt of each that has not failed, the teacher's answer."""
    asked = [row.full_prompt for row in rows if not row.status]
    replies = iter(teacher.complete(asked, SamplingParams(temperature=temperature, seed=seed)))
    for row in rows:
        if row.status:
            yield row
            continue
        (reply,) = next(replies)
        traits = {**row.metadata, "reasoning": reply.reasoning} if reply.reasoning else row.metadata
        failure = reply.failure or rejection_reason(reply.text, longest, prompt=row.prompt, told=told)
        made = replace(row, answer=reply.text, metadata=traits)
        yield made.failed(failure) if failure else made


def _runs(text: str, size: int) -> Iterator[tuple[str, ...]]:
    found = words(text)
    return (tuple(found[at : at + size]) for at in range(len(found) - size + 1))
