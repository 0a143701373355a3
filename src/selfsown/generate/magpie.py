"""A model that is given the beginning of a user's turn writes that turn, and answers it in a second call (Magpie)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from selfsown.errors import ModelError
from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, Natural, NotNegative
from selfsown.prompting.reply_checks import rejection_reason
from selfsown.records import Row
from selfsown.tasks import Task


def generate(
    teacher: Model,
    task: Task,
    level: int,
    seed: int,
    *,
    count: Natural = 1000,
    user_prefix: str = "",
    turn_end: str = "",
    assistant_prefix: str = "",
    max_chars: Count = 8000,
    temperature: NotNegative = 1.0,
    answer_temperature: NotNegative = 0.0,
) -> Iterator[Row]:
    """`count` user turns and their answers, from no seed rows. The embedded model continues its task's opening; a model
    behind a server needs `style: completions` and its own chat template, in three parts.

    count: rows, failed ones included. user_prefix, turn_end, assistant_prefix: the template's text before a user's
    turn, at a turn's end and before the answer. max_chars: a longer turn or answer fails its row. temperature: for the
    user's turn. answer_temperature: for the answer.

    Raises ModelError where the teacher's server cannot continue a chat template.
    Source: Xu et al. 2024 (Magpie).
    """
    if not _continues_turns(teacher, user_prefix, assistant_prefix):
        raise ModelError(
            f"generate.magpie: {teacher.name} must continue an unfinished chat template; set style: completions on the "
            "teacher, and user_prefix, turn_end and assistant_prefix here to the model's template"
        )
    rng = random.Random(seed)
    openings = [user_prefix or task.opening(rng.randint(1, level) if level else 0) for _ in range(count)]
    params = SamplingParams(temperature=temperature, seed=seed, continue_prompt=not user_prefix)
    replies = [reply for (reply,) in teacher.complete(openings, params)]
    turns = [_until_end(reply.text if user_prefix else reply.prompt, turn_end) for reply in replies]
    failures = [reply.failure or rejection_reason(turn, max_chars) for turn, reply in zip(turns, replies, strict=True)]
    usable = [turn for turn, failure in zip(turns, failures, strict=True) if not failure]
    prompts = [f"{user_prefix}{turn}{turn_end}{assistant_prefix}" for turn in usable]
    answers = iter(teacher.complete(prompts, SamplingParams(temperature=answer_temperature, seed=seed)))
    for turn, failure in zip(turns, failures, strict=True):
        yield Row(turn, "").failed(failure) if failure else _to_row(turn, next(answers)[0], turn_end, task, max_chars)


def _continues_turns(teacher: Model, user_prefix: str, assistant_prefix: str) -> bool:
    """Whether the teacher is the embedded model, or its server continues this chat template."""
    style = getattr(teacher, "style", "")
    return not style or (style == "completions" and bool(user_prefix and assistant_prefix))


def _until_end(text: str, end: str) -> str:
    """The text before the mark of the turn's end, which some servers leave in."""
    return (text.partition(end.strip())[0] if end.strip() else text).strip()


def _to_row(prompt: str, reply: Reply, end: str, task: Task, max_chars: int) -> Row:
    """The turn and its answer as the task reads them; failed, with the reason, where they are unusable."""
    answer = _until_end(reply.text, end)
    row = task.read(prompt, answer)
    failure = (
        reply.failure or rejection_reason(answer, max_chars, prompt=prompt) or (row if isinstance(row, str) else "")
    )
    return Row(prompt, answer).failed(failure) if failure or isinstance(row, str) else row
