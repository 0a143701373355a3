"""The engine under every way to train the embedded model: rows drawn, gradients half by half, steps.

Matrices learn by Muon (Jordan et al. 2024: momentum made orthogonal), embeddings and the rest by AdamW;
a short warm-up, and a linear way down over the last third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.muon import Muon
from selfsown.models.tiny.tokenizer import PAD, SEP
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two, single_threaded
from selfsown.records import Mixture

Part = TypeVar("Part")
WARM_UP_STEPS = 20  # steps
DECAY_SHARE = 0.3  # of all steps


@dataclass(frozen=True)
class Schedule:
    """How many steps, and how long they are. average: the share of the last steps whose mean the weights become."""

    steps: int
    learning_rate: float
    embedding_rate: float
    weight_decay: float
    average_last: float = 0.0


def train_steps(
    network: Network,
    batches: Iterable[Sequence[Part]],
    loss: Callable[[Part], Tensor],
    pace: Schedule,
    tick: Callable[[int, int], None],
) -> None:
    """One step down for each batch, whose loss is the sum of the losses of its parts. A batch is asked for
    when the step before is done, so it may be made by the network as it then is."""
    matrices = [weight for weight in network.blocks.parameters() if weight.dim() == 2]
    others = [weight for weight in network.parameters() if not any(weight is matrix for matrix in matrices)]
    muon = Muon(matrices, pace.learning_rate, pace.weight_decay)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    mean = _Mean(network, math.ceil(pace.steps * pace.average_last))
    with single_threaded():
        for step, batch in enumerate(batches):
            _gradients(network, batch, loss)
            speed = min(1.0, (step + 1) / WARM_UP_STEPS, (pace.steps - step) / (DECAY_SHARE * pace.steps))
            muon.step(speed)
            adam.param_groups[0]["lr"] = pace.embedding_rate * speed
            adam.step()
            mean.see(pace.steps - step)
            tick(step + 1, pace.steps)
    mean.settle()


def sample_batches(mixture: Mixture, steps: int, batch: int, generator: torch.Generator) -> Tensor:
    """The places of the rows of each step (steps, batch), by the mixture's weights."""
    weights = torch.from_numpy(mixture.weights)
    return torch.multinomial(weights, steps * batch, replacement=True, generator=generator).view(steps, batch)


def mask_prompt(tokens: Tensor) -> Tensor:
    """The same, with all that is not the answer or its end filled up."""
    marks = tokens == SEP
    return tokens.masked_fill((marks.cumsum(1) == 0) | marks, PAD)


def token_logprobs(network: Network, tokens: Tensor) -> Tensor:
    """The logarithm of the probability of each token of the answers, and 0 for all before and after them."""
    wanted = mask_prompt(tokens)[:, 1:]
    return -F.cross_entropy(network(tokens[:, :-1]).mT, wanted, ignore_index=PAD, reduction="none")


def _gradients(network: Network, batch: Sequence[Part], loss: Callable[[Part], Tensor]) -> None:
    """Set each weight's gradient, part by part."""
    weights = list(network.parameters())
    first, *others = map_two(lambda part: torch.autograd.grad(loss(part), weights), batch)
    for at, weight in enumerate(weights):
        weight.grad = sum((gradients[at] for gradients in others), first[at])


class _Mean:
    """The mean of a network's weights over its last steps."""

    def __init__(self, network: Network, last: int) -> None:
        self.weights, self.last = list(network.parameters()), last
        self.means = [torch.zeros_like(weight) for weight in self.weights] if last else []

    @torch.no_grad()
    def see(self, left: int) -> None:
        if left <= self.last:
            for mean, weight in zip(self.means, self.weights, strict=True):
                mean.lerp_(weight, 1 / (self.last - left + 1))

    @torch.no_grad()
    def settle(self) -> None:
        for mean, weight in zip(self.means, self.weights[: len(self.means)], strict=True):
            weight.copy_(mean)
