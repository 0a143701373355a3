"""What the training objectives share: which rows they draw, for how long, and what decides when to stop.

`draw_batches` is for every objective. `SupervisedRows` is for those that learn rows as they are: it sets rows aside,
trains with early stopping, and reports.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from selfsown.batch_size import batch_size_for
from selfsown.files.row_sequences import rows_at
from selfsown.models.tiny.early_stopping import EarlyStopping, set_aside
from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, train_steps
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two
from selfsown.records import Mixture, Training

Part = TypeVar("Part")
MARKS = 3  # tokens of a row that are no characters: where it begins, where its answer begins, where it ends


@dataclass(frozen=True)
class Draws:
    """The rows of a mixture that a training draws. indices: of the rows of each batch (batches, rows in a batch).

    updates: steps on each batch.
    """

    mixture: Mixture
    indices: Tensor
    steps: int
    updates: int = 1

    def with_epochs(self, training: Training) -> Training:
        """The training with the number of its passes over the rows."""
        return replace(training, epochs=self.mixture.epochs(training.steps * self.indices.shape[1] / self.updates))


def draw_batches(
    mixture: Mixture, steps: int, epochs: float, batch_size: int, generator: torch.Generator, *, updates: int = 1
) -> Draws:
    """Batches for so many steps, or for as many as make `epochs` passes if these are fewer; 0 for no such limit.

    batch_size: 0 for one that follows the number of rows. updates: steps on each batch.
    """
    rows = 1 / mixture.epochs(1)
    batch_size = batch_size or batch_size_for(rows)
    if epochs:
        steps = min(steps, max(1, math.ceil(epochs * updates * rows / batch_size)))
    return Draws(mixture, sample_batches(mixture, -(-steps // updates), batch_size, generator), steps, updates)


def sample_batches(mixture: Mixture, batches: int, batch_size: int, generator: torch.Generator) -> Tensor:
    """Row indices of each batch, of shape (batches, batch_size), sampled with replacement by the mixture's weights."""
    weights = torch.from_numpy(mixture.weights)
    return torch.multinomial(weights, batches * batch_size, replacement=True, generator=generator).view(
        batches, batch_size
    )


@dataclass(frozen=True)
class Length:
    """The options that bound a training, besides its steps: as every training objective explains them."""

    epochs: float
    batch_size: int
    patience: int


@dataclass(frozen=True)
class SupervisedRows:
    """Rows to train on, and real rows that are set aside to decide when to stop.

    aside: token ids of these, of shape (rows, length). too_few: rows should have been set aside, but there are too few
    real ones.
    """

    model: Tiny
    mixture: Mixture
    aside: Tensor
    too_few: bool

    @classmethod
    def of(cls, model: Tiny, mixture: Mixture, early_stopping: float) -> SupervisedRows:
        """early_stopping: the share of the real rows that is set aside."""
        rest, aside = set_aside(mixture, early_stopping)
        return cls(model, rest, pad([[PAD], *model.encode(aside)])[1:], bool(early_stopping and not aside))

    @property
    def max_tokens(self) -> int:
        """Tokens of the longest row."""
        longest = int(self.mixture.characters.max()) + MARKS
        return max(min(longest, self.model.network.size.context), self.aside.shape[1])

    def train(
        self,
        network: Network,
        batches: Callable[[Tensor, Iterable[Tensor], torch.Generator], Iterator[Sequence[Part]]],
        loss: Callable[[Part], Tensor],
        schedule: Schedule,
        tick: Callable[[int, int], None],
        *,
        length: Length,
        seed: int,
    ) -> Training:
        """Train the network on these rows, and return what was done.

        batches: the parts of each batch, for token ids of all rows, the indices of those in each batch, and a generator
        of random numbers. The other arguments are those of `train_steps` and of every training objective.
        """
        generator = torch.Generator().manual_seed(seed)
        draws = draw_batches(self.mixture, schedule.steps, length.epochs, length.batch_size, generator)
        aside = in_batches(len(self.aside), draws.indices.shape[1])
        fixed = batches(self.aside, aside, torch.Generator().manual_seed(seed))
        stopping = stop_early(network, fixed, loss, len(self.aside), length.patience)
        rows, indices = torch.unique(draws.indices, return_inverse=True)
        tokens = pad(self.model.encode(rows_at(self.mixture.rows, rows.tolist())))
        drawn = batches(tokens, indices, generator)
        done = train_steps(network, drawn, loss, replace(schedule, steps=draws.steps), tick, stopping)
        return replace(draws.with_epochs(done), no_real_rows=self.too_few)


def stop_early(
    network: Network, batches: Iterable[Sequence[Part]], loss: Callable[[Part], Tensor], rows: int, patience: int
) -> EarlyStopping | None:
    """Early stopping by the mean loss of these batches of so many rows, each as for `train_steps`. None: no rows."""
    fixed = [list(batch) for batch in batches]

    def loss_of(part: Part) -> float:
        with torch.no_grad():
            return float(loss(part))

    def mean_loss() -> float:
        return math.fsum(map_two(loss_of, [part for batch in fixed for part in batch])) / len(fixed)

    return EarlyStopping(network, mean_loss, rows, patience) if rows else None


def in_batches(rows: int, batch_size: int) -> Sequence[Tensor]:
    """The indices of all rows in order, in batches of about equal size."""
    return torch.arange(rows).chunk(math.ceil(rows / batch_size)) if rows else ()
