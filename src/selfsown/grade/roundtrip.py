"""A model finds the way back, to the answer from the source alone, or to the question from the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from selfsown.judging import NOTE
from selfsown.kinds import NotNegative
from selfsown.models import Model
from selfsown.records import Grade, Row
from selfsown.structured import Answer, ask
from selfsown.text import agreement, fenced

_SCHEMA = {
    "type": "object",
    "properties": {"found": {"type": "string"}},
    "required": ["found"],
    "additionalProperties": False,
}


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    back: Literal["answer", "question"] = "answer",
    source: str = "quote",
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """The judge does not see what it is to find. With `back: answer`, it reads the trait named by `source`, so that an
    answer that the source does not give is found out; with `back: question`, an answer that misses its question.

    The score is the agreement of the words, 0 where numbers differ: neither sees a twist in the same words.
    """
    lacks = [_lacks(row, back, source) for row in rows]
    prompts = [_asked(row, back, source) for row, lack in zip(rows, lacks, strict=True) if not lack]
    said = iter(ask(judge, prompts, _SCHEMA, temperature=temperature, seed=seed))
    for row, lack in zip(rows, lacks, strict=True):
        if lack:
            yield Grade(0.0, lack, by="roundtrip", trust="judge", failed=True)
        else:
            yield _grade(row.answer if back == "answer" else row.prompt, next(said), back)


def _lacks(row: Row, back: str, source: str) -> str:
    """What is missing to find the way back."""
    if not row.prompt:
        return "it has no prompt to come back to"
    if back == "answer" and not row.traits.get(source, "").strip():
        there = ", ".join(sorted(row.traits)) or "none"
        return f"it has no trait {source!r} with its source; it has: {there}"
    return ""


def _asked(row: Row, back: str, source: str) -> str:
    if back == "answer":
        parts = ["Answer the question from the source alone, as briefly as you can; say nothing that is not in it."]
        parts += [f"The source:\n{fenced(row.traits[source])}", f"The question:\n{fenced(row.prompt)}", NOTE]
        parts += ["If the source does not answer it, what you found is an empty text."]
    else:
        parts = ["Below stands an answer. Find the question that it answers, in as few words as it takes."]
        parts += [f"The answer:\n{fenced(row.answer)}", NOTE]
    return "\n\n".join(parts)


def _grade(wanted: str, said: Answer, back: str) -> Grade:
    if said.failure:
        return Grade(0.0, said.failure, by="roundtrip", trust="judge", failed=True)
    found = said.data["found"].strip()
    if not found:
        missing = "the source does not answer it" if back == "answer" else "no question fits the answer"
        return Grade(0.0, missing, by="roundtrip", trust="judge")
    alike = agreement(wanted, found)
    reason = f"the way back finds {found[:200]!r}, {alike:.2f} the same"
    return Grade(alike, reason, by="roundtrip", trust="judge")
