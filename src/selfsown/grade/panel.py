"""A panel of judges, rubrics and samples scores each row; the median counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from selfsown.models import Model
from selfsown.option_types import Count, NotNegative, Scale
from selfsown.prompting.judge_prompts import models_by_name, score_rows
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import Answer
from selfsown.records import Grade, Row, SelfsownError
from selfsown.templates import TemplateText

_RUBRICS = (
    "Is it correct? Look for anything that is wrong, made up or contradictory.",
    "Does it do everything that was asked for, and nothing else?",
    "Is it clear, well organized and as long as it needs to be?",
)


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    judges: tuple[str, ...] = (),
    rubrics: tuple[TemplateText, ...] = _RUBRICS,
    samples: Count = 1,
    scale: Scale = 5,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """A member of the panel is a judge with a rubric and a sample.

    judges: names of models on the judge's server; without them, the judge alone.
    rubrics: what the members evaluate, one rubric each; SelfsownError if one is empty.
    samples: replies per judge and rubric; SelfsownError if there are several at temperature 0, which are equal.
    scale: each member gives an integer from 1 to `scale`; with 2, the median is a majority vote.
    temperature: of the judges.

    A row has failed if more than half of the replies, or all replies to one rubric, could not be parsed.
    """
    _check(rubrics, samples, temperature)
    members = [rubric for rubric in rubrics for _ in range(samples)]
    pairs = [(row, for_row(rubric, row)) for row in rows for rubric in members]
    models = models_by_name(judge, judges).items()
    answers = {
        name: score_rows(model, pairs, scale=scale, temperature=temperature, seed=seed) for name, model in models
    }
    for start in range(0, len(pairs), len(members)):
        replies = [
            (name, rubric, answer)
            for name, scores in answers.items()
            for rubric, answer in zip(members, scores[start : start + len(members)], strict=True)
        ]
        parsed = {rubric for _, rubric, answer in replies if not answer.failure}
        unscored = [rubric for rubric in rubrics if rubric not in parsed]
        yield _grade([(name, answer) for name, _, answer in replies], scale, unscored)


def _check(rubrics: Sequence[str], samples: int, temperature: float) -> None:
    """SelfsownError if a rubric is empty, or several samples would be equal."""
    if not rubrics or not all(rubric.strip() for rubric in rubrics):
        raise SelfsownError("grade.panel: rubrics is empty; write what the members should evaluate, one rubric each")
    if samples > 1 and not temperature:
        raise SelfsownError(
            f"grade.panel: at temperature 0 all {samples} samples are equal; set temperature: 1.0, or samples: 1"
        )


def _grade(replies: Sequence[tuple[str, Answer]], scale: int, unscored: Sequence[str]) -> Grade:
    """unscored: rubrics without any parsed reply."""
    failures = [answer.failure for _, answer in replies if answer.failure]
    if 2 * len(failures) > len(replies):
        reason = f"{len(failures)} of {len(replies)} replies could not be parsed: {failures[0]}"
        return Grade(0.0, reason, grader="panel", evidence="judge", failed=True)
    if unscored:
        reason = f"no reply could be parsed for the rubric: {unscored[0]}"
        return Grade(0.0, reason, grader="panel", evidence="judge", failed=True)
    parsed = [
        (round(answer.data["score"]), answer.data["reason"].strip(), name)
        for name, answer in replies
        if not answer.failure
    ]
    scores = [score for score, _, _ in parsed]
    listed = ", ".join(f"{name}: {score}" if name else str(score) for score, _, name in parsed)
    reason = f"{listed} of {scale}; the lowest: {min(parsed)[1]}"
    return Grade((median(scores) - 1) / (scale - 1), reason, grader="panel", evidence="judge")
