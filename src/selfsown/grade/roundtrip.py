"""A model finds the way back to the answer from its source, to the question from the answer, or to the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from selfsown.models import Model
from selfsown.option_types import NotNegative
from selfsown.prompting.judge_prompts import EMPTY_ANSWER, IGNORE_INSTRUCTIONS, fenced_prompt, fenced_row, text_kind
from selfsown.prompting.structured_output import Answer, complete_json
from selfsown.records import Grade, Row
from selfsown.text.normalize import agreement, fenced

_FOUND = {
    "type": "object",
    "properties": {"found": {"type": "string"}},
    "required": ["found"],
    "additionalProperties": False,
}
_CLAIM = {
    "type": "object",
    "properties": {"quote": {"type": "string"}, "reason": {"type": "string"}},
    "required": ["quote", "reason"],
    "additionalProperties": False,
}
_CLAIMS = {
    "type": "object",
    "properties": {"unsupported": {"type": "array", "items": _CLAIM}},
    "required": ["unsupported"],
    "additionalProperties": False,
}


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    direction: Literal["answer", "question", "claims"] = "answer",
    source: str = "quote",
    methods: tuple[str, ...] = (),
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """With `back: answer` the judge answers the prompt anew from the trait named by `source` alone, with
    `back: question` it guesses the prompt from the answer. It does not see what it is to find, and the score is the
    agreement of the words, 0 where each has a number that the other lacks; neither sees a twist in the same words.

    With `back: claims`, for texts that were rewritten, it quotes what the source does not bear out; the score is the
    share of sentences that are left.

    With `only`, rows that other ways than these made are left to other graders, so that each way's rows may have their
    own way back: such a grade rests on nothing, and `passed` does not count it.
    """
    bys = [bool(methods) and row.method not in methods for row in rows]
    lacks = [by or _lacks(row, direction, source) for row, by in zip(rows, bys, strict=True)]
    prompts = [_asked(row, direction, source) for row, lack in zip(rows, lacks, strict=True) if not lack]
    schema = _CLAIMS if direction == "claims" else _FOUND
    said = iter(complete_json(judge, prompts, schema, temperature=temperature, seed=seed))
    for row, lack in zip(rows, lacks, strict=True):
        if lack is True:
            yield Grade(1.0, f"{row.method} has another way back", grader="roundtrip", evidence="none")
        else:
            yield _failed(lack) if lack else _grade(row, next(said), direction)


def _lacks(row: Row, back: str, source: str) -> str:
    """What is missing to find the way back."""
    if not row.answer.strip():
        return EMPTY_ANSWER
    if back != "claims" and not row.prompt:
        return "it has no prompt to come back to"
    if back != "question" and not row.metadata.get(source, "").strip():
        there = ", ".join(sorted(row.metadata)) or "none"
        return f"it has no trait {source!r} with its source; it has: {there}"
    return ""


def _asked(row: Row, back: str, source: str) -> str:
    if back == "answer":
        parts = ["Answer the question from the source alone, as briefly as you can; say nothing that is not in it."]
        parts += [
            f"The source:\n{fenced(row.metadata[source])}",
            f"The question:\n{fenced_prompt(row)}",
            IGNORE_INSTRUCTIONS,
        ]
        parts += ["If the source does not answer it, what you found is an empty text."]
    elif back == "question":
        parts = ["Below stands an answer. Find the question that it answers, in as few words as it takes."]
        parts += [f"The answer:\n{fenced(row.answer)}", IGNORE_INSTRUCTIONS]
    else:
        parts = [
            f"Hold each claim of the {text_kind(row)} against its source, and quote those that it does not bear out."
        ]
        parts += [f"The source:\n{fenced(row.metadata[source])}", fenced_row(row)]
        parts += ["If the source bears out all of them, the list is empty."]
    return "\n\n".join(parts)


def _grade(row: Row, said: Answer, back: str) -> Grade:
    if said.failure:
        return _failed(said.failure)
    if back == "claims":
        return _borne_out(row, said)
    found = said.data["found"].strip()
    if not found:
        missing = "the source does not answer it" if back == "answer" else "no question fits the answer"
        return Grade(0.0, missing, grader="roundtrip", evidence="judge")
    alike = agreement(row.answer if back == "answer" else row.prompt, found)
    reason = f"the way back finds {found[:200]!r}, {alike:.2f} the same"
    return Grade(alike, reason, grader="roundtrip", evidence="judge")


def _borne_out(row: Row, said: Answer) -> Grade:
    sentences = len(re.split(r"(?<=[.!?])\s+|\n+", row.answer.strip()))
    claims = {claim["quote"].strip(): claim["reason"].strip() for claim in said.data["unsupported"]}
    if not claims:
        return Grade(1.0, "its source bears it out", grader="roundtrip", evidence="judge")
    first, reason = next(iter(claims.items()))
    without = min(len(claims), sentences)
    words = f"{without} of {sentences} sentences without a source, such as {first[:200]!r}: {reason}"
    return Grade(1 - without / sentences, words, grader="roundtrip", evidence="judge")


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="roundtrip", evidence="judge", failed=True)
