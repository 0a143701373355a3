"""A judge checks each row against randomly drawn principles; the score is the share of them that it follows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.models import Model
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.json_schema import object_schema
from selfsown.prompting.judge_prompts import EMPTY_ANSWER, criticize, fenced_row, resolve_principles, text_kind
from selfsown.prompting.structured_output import Answer, complete_json
from selfsown.records import Grade, Row, SelfsownError
from selfsown.tasks import Principled, Task

_SCHEMA = object_schema(reason=str, keeps=bool)
_RETRY_NOTE = "\n\nA previous answer to this was lost; answer again."


def grade(
    rows: Sequence[Row],
    judge: Model,
    task: Task,
    seed: int,
    *,
    principles: tuple[str, ...] = (),
    samples: Count = 4,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """Ask about each drawn principle separately; the score is a soft label, the mean of the verdicts.

    principles: the principles to draw from; a task with a constitution has its own, and words its own prompts.
    SelfsownError if there are none.
    samples: principles drawn per row, without repetition.
    temperature: of the judge.

    A reply that cannot be parsed is requested once more; if one still cannot be parsed, the row has failed.
    """
    principles = resolve_principles(principles, task)
    if not principles or not all(principle.strip() for principle in principles):
        raise SelfsownError("grade.constitution: principles is empty; write at least one, such as 'Harm nobody.'")
    count = min(samples, len(principles))
    drawn = [random.Random(f"{seed} {row.id}").sample(principles, count) for row in rows]
    pairs = [(row, principle) for row, sample in zip(rows, drawn, strict=True) for principle in sample]
    answers = _answers(judge, pairs, task, temperature, seed)
    failed = [index for index, answer in enumerate(answers) if answer.failure]
    if 2 * len(failed) < len(answers):  # a single unparsed reply would otherwise fail a row with many principles
        retried = _answers(judge, [pairs[index] for index in failed], task, temperature, seed + 1, note=_RETRY_NOTE)
        for index, answer in zip(failed, retried, strict=True):
            answers[index] = answer
    for number, (row, sample) in enumerate(zip(rows, drawn, strict=True)):
        if row.answer.strip():
            yield _grade(sample, answers[number * count : (number + 1) * count])
        else:
            yield Grade(0.0, EMPTY_ANSWER, grader="constitution", evidence="judge", failed=True)


def _answers(
    judge: Model, pairs: Sequence[tuple[Row, str]], task: Task, temperature: float, seed: int, *, note: str = ""
) -> list[Answer]:
    """For each row and principle, a reason and whether the row follows the principle."""
    if isinstance(task, Principled):
        criticisms = criticize(judge, pairs, task, temperature=temperature, seed=seed)
        return [_as_verdict(criticism) for criticism in criticisms]
    prompts = [_prompt(row, principle) + note for row, principle in pairs]
    return complete_json(judge, prompts, _SCHEMA, temperature=temperature, seed=seed)


def _as_verdict(criticism: Answer) -> Answer:
    """A criticism, in the task's own form, as a reason and whether the principle is followed."""
    data = {"reason": criticism.data["criticism"], "keeps": not criticism.data["fault"]}
    return replace(criticism, data=data)


def _prompt(row: Row, principle: str) -> str:
    parts = [f"Does the {text_kind(row)} below keep to this principle: {principle}", fenced_row(row)]
    parts += ["Give the reason first, in one or two sentences, then whether it keeps to the principle."]
    return "\n\n".join(parts)


def _grade(principles: Sequence[str], answers: Sequence[Answer]) -> Grade:
    failures = [answer.failure for answer in answers if answer.failure]
    if failures:
        reason = f"{len(failures)} of {len(answers)} replies could not be parsed: {failures[0]}"
        return Grade(0.0, reason, grader="constitution", evidence="judge", failed=True)
    verdicts = [(principle, answer.data) for principle, answer in zip(principles, answers, strict=True)]
    broken = [f"breaks {principle!r}: {data['reason'].strip()}" for principle, data in verdicts if not data["keeps"]]
    followed = len(verdicts) - len(broken)
    reason = "; ".join([f"follows {followed} of {len(verdicts)} principles", *broken[:1]])
    return Grade(followed / len(verdicts), reason, grader="constitution", evidence="judge")
