"""Which weights training returns: the last, the mean of the last, or those with the lowest loss on rows set aside; and
how far they are moved back toward those before training.

What these callbacks remember is part of each checkpoint, so a training that was interrupted ends with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback

from selfsown.models.tiny.early_stopping import EarlyStopping


class Trainable:
    """The weights of a model that are trained, as `EarlyStopping` asks for them."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def parameters(self) -> Iterator[Tensor]:
        return (weight for weight in self.model.parameters() if weight.requires_grad)


class AverageLast(TrainerCallback):
    """The mean of the weights after each of the last steps (Polyak and Juditsky 1992).

    last: how many steps. means: from a checkpoint.
    """

    def __init__(self, model: Any, last: int, tensors: dict[str, Tensor]) -> None:
        self.weights, self.last = list(Trainable(model).parameters()), last
        self.means = [
            tensors[f"mean.{index}"].to(weight.device) if f"mean.{index}" in tensors else torch.zeros_like(weight)
            for index, weight in enumerate(self.weights)
        ]

    @torch.no_grad()
    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        left = state.max_steps - state.global_step + 1
        if left <= self.last:
            for mean, weight in zip(self.means, self.weights, strict=True):
                mean.lerp_(weight, 1 / (self.last - left + 1))

    @torch.no_grad()
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for mean, weight in zip(self.means, self.weights, strict=True):
            weight.copy_(mean)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds."""
        return {f"mean.{index}": mean for index, mean in enumerate(self.means)}


class TowardStart(TrainerCallback):
    """Weights between those before training and those after it (Wortsman et al. 2022, WiSE-FT).

    What a model could do before is lost less, and what it learned mostly stays. share: of those before.
    """

    def __init__(self, model: Any, share: float) -> None:
        self.weights, self.share = list(Trainable(model).parameters()), share
        self.start = [weight.detach().clone() for weight in self.weights]

    @torch.no_grad()
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for weight, start in zip(self.weights, self.start, strict=True):
            weight.lerp_(start, self.share)

    def tensors(self) -> dict[str, Tensor]:
        """Nothing: a training that goes on begins with the weights before it."""
        return {}


class StopEarly(TrainerCallback):
    """Early stopping as of the embedded model (`selfsown.models.tiny.early_stopping`), on the weights trained.

    loss: of the model's present weights on the rows set aside, which are so many. tensors: from a checkpoint.
    """

    def __init__(
        self, model: Any, loss: Callable[[], float], rows: int, patience: int, tensors: dict[str, Tensor]
    ) -> None:
        self.stopping = EarlyStopping(Trainable(model), loss, rows, patience)
        self.resumed = bool(tensors)
        if tensors:
            self._restore(tensors)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not self.resumed:
            self.stopping.begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.stopping.ended(state.global_step, last=state.global_step == state.max_steps):
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.stopping.restore()

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds."""
        now = self.stopping
        numbers = [now.best_loss, now.best_step, now.next_check, now.checks_since_best, now.numbers]
        return {
            "stopping.numbers": torch.tensor(numbers, dtype=torch.float64),
            **{f"stopping.mean.{index}": tensor for index, tensor in enumerate(now.mean.mean)},
            **{f"stopping.best.{index}": tensor for index, tensor in enumerate(now.best)},
        }

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        now, weights = self.stopping, self.stopping.mean.weights
        now.best_loss, *counts = tensors["stopping.numbers"].tolist()
        now.best_step, now.next_check, now.checks_since_best, now.numbers = map(int, counts)
        now.mean.mean = [tensors[f"stopping.mean.{index}"].to(weight.device) for index, weight in enumerate(weights)]
        now.best = [tensors[f"stopping.best.{index}"].to(weight.device) for index, weight in enumerate(weights)]
