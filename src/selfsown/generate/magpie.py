"""A model that is shown where a user's turn begins writes that turn, and in a second call answers it (Magpie)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from selfsown.models import Model, RemoteModel, Reply, SamplingParams
from selfsown.option_types import Count, Natural, NotNegative
from selfsown.prompting.reply_checks import rejection_reason
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task


def generate(
    teacher: Model,
    task: Task,
    level: int,
    generation: int,
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
    """`count` turns of a user and their answers, from no seeds at all. The embedded model goes on from its task's
    opening. A model behind a server needs style: completions and its own chat template: what stands before the user's
    turn, what ends a turn, and what stands between that and the assistant's."""
    if isinstance(teacher, RemoteModel) and not (teacher.style == "completions" and user_prefix and assistant_prefix):
        raise SelfsownError(
            f"generate.magpie: {teacher.name} must go on with a chat template that is begun: set style: completions "
            "on the teacher, and user, end and assistant here, as the model's template has them"
        )
    rng = random.Random(seed)
    levels = [rng.randint(1, level) if level else 0 for _ in range(count)]
    openings = [user_prefix or task.opening(chosen) for chosen in levels]
    begun = teacher.complete(
        openings, SamplingParams(temperature=temperature, seed=seed, continue_prompt=not user_prefix)
    )
    asked = [_turn(reply.text if user_prefix else reply.prompt, turn_end) for (reply,) in begun]
    failures = [reply.failure or rejection_reason(text, max_chars) for text, (reply,) in zip(asked, begun, strict=True)]
    whole = [
        f"{user_prefix}{text}{turn_end}{assistant_prefix}" for text, bad in zip(asked, failures, strict=True) if not bad
    ]
    replies = iter(teacher.complete(whole, SamplingParams(temperature=answer_temperature, seed=seed)))
    for draw, (text, bad) in enumerate(zip(asked, failures, strict=True)):
        row = Row(text, "").failed(bad) if bad else _row(text, next(replies)[0], turn_end, task, max_chars)
        yield replace(
            row, origin="synthetic", source=teacher.name, method="magpie", generation=generation, sample_index=draw
        )


def _turn(text: str, end: str) -> str:
    """What was said before its end; some servers leave the mark of it there."""
    return (text.partition(end.strip())[0] if end.strip() else text).strip()


def _row(prompt: str, reply: Reply, end: str, task: Task, longest: int) -> Row:
    answer = _turn(reply.text, end)
    row = task.read(prompt, answer)
    failure = reply.failure or rejection_reason(answer, longest, prompt=prompt) or (row if isinstance(row, str) else "")
    return Row(prompt, answer).failed(failure) if failure or isinstance(row, str) else row
