"""Learn to prefer the better of two answers (DPO, Rafailov et al. 2023), with a likelihood term for the better one.

The likelihood term (NLL; Pang et al. 2024; Llama 3 weights it 0.2) keeps the better answers from becoming unlikely
along with the worse ones. The reference model is the parent, frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.errors import DataError
from selfsown.files.row_sequences import rows_at
from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.objective import draw_batches
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt, token_logprobs, train_steps
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two, single_threaded
from selfsown.option_types import Count, NotNegative, Positive, Share
from selfsown.records import Mixture, Row, Training, unreported

REQUIRES = {"preference_pairs"}

REFERENCE_BATCH = 256  # rows in one forward pass of the reference model
Part = tuple[Tensor, Tensor, Tensor]  # indices of rows; in the whole batch: its pairs, and the tokens of its answers


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 250,
    epochs: NotNegative = 0.0,
    batch_size: Count = 64,
    learning_rate: NotNegative = 0.003,
    embedding_learning_rate: NotNegative = 0.0005,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
    beta: Positive = 0.1,
    nll_weight: NotNegative = 0.2,
    pivotal_only: bool = False,
) -> Tiny:
    """A copy of the parent, trained on pairs: rows with the metadata "rejected", as curate.preference_pairs makes them.
    Any other row that is drawn is trained on by the likelihood term alone.

    beta: the weight of the divergence from the parent. nll_weight: the weight of the likelihood term. pivotal_only:
    compare only the first token in which two answers differ, as generate.pivotal_tokens finds it. The other options are
    those of every training objective.

    Raises DataError where no row that is drawn is a pair.
    """
    child, generator = parent.copy(), torch.Generator().manual_seed(seed)
    draws = draw_batches(mixture, steps, epochs, batch_size, generator)
    pairs, indices = _drawn_pairs(child, mixture, draws.indices, pivotal_only)
    loss = pairs.loss(child.network, pairs.reference_margins(parent.network), beta, nll_weight)
    schedule = Schedule(draws.steps, learning_rate, embedding_learning_rate, weight_decay, average_last)
    report(draws.with_epochs(train_steps(child.network, pairs.batches(indices), loss, schedule, tick)))
    return child


@dataclass(frozen=True)
class _Pairs:
    """Tokens (rows, length) of the better and the worse answers after their prompts; is_pair (rows): where there is a
    worse one. forks (rows): the index of the first token that differs, where only that is compared."""

    better: Tensor
    worse: Tensor
    is_pair: Tensor
    forks: Tensor | None = None

    def batches(self, draws: Tensor) -> Iterator[list[Part]]:
        """Each of the draws (steps, batch) in two halves."""
        for draw in draws:
            token_count = (mask_prompt(self.better[draw]) != PAD).sum().clamp(min=1)
            pair_count = self.is_pair[draw].sum().clamp(min=1)
            yield [(half, pair_count, token_count) for half in draw.chunk(2)]

    def loss(self, network: Network, reference: Tensor, beta: float, nll_weight: float) -> Callable[[Part], Tensor]:
        """The loss of a part. reference: as `reference_margins` gives them."""

        def loss(part: Part) -> Tensor:
            draw, pair_count, token_count = part
            likelihood, better, worse = self.log_probabilities(network, draw)
            margins = better - worse - reference[draw[self.is_pair[draw]]]
            return -F.logsigmoid(beta * margins).sum() / pair_count - nll_weight * likelihood.sum() / token_count

        return loss

    def log_probabilities(self, network: Network, draw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For these rows, of the better answers (rows); and for the pairs among them, of what is compared of the better
        and of the worse answers (pairs)."""
        paired = self.is_pair[draw]
        texts = torch.cat([self.better[draw], self.worse[draw[paired]]])
        by_token = token_logprobs(network, texts[:, : int((texts != PAD).sum(1).max())])
        likelihood = by_token[: len(draw)].sum(1)
        compared = torch.cat([by_token[: len(draw)][paired], by_token[len(draw) :]])
        if self.forks is None:
            totals = compared.sum(1)
        else:
            totals = compared.gather(1, self.forks[draw[paired]].repeat(2)[:, None] - 1).squeeze(1)
        better, worse = totals.chunk(2)
        return likelihood, better, worse

    def reference_margins(self, network: Network) -> Tensor:
        """The log-probability of each better answer less that of the worse one (rows); 0 where there is none."""

        def margins(draw: Tensor) -> Tensor:
            with torch.no_grad():
                likelihood, better, worse = self.log_probabilities(network, draw)
                return torch.zeros_like(likelihood).masked_scatter(self.is_pair[draw], better - worse)

        with single_threaded():
            batches = torch.split(torch.arange(len(self.is_pair)), REFERENCE_BATCH)
            return torch.cat(map_two(margins, batches)) * self.is_pair


def _drawn_pairs(model: Tiny, mixture: Mixture, indices: Tensor, pivotal_only: bool) -> tuple[_Pairs, Tensor]:
    """The rows that are drawn, each once, and the draws as indices of these."""
    chosen, draws = torch.unique(indices, return_inverse=True)
    rows = rows_at(mixture.rows, chosen.tolist())
    is_pair = torch.tensor(["rejected" in row.metadata for row in rows])
    if not is_pair.any():
        raise DataError(
            "train.dpo: no row that is drawn has a rejected answer; use curate: [preference_pairs, min_score, …] and "
            "base_train: sft, or real rows that have one, with attributes: [rejected]"
        )
    better, worse = pad(model.encode([*rows, *map(_rejected, rows)])).chunk(2)
    return _Pairs(better, worse, is_pair, _first_differences(better, worse) if pivotal_only else None), draws


def _first_differences(better: Tensor, worse: Tensor) -> Tensor:
    return (better != worse).int().argmax(1).clamp(min=1)


def _rejected(row: Row) -> Row:
    return replace(row, answer=row.metadata.get("rejected", ""))
