"""The training loop of every objective: sampled rows, gradients per half batch, optimizer steps.

Matrices are trained with Muon (Jordan et al. 2024: orthogonalized momentum), embeddings and the rest with AdamW;
the learning rate warms up briefly, and decays linearly over the last third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.adamw import AdamW
from selfsown.models.tiny.early_stopping import EarlyStopping
from selfsown.models.tiny.muon import Muon
from selfsown.models.tiny.tokenizer import PAD, SEP
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two, single_threaded
from selfsown.records import Training

Part = TypeVar("Part")
WARM_UP_STEPS = 20  # steps
DECAY_SHARE = 0.3  # of all steps


@dataclass(frozen=True)
class Schedule:
    """The number of steps and their learning rates, of matrices and of embeddings.

    average_last: the share of the last steps over which the weights are averaged (0: the last weights).
    """

    steps: int
    learning_rate: float
    embedding_rate: float
    weight_decay: float
    average_last: float = 0.0


def train_steps(
    network: Network,
    batches: Iterable[Sequence[Part]],
    loss: Callable[[Part], Tensor],
    schedule: Schedule,
    tick: Callable[[int, int], None],
    stopping: EarlyStopping | None = None,
) -> Training:
    """One optimizer step for each batch, whose loss is the sum of the losses of its parts. Returns what was done.

    A batch is requested after the step before, so the network may generate it. loss: a scalar tensor for a part.
    tick: called with the number of finished steps, and of all steps. stopping: may end the training, and restores the
    weights that were best.
    """
    step = -1  # where there is no batch
    matrices = [weight for weight in network.blocks.parameters() if weight.dim() == 2]
    others = [weight for weight in network.parameters() if not any(weight is matrix for matrix in matrices)]
    muon = Muon(matrices, schedule.learning_rate, schedule.weight_decay)
    adam = AdamW(others)
    mean = _Mean(network, math.ceil(schedule.steps * schedule.average_last))
    with single_threaded():
        if stopping:
            stopping.begin()
        for step, batch in enumerate(batches):
            _gradients(network, batch, loss)
            scale = min(1.0, (step + 1) / WARM_UP_STEPS, (schedule.steps - step) / (DECAY_SHARE * schedule.steps))
            muon.step(scale)
            adam.step(schedule.embedding_rate * scale)
            mean.update(schedule.steps - step)
            tick(step + 1, schedule.steps)
            if stopping and stopping.ended(step + 1, last=step + 1 == schedule.steps):
                break
    mean.apply()
    if not stopping:
        return Training(step + 1, schedule.steps)
    stopping.restore()
    return Training(step + 1, schedule.steps, stopping_rows=stopping.rows, best_step=stopping.best_step)


def mask_prompt(tokens: Tensor) -> Tensor:
    """Token ids of shape (rows, length), with everything but the answer and its end replaced by padding."""
    marks = tokens == SEP
    return tokens.masked_fill((marks.cumsum(1) == 0) | marks, PAD)


def token_logprobs(network: Network, tokens: Tensor) -> Tensor:
    """Natural-log probabilities of the answers' tokens, and 0 elsewhere.

    tokens: (rows, length). Returns (rows, length - 1): entry i belongs to token i + 1.
    """
    targets = mask_prompt(tokens)[:, 1:]
    return -F.cross_entropy(network(tokens[:, :-1]).mT, targets, ignore_index=PAD, reduction="none")


def _gradients(network: Network, batch: Sequence[Part], loss: Callable[[Part], Tensor]) -> None:
    """Set each weight's gradient to the sum over the parts."""
    weights = list(network.parameters())
    first, *others = map_two(lambda part: torch.autograd.grad(loss(part), weights), batch)
    for index, weight in enumerate(weights):
        weight.grad = sum((gradients[index] for gradients in others), first[index])


class _Mean:
    """The running mean of a network's weights over its last steps."""

    def __init__(self, network: Network, last: int) -> None:
        self.weights, self.last = list(network.parameters()), last
        self.means = [torch.zeros_like(weight) for weight in self.weights] if last else []

    @torch.no_grad()
    def update(self, left: int) -> None:
        if left <= self.last:
            for mean, weight in zip(self.means, self.weights, strict=True):
                mean.lerp_(weight, 1 / (self.last - left + 1))

    @torch.no_grad()
    def apply(self) -> None:
        for mean, weight in zip(self.means, self.weights[: len(self.means)], strict=True):
            weight.copy_(mean)
