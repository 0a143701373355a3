"""Cross-entropy of held-out real text, in bits per character: lower is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.errors import RecipeError
from selfsown.models import AnswerBits, Model
from selfsown.records import Row, Score, answered
from selfsown.stats.intervals import ratio


def evaluate(model: Model, held_out: Sequence[Row], *, answers_only: bool = False) -> Iterator[Score]:
    """Over prompts and answers; the end of a text counts as one character.

    answers_only: over answers alone, given their prompts; the score is then loss[answers].

    Rows without an answer are left out. Raises RecipeError where the model cannot measure answers alone, or no held-out
    row has an answer.
    """
    rows = answered(held_out)
    if not rows:
        raise RecipeError("evaluate.loss: no held-out row has an answer; measure accuracy alone, or bring answers")
    if not answers_only:
        measured = model.bits(rows)
    elif isinstance(model, AnswerBits):
        measured = model.answer_bits(rows)
    else:
        raise RecipeError(f"evaluate.loss: {model.name} cannot measure answers alone; leave out answers_only")
    bits, characters = zip(*measured, strict=True)
    low, high = ratio(bits, characters)
    stratum = "answers" if answers_only else ""
    yield Score("loss", sum(bits) / sum(characters), len(rows), low, high, stratum, direction="lower")
