"""Supervised fine-tuning: train the embedded transformer on rows, prompt and answer, by cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.model import Tiny
from selfsown.models.tiny.objective import Length, SupervisedRows
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt
from selfsown.models.tiny.transformer import Network
from selfsown.option_types import Count, Natural, NotNegative, Share
from selfsown.records import Mixture, Training, unreported

Part = tuple[
    Tensor, Tensor, Tensor
]  # tokens (rows, length), weights of all but the first, their sum in the whole batch


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 800,
    epochs: NotNegative = 0.0,
    batch_size: Natural = 64,
    learning_rate: NotNegative = 0.02,
    embedding_learning_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
    answers_only: bool = False,
    prompt_weight: Share = 1.0,
    average_last: Share = 0.0,
    early_stopping: Share = 0.0,
    patience: Count = 5,
) -> Tiny:
    """A copy of the parent, trained on batches of rows drawn by the mixture's weights.

    batch_size: 0 for a 64th of the rows, from 16 to 128. answers_only: the loss counts the tokens of answers only;
    prompts are context. prompt_weight: what a token of a prompt counts in the loss, where one of an answer counts 1
    (Huerta-Enochian and Ko 2024); answers_only sets it to 0. early_stopping: the share of the real rows that is not
    trained on, and whose loss decides when to stop and which weights to return; 0 for none. patience: measurements of
    it in a row without an improvement that end the training. The other options are those of every training objective.
    """
    child = parent.copy()
    rows = SupervisedRows.of(child, mixture, early_stopping)
    batches = partial(_batches, prompt_weight=0.0 if answers_only else prompt_weight)
    loss = partial(_loss, child.network)
    schedule = Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last)
    length = Length(epochs, batch_size, patience)
    report(rows.train(child.network, batches, loss, schedule, tick, length=length, seed=seed))
    return child


def _batches(
    tokens: Tensor, draws: Iterable[Tensor], generator: torch.Generator, *, prompt_weight: float
) -> Iterator[list[Part]]:
    """tokens: all rows (rows, length); draws: the rows of each batch (steps, batch). Each batch comes in two halves.

    generator: not needed, as nothing else is random.
    """
    lengths = (tokens != PAD).sum(1)
    for draw in draws:
        batch = tokens[draw, : int(lengths[draw].max())]
        weights = torch.where(mask_prompt(batch) != PAD, 1.0, prompt_weight).masked_fill(batch == PAD, 0.0)[:, 1:]
        total = weights.sum()
        total = total.where(total > 0, 1.0)  # no row of the batch has an answer
        yield [(*half, total) for half in zip(batch.chunk(2), weights.chunk(2), strict=True)]


def _loss(network: Network, part: Part) -> Tensor:
    """This part's share of the weighted mean of the cross-entropy per target of the batch, in nats."""
    tokens, weights, total = part
    logits = network(tokens[:, :-1])
    losses = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    return losses @ weights.flatten() / total
