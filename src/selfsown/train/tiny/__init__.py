"""Train the embedded transformer on whole rows, prompt and answer, by plain cross-entropy.

Matrices learn by Muon (Jordan et al. 2024: momentum made orthogonal), embeddings and the rest by AdamW;
a short warm-up, and a linear way down over the last third.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.kinds import Count, NotNegative
from selfsown.models.tiny import Tiny, pad
from selfsown.models.tiny.alphabet import PAD
from selfsown.models.tiny.halves import each, single
from selfsown.records import Mixture
from selfsown.train.tiny.muon import Muon

WARM_UP = 20  # steps
WAY_DOWN = 0.3  # of all steps


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    *,
    steps: Count = 800,
    batch: Count = 64,
    rate: NotNegative = 0.02,
    embedding_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
) -> Tiny:
    """A child of the parent after `steps` batches of rows drawn by the mixture's weights."""
    child = parent.copy()
    generator = torch.Generator().manual_seed(seed)
    tokens = pad(child.encode(mixture.rows))
    lengths = (tokens != PAD).sum(1)
    weights = torch.from_numpy(mixture.weights)
    matrices = [weight for weight in child.network.blocks.parameters() if weight.dim() == 2]
    others = [weight for weight in child.network.parameters() if not any(weight is matrix for matrix in matrices)]
    muon = Muon(matrices, rate, weight_decay)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    draws = torch.multinomial(weights, steps * batch, replacement=True, generator=generator).view(steps, batch)
    with single():
        for step, draw in enumerate(draws):
            _gradients(child, tokens[draw, : int(lengths[draw].max())])
            speed = min(1.0, (step + 1) / WARM_UP, (steps - step) / (WAY_DOWN * steps))
            muon.step(speed)
            adam.param_groups[0]["lr"] = embedding_rate * speed
            adam.step()
            tick(step + 1, steps)
    return child


def _gradients(model: Tiny, tokens: Tensor) -> None:
    """Set each weight's gradient to that of the mean cross-entropy per token, half by half."""
    weights = list(model.network.parameters())
    count = (tokens[:, 1:] != PAD).sum()

    def of_half(half: Tensor) -> tuple[Tensor, ...]:
        logits = model.network(half[:, :-1])
        total = F.cross_entropy(logits.flatten(0, 1), half[:, 1:].flatten(), ignore_index=PAD, reduction="sum")
        return torch.autograd.grad(total / count, weights)

    first, *others = each(of_half, tokens.chunk(2))
    for at, weight in enumerate(weights):
        weight.grad = sum((gradients[at] for gradients in others), first[at])
