"""What a model could do before: short questions with known answers, apart from the task that it learns.

Training on one task may cost others (McCloskey and Cohen 1989; Luo et al. 2023). The shipped questions are few and
easy, so that a model of a hundred million parameters answers some of them; name your own for a larger one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from selfsown.errors import DataError
from selfsown.files.user_rows import RecordRows
from selfsown.models import AnswerBits, Model, SamplingParams
from selfsown.option_types import Count
from selfsown.records import Row, Score
from selfsown.stats.intervals import ratio, share
from selfsown.tasks.file import Task as UserFile
from selfsown.text.normalize import normal

QUESTIONS = "retention_questions.jsonl"
OR = "|"  # between several right answers


def evaluate(model: Model, *, path: str = "", max_tokens: Count = 24) -> Iterator[Score]:
    """retention: the share of questions whose likeliest answer contains a right one. retention_loss: of the first right
    answer, in bits per character, where the model can measure answers; it shows less than the share can.

    path: a file of your own questions, with prompts and answers, several right ones of which are separated by "|"; by
    default a shipped set. max_tokens: of an answer.

    Raises DataError where the file holds no questions with answers.
    """
    rows = _questions(path)
    replies = model.complete([row.prompt for row in rows], SamplingParams(temperature=0.0, max_tokens=max_tokens))
    hits = [_contains(reply.text, row.answer) for row, (reply,) in zip(rows, replies, strict=True)]
    outcomes = "".join("1" if hit else "0" for hit in hits)
    yield Score("retention", sum(hits) / len(rows), len(rows), *share(sum(hits), len(rows)), outcomes=outcomes)
    if isinstance(model, AnswerBits):
        shown = [row.replace_fields(answer=row.answer.split(OR)[0].strip()) for row in rows]
        bits, characters = zip(*model.answer_bits(shown), strict=True)
        low, high = ratio(bits, characters)
        yield Score("retention_loss", sum(bits) / sum(characters), len(rows), low, high, direction="lower")


def _questions(path: str) -> list[Row]:
    if not path:
        lines = files("selfsown.evaluate").joinpath(QUESTIONS).read_text(encoding="utf-8").splitlines()
        return [Row(**json.loads(line)) for line in lines]
    task: RecordRows = UserFile(str(Path(path).expanduser()))
    rows = [row for row in task.pose(0) if row.prompt and row.answered]
    if not rows:
        raise DataError(
            f"evaluate.retention: {path} holds no questions with answers; it needs columns such as prompt and answer"
        )
    return rows


def _contains(reply: str, answers: str) -> bool:
    """Whether the reply has any of the right answers in it, as whole words."""
    words = f" {_words(reply)} "
    return any(f" {_words(answer)} " in words for answer in answers.split(OR) if _words(answer))


def _words(text: str) -> str:
    kept = "".join(character if character.isalnum() else " " for character in normal(text))
    return " ".join(kept.split())
