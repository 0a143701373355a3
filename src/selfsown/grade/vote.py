"""Self-consistency: the judge answers each prompt several times; no ground truth is asked (Wang et al. 2022)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from selfsown.kinds import Count, NotNegative, Share
from selfsown.models import Model
from selfsown.records import Grade, Row, SelfsownError


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    samples: Count = 8,
    share: Share = 0.5,
    temperature: NotNegative = 1.0,
    repair: bool = False,
) -> Iterator[Grade]:
    """The score is the share of the judge's answers that agree with the row's, or 0 where that is not the
    plurality or below `share`. With `repair`, a row that lost to a clear plurality carries that answer."""
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    if prompts == [""]:
        raise SelfsownError("grade.vote: no row has a prompt, so there is nothing to agree on; take rules or novelty")
    replies = judge.complete(prompts, n=samples, temperature=temperature, seed=seed)
    votes = {
        prompt: Counter(reply.text for reply in said if not reply.failure)
        for prompt, said in zip(prompts, replies, strict=True)
    }
    for row in rows:
        count = votes[row.prompt]
        best, most = count.most_common(1)[0] if count else ("", 0)
        agreed = count[row.answer] / samples
        if most / samples < share:
            yield Grade(0.0, f"no agreement: at most {most} of {samples} alike", by="vote", trust="vote")
        elif count[row.answer] == most:
            yield Grade(agreed, f"{most} of {samples} say the same", by="vote", trust="vote")
        else:
            corrected = (row.prompt, best) if repair else None
            yield Grade(0.0, f"{most} of {samples} say {best!r}", by="vote", trust="vote", repair=corrected)
