"""Supervised fine-tuning: train the embedded transformer on rows, prompt and answer, by cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Pace, answered, drawn, learn
from selfsown.models.tiny.transformer import Network
from selfsown.option_types import Count, NotNegative, Share
from selfsown.records import Mixture

Part = tuple[Tensor, Tensor, Tensor]  # tokens (rows, length), the same with targets only, targets in the whole batch


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    *,
    steps: Count = 800,
    batch_size: Count = 64,
    learning_rate: NotNegative = 0.02,
    embedding_learning_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
    answers_only: bool = False,
    average_last: Share = 0.0,
) -> Tiny:
    """A copy of the parent, trained on `steps` batches of rows drawn by the mixture's weights.

    answers_only: the loss counts the tokens of answers only; prompts are context. The other options are those of every
    training objective.
    """
    child = parent.copy()
    tokens = pad(child.encode(mixture.rows))
    draws = drawn(mixture, steps, batch_size, torch.Generator().manual_seed(seed))
    schedule = Pace(steps, learning_rate, embedding_learning_rate, weight_decay, average_last)
    learn(child.network, _batches(tokens, draws, answers_only), partial(_loss, child.network), schedule, tick)
    return child


def _batches(tokens: Tensor, draws: Tensor, answers_only: bool) -> Iterator[list[Part]]:
    """tokens: all rows (rows, length); draws: the rows of each batch (steps, batch). Each batch comes in two halves."""
    lengths = (tokens != PAD).sum(1)
    for draw in draws:
        batch = tokens[draw, : int(lengths[draw].max())]
        targets = answered(batch) if answers_only else batch
        count = (targets[:, 1:] != PAD).sum().clamp(min=1)
        yield [(*half, count) for half in zip(batch.chunk(2), targets.chunk(2), strict=True)]


def _loss(network: Network, part: Part) -> Tensor:
    """This part's share of the mean cross-entropy per target of the batch, in nats."""
    tokens, targets, count = part
    logits = network(tokens[:, :-1])
    total = F.cross_entropy(logits.flatten(0, 1), targets[:, 1:].flatten(), ignore_index=PAD, reduction="sum")
    return total / count
