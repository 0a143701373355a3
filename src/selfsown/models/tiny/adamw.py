"""AdamW (Loshchilov and Hutter 2019) by the function behind torch.optim.AdamW.

The first optimizer of that class imports torch's compiler, which takes as long as torch itself, and longer than a short
training (`python -X importtime`).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS, EPSILON = (0.9, 0.95), 1e-8


class AdamW:
    """The optimizer of embeddings and vectors, without weight decay."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self.weights = list(weights)
        self.means = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.steps = [torch.zeros(()) for _ in self.weights]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step against the gradients."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        adamw(
            *(self.weights, gradients, self.means, self.squares, [], self.steps),
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=learning_rate,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )
