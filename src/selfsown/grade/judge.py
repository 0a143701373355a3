"""A judge scores each row by a rubric and gives a reason; a row whose reply cannot be parsed has failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model
from selfsown.option_types import NotNegative, Scale
from selfsown.prompting.judge_prompts import score_rows
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import Answer
from selfsown.records import Grade, Row, SelfsownError
from selfsown.templates import TemplateText


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    rubric: TemplateText = "Is it correct, complete and clear, and does it do what was asked for?",
    scale: Scale = 5,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """rubric: what the judge evaluates, perhaps a template over the row; SelfsownError if it is empty.
    scale: the judge gives an integer from 1 to `scale`, which becomes a score from 0 to 1.
    temperature: of the judge.
    """
    if not rubric.strip():
        raise SelfsownError("grade.judge: rubric is empty; write what the judge should evaluate")
    for answer in score_rows(
        judge, [(row, for_row(rubric, row)) for row in rows], scale=scale, temperature=temperature, seed=seed
    ):
        yield _grade(answer, scale)


def _grade(answer: Answer, scale: int) -> Grade:
    if answer.failure:
        return Grade(0.0, answer.failure, grader="judge", evidence="judge", failed=True)
    score = round(answer.data["score"])
    reason = f"{score} of {scale}: {answer.data['reason'].strip()}"
    return Grade((score - 1) / (scale - 1), reason, grader="judge", evidence="judge")
