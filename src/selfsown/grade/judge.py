"""A model judges each row by a rubric and says why; what it says cannot be read leaves the row failed, not rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model
from selfsown.option_types import NotNegative, Scale
from selfsown.prompting.judge_prompts import score_rows
from selfsown.prompting.structured_output import Answer
from selfsown.records import Grade, Row, SelfsownError


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    rubric: str = "Is it correct, complete and clear, and does it do what was asked for?",
    scale: Scale = 5,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """The judge gives whole numbers from 1 to `scale`, which become 0 to 1."""
    if not rubric.strip():
        raise SelfsownError("grade.judge: rubric is empty; say what the judge looks at")
    for said in score_rows(judge, [(row, rubric) for row in rows], scale=scale, temperature=temperature, seed=seed):
        yield _grade(said, scale)


def _grade(said: Answer, scale: int) -> Grade:
    if said.failure:
        return Grade(0.0, said.failure, grader="judge", evidence="judge", failed=True)
    score = round(said.data["score"])
    reason = f"{score} of {scale}: {said.data['reason'].strip()}"
    return Grade((score - 1) / (scale - 1), reason, grader="judge", evidence="judge")
