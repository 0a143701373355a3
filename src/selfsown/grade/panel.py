"""Several judges look at each row, each by a rubric of its own or in a draw of its own; the median counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from selfsown.models import Model
from selfsown.option_types import Count, NotNegative, Scale
from selfsown.prompting.judge_prompts import models_by_name, score_rows
from selfsown.prompting.structured_output import Answer
from selfsown.records import Grade, Row, SelfsownError

_RUBRICS = (
    "Is it correct? Look for anything that is wrong, made up or contradicts itself.",
    "Does it do all that was asked for, and nothing else?",
    "Is it clear, well ordered and as long as it needs to be?",
)


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    judges: tuple[str, ...] = (),
    rubrics: tuple[str, ...] = _RUBRICS,
    samples: Count = 1,
    scale: Scale = 5,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """A member of the panel is a judge with a rubric in one of its draws; draws differ above temperature 0 alone. With
    a scale of 2 the median is a vote. A row has failed if more than half of its members cannot be understood, or all
    who have the same rubric.

    judges: names of models that the judge's server has; without them, the judge is the only one.
    """
    if not rubrics or not all(rubric.strip() for rubric in rubrics):
        raise SelfsownError("grade.panel: rubrics is empty; name what the members look at, one rubric each")
    if samples > 1 and not temperature:
        raise SelfsownError(
            f"grade.panel: at temperature 0 all {samples} draws say the same; set temperature: 1.0, or draws: 1"
        )
    members = [rubric for rubric in rubrics for _ in range(samples)]
    asked = [(row, rubric) for row in rows for rubric in members]
    models = models_by_name(judge, judges).items()
    said = {name: score_rows(model, asked, scale=scale, temperature=temperature, seed=seed) for name, model in models}
    for at in range(0, len(asked), len(members)):
        row = {name: all_[at : at + len(members)] for name, all_ in said.items()}
        unheard = [
            rubric
            for rubric in rubrics
            if all(
                each.failure for all_ in row.values() for each, by in zip(all_, members, strict=True) if by == rubric
            )
        ]
        yield _grade([(name, each) for name, all_ in row.items() for each in all_], scale, unheard)


def _grade(members: Sequence[tuple[str, Answer]], scale: int, unheard: Sequence[str]) -> Grade:
    said = [each for _, each in members]
    heard = [
        (round(each.data["score"]), each.data["reason"].strip(), name) for name, each in members if not each.failure
    ]
    if 2 * len(heard) < len(said):
        failure = next(each.failure for each in said if each.failure)
        words = f"{len(said) - len(heard)} of {len(said)} members cannot be understood: {failure}"
        return Grade(0.0, words, grader="panel", evidence="judge", failed=True)
    if unheard:
        return Grade(0.0, f"nobody could be understood on: {unheard[0]}", grader="panel", evidence="judge", failed=True)
    scores = [score for score, _, _ in heard]
    told = ", ".join(f"{name}: {score}" if name else str(score) for score, _, name in heard)
    reason = f"{told} of {scale}; the lowest: {min(heard)[1]}"
    return Grade((median(scores) - 1) / (scale - 1), reason, grader="panel", evidence="judge")
