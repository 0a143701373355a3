"""Self-consistency: the judge answers each prompt several times; no known answer is needed (Wang et al. 2022)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative, Pattern, Share
from selfsown.prompting.judge_prompts import models_by_name
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.chat import Prompt
from selfsown.text.normalize import final_match

MAX_CHARS_SHOWN = 200


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
    """The score is the share of the judge's answers that agree with the row's; 0 if that is not the single most common
    answer, or the most common one is below `min_agreement`. Case and whitespace are ignored.

    samples: answers per judge and prompt.
    judges: names of models on the judge's server; without them, the judge alone.
    min_agreement: lowest share of the most common answer.
    temperature: of the judges.
    correct: add the most common answer as a correction to rows that differ from it.
    pattern: a regular expression whose last match in each answer is compared, such as `#### (.*)`.

    A row has failed if fewer than two answers could be used. SelfsownError if no row has a prompt, or there is only one
    answer per prompt.
    """
    prompts = list(dict.fromkeys(row.full_prompt for row in rows if row.prompt))
    if rows and not prompts:
        raise SelfsownError("grade.self_consistency: no row has a prompt to answer; use rules or novelty instead")
    models = models_by_name(judge, judges)
    if samples * len(models) < 2:
        raise SelfsownError(
            "grade.self_consistency: samples is 1, and a vote takes at least 2; raise samples, or name several judges"
        )
    replies_to: dict[Prompt, list[Reply]] = {prompt: [] for prompt in prompts}
    for model in models.values():
        replies = model.complete(prompts, SamplingParams(n=samples, temperature=temperature, seed=seed))
        for prompt, new in zip(prompts, replies, strict=True):
            replies_to[prompt] += new
    for row in rows:
        yield _grade(row, replies_to.get(row.full_prompt, []), min_agreement, correct, pattern)


def _grade(row: Row, replies: Sequence[Reply], min_agreement: float, correct: bool, pattern: str) -> Grade:
    texts = [reply.text for reply in replies if not reply.failure and final_match(reply.text, pattern)]
    if len(texts) < 2:
        why = next((reply.failure for reply in replies if reply.failure), "an empty answer")
        reason = f"{len(texts)} of {len(replies)} votes: {why}" if replies else "no prompt to answer"
        return Grade(0.0, reason, grader="self_consistency", evidence="vote", failed=True)
    votes = [final_match(text, pattern) for text in texts]
    total = len(replies)
    counts = Counter(votes)
    (best, most), *others = counts.most_common(2)
    majority = f"{most} of {total} answer {best[:MAX_CHARS_SHOWN]!r}"
    score, correction = 0.0, None
    if most / total < min_agreement:
        reason = f"no agreement: at most {most} of {total} answers are equal"
    elif others and others[0][1] == most:
        reason = f"no agreement: {majority}, and as many {others[0][0][:MAX_CHARS_SHOWN]!r}"
    elif counts[final_match(row.answer, pattern)] == most:
        score = most / total
        reason = f"{most} of {total} answers agree"
    else:
        reason = majority
        correction = (row.prompt, texts[votes.index(best)]) if correct else None
    return Grade(score, reason, grader="self_consistency", evidence="vote", correction=correction)
