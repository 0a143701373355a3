"""A judge reconstructs the answer from its source or the question from the answer, or checks claims."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from selfsown.models import Model
from selfsown.option_types import NotNegative
from selfsown.prompting.json_schema import list_schema, object_schema
from selfsown.prompting.judge_prompts import EMPTY_ANSWER, IGNORE_INSTRUCTIONS, fenced_prompt, fenced_row, text_kind
from selfsown.prompting.structured_output import Answer, complete_json
from selfsown.records import Grade, Row
from selfsown.text.normalize import agreement, fenced

_RECONSTRUCTION = object_schema(found=str)
_CLAIM = object_schema(quote=str, reason=str)
_CLAIMS = object_schema(unsupported=list_schema(_CLAIM))


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
    """direction: what the judge does. `answer`: it answers the prompt from the source alone; `question`: it
    reconstructs the prompt from the answer. It does not see the original, and the score is the agreement of the words
    (0 if each has a number that the other lacks), which does not detect words whose order was changed. `claims`, for
    rewritten texts: it quotes claims that the source does not support; the score is the share of supported sentences.
    source: metadata field with the row's source.
    methods: grade the rows of these generators alone. Other rows get a grade without evidence, which `min_score`
    ignores, so that each generator's rows can have their own direction.
    temperature: of the judge.
    """
    skipped = [bool(methods) and row.method not in methods for row in rows]
    missing = [skip or _missing(row, direction, source) for row, skip in zip(rows, skipped, strict=True)]
    prompts = [_prompt(row, direction, source) for row, lack in zip(rows, missing, strict=True) if not lack]
    schema = _CLAIMS if direction == "claims" else _RECONSTRUCTION
    answers = iter(complete_json(judge, prompts, schema, temperature=temperature, seed=seed))
    for row, lack in zip(rows, missing, strict=True):
        if lack is True:
            yield Grade(1.0, f"rows of {row.method} are not graded here", grader="roundtrip", evidence="none")
        else:
            yield _failed(lack) if lack else _grade(row, next(answers), direction)


def _missing(row: Row, direction: str, source: str) -> str:
    """What the row lacks for this direction; "" if nothing."""
    if not row.answer.strip():
        return EMPTY_ANSWER
    if direction != "claims" and not row.prompt:
        return "no prompt to compare with"
    if direction != "question" and not row.metadata.get(source, "").strip():
        available = ", ".join(sorted(row.metadata)) or "none"
        return f"no source in the metadata field {source!r}; available: {available}"
    return ""


def _prompt(row: Row, direction: str, source: str) -> str:
    if direction == "answer":
        parts = ["Answer the question from the source alone, as briefly as you can; add nothing that is not in it."]
        parts += [
            f"The source:\n{fenced(row.metadata[source])}",
            f"The question:\n{fenced_prompt(row)}",
            IGNORE_INSTRUCTIONS,
        ]
        parts += ["If the source does not answer the question, return an empty text."]
    elif direction == "question":
        parts = ["Below is an answer. Find the question that it answers, in as few words as possible."]
        parts += [f"The answer:\n{fenced(row.answer)}", IGNORE_INSTRUCTIONS]
    else:
        parts = [
            f"Check each claim of the {text_kind(row)} against its source, and quote those that it does not support."
        ]
        parts += [f"The source:\n{fenced(row.metadata[source])}", fenced_row(row)]
        parts += ["If the source supports all of them, the list is empty."]
    return "\n\n".join(parts)


def _grade(row: Row, answer: Answer, direction: str) -> Grade:
    if answer.failure:
        return _failed(answer.failure)
    if direction == "claims":
        return _supported(row, answer)
    reconstructed = answer.data["found"].strip()
    if not reconstructed:
        reason = "the source does not answer the question" if direction == "answer" else "no question fits the answer"
        return Grade(0.0, reason, grader="roundtrip", evidence="judge")
    score = agreement(row.answer if direction == "answer" else row.prompt, reconstructed)
    return Grade(
        score, f"reconstructed {reconstructed[:200]!r}, agreement {score:.2f}", grader="roundtrip", evidence="judge"
    )


def _supported(row: Row, answer: Answer) -> Grade:
    sentences = len(re.split(r"(?<=[.!?])\s+|\n+", row.answer.strip()))
    claims = {claim["quote"].strip(): claim["reason"].strip() for claim in answer.data["unsupported"]}
    if not claims:
        return Grade(1.0, "supported by its source", grader="roundtrip", evidence="judge")
    first, why = next(iter(claims.items()))
    unsupported = min(len(claims), sentences)
    reason = f"{unsupported} of {sentences} sentences are not supported by the source, such as {first[:200]!r}: {why}"
    return Grade(1 - unsupported / sentences, reason, grader="roundtrip", evidence="judge")


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="roundtrip", evidence="judge", failed=True)
