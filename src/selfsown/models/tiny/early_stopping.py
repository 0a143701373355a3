"""Early stopping: train until the loss on real rows that are set aside no longer falls, and return the best weights.

Two models are measured: the present weights, and the running mean of all weights so far, in which those after step t
count t² (Shamir and Zhang 2013). The mean is as good as a learning rate that decays, and needs no last step to decay
towards, so the end may come at any step; where all steps are taken, the rate has decayed, and the present weights are
better (docs/defaults.md).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from selfsown.records import Mixture, Row

MIN_ROWS, MAX_ROWS = 16, 500  # that are set aside: fewer tell nothing, more cost time and decide the same
FIRST_CHECK, MIN_STEPS_APART, GROWTH = 5, 5, 1.1  # of the steps at which the loss is measured
MIN_STEPS = 100  # before the end: a model that was trained before gets worse at first


def set_aside(mixture: Mixture, share: float) -> tuple[Mixture, list[Row]]:
    """(the mixture to train on, real rows that tell when to stop: this share of them).

    They are drawn by the hash of their problem, so that every training of a run, and of its control, sets the same ones
    aside. No row about one of these problems is trained on, and the shares of real and synthetic draws stay. Of fewer
    than twice MIN_ROWS real rows, none is set aside.
    """
    real = [row for row in mixture.rows if row.origin == "real"]
    count = min(MAX_ROWS, max(MIN_ROWS, round(share * len(real))))
    if not share or len(real) < 2 * MIN_ROWS:
        return mixture, []
    chosen, taken = set[str](), list[Row]()
    for row in sorted(real, key=_order):
        if len(taken) < count or row.key in chosen:
            chosen.add(row.key)
            taken.append(row)
    kept = np.array([row.key not in chosen for row in mixture.rows])
    synthetic = np.array([row.origin == "synthetic" for row in mixture.rows])
    weights = mixture.weights.copy()
    for group in (synthetic, ~synthetic):
        if left := float(weights[group & kept].sum()):
            weights[group] *= float(weights[group].sum()) / left
    if not weights[~synthetic & kept].sum():
        return mixture, []
    return Mixture(mixture.rows, weights * kept), taken


def _order(row: Row) -> tuple[str, str]:
    return hashlib.sha256(f"early stopping {row.key}".encode()).hexdigest(), row.id


class Trained(Protocol):
    """A network, as far as this needs one: the weights that are trained."""

    def parameters(self) -> Iterator[Tensor]: ...


class RunningMean:
    """The mean of the network's weights after each step, in which step t counts t²."""

    def __init__(self, network: Trained) -> None:
        self.weights = list(network.parameters())
        self.mean = [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """step: from 1."""
        for mean, weight in zip(self.mean, self.weights, strict=True):
            mean.lerp_(weight, 3 / (step + 2))

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the network's weights with their mean."""
        for mean, weight in zip(self.mean, self.weights, strict=True):
            kept = weight.detach().clone()
            weight.copy_(mean)
            mean.copy_(kept)


class EarlyStopping:
    """The lowest loss so far and the weights that had it, from those before the first step on.

    loss: of the network's present weights, on the rows set aside, which are so many. patience: measurements that may
    follow the lowest.
    """

    def __init__(self, network: Trained, loss: Callable[[], float], rows: int, patience: int) -> None:
        self.loss, self.rows, self.patience, self.mean = loss, rows, patience, RunningMean(network)
        self.best_loss, self.best_step, self.best = math.inf, 0, list[Tensor]()
        self.next_check, self.checks_since_best = FIRST_CHECK, 0
        self.numbers = 0  # measurements after a step that gave a number

    def begin(self) -> None:
        """Measure the loss before the first step."""
        self._measure(0)

    def ended(self, step: int, last: bool) -> bool:
        """Whether the training ends after this step."""
        self.mean.update(step)
        if step < self.next_check and not last:
            return False
        self.next_check = max(step + MIN_STEPS_APART, round(GROWTH * step))
        self._measure(step)
        self.mean.swap()
        self._measure(step)
        self.mean.swap()
        self.checks_since_best = 0 if self.best_step == step else self.checks_since_best + 1
        return step >= MIN_STEPS and self.checks_since_best >= self.patience

    def _measure(self, step: int) -> None:
        loss = self.loss()
        self.numbers += math.isfinite(loss) and step > 0
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, step
            self.best = [weight.detach().clone() for weight in self.mean.weights]

    @torch.no_grad()
    def restore(self) -> None:
        """Give the network the weights with the lowest loss; if training diverged the last ones, so that it shows."""
        if not self.numbers:
            return
        for weight, best in zip(self.mean.weights, self.best, strict=True):
            weight.copy_(best)
