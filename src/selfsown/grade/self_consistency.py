"""Self-consistency: the judge answers each prompt several times; no ground truth is asked (Wang et al. 2022)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative, Pattern, Share
from selfsown.prompting.judge_prompts import models_by_name
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.chat import Prompt
from selfsown.text.normalize import final

SHOWN = 200  # characters of an answer that a reason shows


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    samples: Count = 8,
    judges: tuple[str, ...] = (),
    min_agreement: Share = 0.5,
    temperature: NotNegative = 1.0,
    correct: bool = False,
    pattern: Pattern = "",
) -> Iterator[Grade]:
    """The score is the share of the judge's answers that agree with the row's, or 0 where that is not the
    plurality, shares it with another, or is below `share`. With `repair`, a row that lost to a clear plurality carries
    that answer. A row has failed if fewer than two answers were heard: one agrees with itself. An empty one is none.

    Letter case and spaces make no difference. `pattern`: a regular expression whose last match in each answer is what
    is compared, such as `#### (.*)`. judges: names of models that the judge's server has, of which each has `samples`.
    """
    prompts = list(dict.fromkeys(row.full_prompt for row in rows if row.prompt))
    if rows and not prompts:
        raise SelfsownError(
            "grade.self_consistency: no row has a prompt, so there is nothing to agree on; take rules or novelty"
        )
    models = models_by_name(judge, judges)
    if samples * len(models) < 2:
        raise SelfsownError(
            "grade.self_consistency: samples is 1, and a vote takes two; raise samples, or name several judges"
        )
    heard: dict[Prompt, list[Reply]] = {prompt: [] for prompt in prompts}
    for model in models.values():
        replies = model.complete(prompts, SamplingParams(n=samples, temperature=temperature, seed=seed))
        for prompt, said in zip(prompts, replies, strict=True):
            heard[prompt] += said
    for row in rows:
        yield _grade(row, heard.get(row.full_prompt, []), min_agreement, correct, pattern)


def _grade(row: Row, replies: Sequence[Reply], share: float, repair: bool, pattern: str) -> Grade:
    texts = [reply.text for reply in replies if not reply.failure and final(reply.text, pattern)]
    if len(texts) < 2:
        why = next((reply.failure for reply in replies if reply.failure), "an empty answer")
        why = f"{len(texts)} of {len(replies)} votes: {why}" if replies else "it has no prompt to answer"
        return Grade(0.0, why, grader="self_consistency", evidence="vote", failed=True)
    votes, samples = [final(text, pattern) for text in texts], len(replies)
    count = Counter(votes)
    (best, most), *others = count.most_common(2)
    agreed = count[final(row.answer, pattern)]
    if most / samples < share:
        return Grade(
            0.0, f"no agreement: at most {most} of {samples} alike", grader="self_consistency", evidence="vote"
        )
    if others and others[0][1] == most:
        words = f"no agreement: {most} of {samples} say {best[:SHOWN]!r}, and as many {others[0][0][:SHOWN]!r}"
        return Grade(0.0, words, grader="self_consistency", evidence="vote")
    if agreed == most:
        return Grade(agreed / samples, f"{most} of {samples} say the same", grader="self_consistency", evidence="vote")
    corrected = (row.prompt, texts[votes.index(best)]) if repair else None
    return Grade(
        0.0,
        f"{most} of {samples} say {best[:SHOWN]!r}",
        grader="self_consistency",
        evidence="vote",
        correction=corrected,
    )
