"""Train on grades of the student's own samples, each compared with its group: GRPO (Shao et al. 2024).

The student answers each prompt several times, the recipe's graders grade the answers, and those that score above their
group become likelier. A group of equal scores has no effect. An answer without an end scores 0; one that a grader
failed on is left out. The answers are not kept: rows to keep are the job of `generate`.
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

from selfsown.errors import DataError
from selfsown.files.row_sequences import rows_at
from selfsown.models import SamplingParams
from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.objective import draw_batches
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt, token_logprobs, train_steps
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two
from selfsown.option_types import Count, NotNegative, Positive, Share
from selfsown.records import Mixture, Row, Training, unreported

REQUIRES = {"grader"}

GroupSize = Annotated[int, Field(ge=2)]  # a single answer has nothing to be compared with
# Tokens (rows, length), advantages (rows), log-probabilities (rows, length - 1) before the updates and by the
# reference, and the number of answer tokens in the whole batch.
Part = tuple[Tensor, Tensor, Tensor, Tensor, Tensor | int]
NO_END = "no end within the context"
EPSILON = 1e-4  # added to a group's standard deviation, so that equal scores give an advantage of 0


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    grader: Callable[[Sequence[Row]], Sequence[Row]],
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 200,
    epochs: NotNegative = 0.0,
    batch_size: Count = 16,
    group_size: GroupSize = 8,
    updates_per_group: Count = 2,
    clip_range: Positive = 0.2,
    kl_weight: NotNegative = 0.0,
    learning_rate: NotNegative = 0.002,
    embedding_learning_rate: NotNegative = 0.0003,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
) -> Tiny:
    """A copy of the parent, trained on its own graded answers to the prompts of the mixture.

    batch_size: prompts in a batch. group_size: answers to each prompt. updates_per_group: steps on the same answers.
    clip_range: how far the probability ratio may be from 1. kl_weight: the weight of the divergence from the parent.
    The other options are those of every training objective. Raises DataError where no row has a prompt.
    """
    child, prompts, generator = parent.copy(), _with_prompts(mixture), torch.Generator().manual_seed(seed)
    draws = draw_batches(prompts, steps, epochs, batch_size, generator, updates=updates_per_group)

    def batches() -> Iterator[list[Part]]:
        for draw in draws.indices:
            rows = _sample(child, [prompts.rows[index] for index in draw.tolist()], group_size, generator)
            parts = _parts(child, parent if kl_weight else child, rows, _advantages(grader(rows), group_size))
            yield from [parts] * updates_per_group

    loss = partial(_loss, child.network, clip_range=clip_range, kl_weight=kl_weight)
    schedule = Schedule(draws.steps, learning_rate, embedding_learning_rate, weight_decay, average_last)
    report(draws.with_epochs(train_steps(child.network, islice(batches(), draws.steps), loss, schedule, tick)))
    return child


def _with_prompts(mixture: Mixture) -> Mixture:
    indices = [index for index, row in enumerate(mixture.rows) if row.prompt and mixture.weights[index]]
    if not indices:
        raise DataError("train.grpo: no row has a prompt to answer; use train: sft")
    return Mixture(rows_at(mixture.rows, indices), mixture.weights[indices])


def _loss(network: Network, part: Part, clip_range: float, kl_weight: float) -> Tensor:
    """The clipped loss, a mean over all answer tokens of the batch."""
    tokens, advantages, before, reference, count = part
    now = token_logprobs(network, tokens)
    ratio = (now - before).exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    gain = torch.minimum(ratio * advantages[:, None], clipped * advantages[:, None])
    if kl_weight:
        gain = gain - kl_weight * ((reference - now).exp() - (reference - now) - 1)
    return -(gain * (mask_prompt(tokens)[:, 1:] != PAD)).sum() / count


def _sample(model: Tiny, rows: Sequence[Row], group_size: int, generator: torch.Generator) -> list[Row]:
    """`group_size` answers to each row's prompt, group after group."""
    seed = int(torch.randint(2**31, (1,), generator=generator))
    replies = model.complete([row.prompt for row in rows], SamplingParams(n=group_size, seed=seed))
    samples = []
    for row, group in zip(rows, replies, strict=True):
        ungraded = replace(
            row, origin="synthetic", source=model.name, method="grpo", parents=(row.id,), grades=(), status=""
        )
        for index, reply in enumerate(group):
            sample = replace(ungraded, answer=reply.text, sample_index=index)
            samples.append(sample.failed(NO_END) if reply.failure else sample)
    return samples


def _advantages(rows: Sequence[Row], group_size: int) -> Tensor:
    """How far each score is above its group's mean, in the group's standard deviations (rows)."""
    scores = torch.tensor([0.0 if row.status else row.score for row in rows]).view(-1, group_size)
    known = torch.tensor([row.status != "failed" or row.reason == NO_END for row in rows]).view(-1, group_size)
    count = known.sum(1, keepdim=True).clamp(min=1)
    centred = (scores - (scores * known).sum(1, keepdim=True) / count) * known
    deviation = ((centred**2).sum(1, keepdim=True) / count).sqrt()
    return (centred / (deviation + EPSILON)).flatten()


def _parts(child: Tiny, reference: Tiny, rows: Sequence[Row], advantages: Tensor) -> list[Part]:
    """Both halves of a batch, with the current log-probabilities of the child and the reference."""
    halves = pad(child.encode(rows)).chunk(2)
    count = sum((mask_prompt(half) != PAD).sum() for half in halves)
    before, of_reference = (map_two(partial(_log_probabilities, model), halves) for model in (child, reference))
    return [(*part, count) for part in zip(halves, advantages.chunk(2), before, of_reference, strict=True)]


def _log_probabilities(model: Tiny, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        return token_logprobs(model.network, tokens)
