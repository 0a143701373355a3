"""Learn from grades of one's own tries, each compared with its group: GRPO (Shao et al. 2024).

The student tries each prompt several times, the recipe's graders grade the tries, and what scored above its group
becomes likelier. A group of equal scores teaches nothing. A try without an end scores 0; one that a grader could
say nothing of is left out. Tries are not kept: rows to keep are for `generate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from selfsown.models import SamplingParams
from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt, sample_batches, token_logprobs, train_steps
from selfsown.models.tiny.two_threads import map_two
from selfsown.option_types import Count, NotNegative, Positive, Share
from selfsown.records import Mixture, Row, SelfsownError

Group = Annotated[int, Field(ge=2)]  # one alone has nothing to be compared with
Part = tuple[Tensor, Tensor, Tensor, Tensor, Tensor | int]  # tokens, gains, chances before, the parent's; all tokens
UNENDED = "no end within the context"
EVEN = 1e-4  # what is added to a group's spread, so that equal scores give nought


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    grader: Callable[[Sequence[Row]], Sequence[Row]],
    *,
    steps: Count = 200,
    batch_size: Count = 16,
    group_size: Group = 8,
    updates_per_group: Count = 2,
    clip_range: Positive = 0.2,
    kl_weight: NotNegative = 0.0,
    learning_rate: NotNegative = 0.002,
    embedding_learning_rate: NotNegative = 0.0003,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
) -> Tiny:
    """Each `updates` steps, `group` tries at each of `batch` prompts of the mixture. `kl` times the divergence from
    the parent is added to the loss, where it is not 0. `average`: the share of the last steps whose mean is taken."""
    child, generator = parent.copy(), torch.Generator().manual_seed(seed)
    asked = [at for at, row in enumerate(mixture.rows) if row.prompt and mixture.weights[at]]
    if not asked:
        raise SelfsownError("train.grpo: no row has a prompt to try; take tiny")
    posed = Mixture([mixture.rows[at] for at in asked], mixture.weights[asked])

    def batches() -> Iterator[list[Part]]:
        for draw in sample_batches(posed, -(-steps // updates_per_group), batch_size, generator):
            luck = int(torch.randint(2**31, (1,), generator=generator))
            rows = _tried(child, [posed.rows[at] for at in draw.tolist()], group_size, luck)
            parts = _parts(child, parent if kl_weight else child, rows, _gains(grader(rows), group_size))
            for _ in range(updates_per_group):
                yield parts

    def loss(part: Part) -> Tensor:
        return _loss(token_logprobs(child.network, part[0]), part, clip_range, kl_weight)

    train_steps(
        child.network,
        islice(batches(), steps),
        loss,
        Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last),
        tick,
    )
    return child


def _loss(now: Tensor, part: Part, clip: float, kl: float) -> Tensor:
    """By the chances of the tokens now, before these updates and in the parent: a mean over all tokens of the batch."""
    tokens, gains, before, reference, count = part
    ratio = (now - before).exp()
    gain = torch.minimum(ratio * gains[:, None], ratio.clamp(1 - clip, 1 + clip) * gains[:, None])
    if kl:
        gain = gain - kl * ((reference - now).exp() - (reference - now) - 1)
    return -(gain * (mask_prompt(tokens)[:, 1:] != PAD)).sum() / count


def _tried(model: Tiny, asked: Sequence[Row], group: int, seed: int) -> list[Row]:
    """`group` answers to each of these prompts, one group after the other."""
    replies = model.complete([row.prompt for row in asked], SamplingParams(n=group, seed=seed))
    found = []
    for row, answers in zip(asked, replies, strict=True):
        plain = replace(
            row, origin="synthetic", source=model.name, method="grpo", parents=(row.id,), grades=(), status=""
        )
        for draw, reply in enumerate(answers):
            made = replace(plain, answer=reply.text, sample_index=draw)
            found.append(made.failed(UNENDED) if reply.failure else made)
    return found


def _gains(rows: Sequence[Row], group: int) -> Tensor:
    """How far each score lies above the mean of its group, in standard deviations of it."""
    scores = torch.tensor([0.0 if row.status else row.score for row in rows]).view(-1, group)
    known = torch.tensor([row.status != "failed" or row.reason == UNENDED for row in rows]).view(-1, group)
    count = known.sum(1, keepdim=True).clamp(min=1)
    above = (scores - (scores * known).sum(1, keepdim=True) / count) * known
    spread = ((above**2).sum(1, keepdim=True) / count).sqrt()
    return (above / (spread + EVEN)).flatten()


def _parts(child: Tiny, reference: Tiny, rows: Sequence[Row], gains: Tensor) -> list[Part]:
    """Both halves of a batch, with what the child and the reference find likely now."""
    halves = pad(child.encode(rows)).chunk(2)
    count = sum((mask_prompt(half) != PAD).sum() for half in halves)
    before, there = (map_two(partial(_still, model), halves) for model in (child, reference))
    return [(*part, count) for part in zip(halves, gains.chunk(2), before, there, strict=True)]


def _still(model: Tiny, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        return token_logprobs(model.network, tokens)
