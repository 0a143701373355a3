"""Learn to prefer the better of two answers (DPO, Rafailov et al. 2023), anchored by the better one's own likelihood.

The anchor (Pang et al. 2024; Llama 3 takes 0.2) keeps the better answers from becoming unlikely along with the worse.
The reference is the parent, frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt, sample_batches, token_logprobs, train_steps
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two, single_threaded
from selfsown.option_types import Count, NotNegative, Positive, Share
from selfsown.records import Mixture, Row, SelfsownError

TOGETHER = 256  # pairs whose reference is reckoned at once
Part = tuple[Tensor, Tensor, Tensor]  # draws, and in the whole batch: its pairs, the tokens of its answers


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    *,
    steps: Count = 250,
    batch_size: Count = 64,
    learning_rate: NotNegative = 0.003,
    embedding_learning_rate: NotNegative = 0.0005,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
    beta: Positive = 0.1,
    nll_weight: NotNegative = 0.2,
    pivotal_only: bool = False,
) -> Tiny:
    """A row with the trait `rejected` is a pair, as `curate: preference_pairs` makes it; any other row drawn learns by
    the anchor alone. With `pivot`, of two answers only the first token in which they differ is preferred to the other,
    as `generate: pivotal_tokens` finds it. `average`: the share of the last steps whose mean weights the child is given."""
    child = parent.copy()
    chosen = sample_batches(mixture, steps, batch_size, torch.Generator().manual_seed(seed))
    places, draws = torch.unique(chosen, return_inverse=True)
    rows = [mixture.rows[at] for at in places.tolist()]
    better, worse = pad(child.encode([*rows, *map(_worse, rows)])).chunk(2)
    pairs = _Pairs(better, worse, _paired(rows), _forks(better, worse) if pivotal_only else None)
    odds = pairs.odds(parent.network)

    def batches() -> Iterator[list[Part]]:
        for draw in draws:
            tokens = (mask_prompt(pairs.better[draw]) != PAD).sum()
            yield [(half, pairs.there[draw].sum().clamp(min=1), tokens.clamp(min=1)) for half in draw.chunk(2)]

    def loss(part: Part) -> Tensor:
        draw, count, tokens = part
        good, chosen, bad = pairs.said(child.network, draw)
        margins = chosen - bad - odds[draw[pairs.there[draw]]]
        return -F.logsigmoid(beta * margins).sum() / count - nll_weight * good.sum() / tokens

    train_steps(
        child.network,
        batches(),
        loss,
        Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last),
        tick,
    )
    return child


@dataclass(frozen=True)
class _Pairs:
    """Tokens of the better and the worse answers, after their prompts, and where there is a worse one. forks: the
    place of the token in which the two first differ, where that alone is to be compared."""

    better: Tensor
    worse: Tensor
    there: Tensor
    forks: Tensor | None = None

    def said(self, network: Network, draw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logarithms of the probabilities of these answers; and where there is a worse one, of what is compared of
        the better and of the worse."""
        paired = self.there[draw]
        texts = torch.cat([self.better[draw], self.worse[draw[paired]]])
        found = token_logprobs(network, texts[:, : int((texts != PAD).sum(1).max())])
        good, compared = found[: len(draw)].sum(1), torch.cat([found[: len(draw)][paired], found[len(draw) :]])
        if self.forks is None:
            whole = compared.sum(1)
        else:
            whole = compared.gather(1, self.forks[draw[paired]].repeat(2)[:, None] - 1).squeeze(1)
        chosen, bad = whole.chunk(2)
        return good, chosen, bad

    def odds(self, network: Network) -> Tensor:
        """How much likelier the better answer is than the worse one, as logarithms; 0 where there is none."""

        def of(some: Tensor) -> Tensor:
            with torch.no_grad():
                good, chosen, bad = self.said(network, some)
                return torch.zeros_like(good).masked_scatter(self.there[some], chosen - bad)

        with single_threaded():
            return torch.cat(map_two(of, torch.split(torch.arange(len(self.there)), TOGETHER))) * self.there


def _paired(rows: Sequence[Row]) -> Tensor:
    """Which of these rows are pairs."""
    found = torch.tensor(["rejected" in row.metadata for row in rows])
    if not found.any():
        raise SelfsownError(
            "train.dpo: no row drawn has a rejected answer; write curate: [preference_pairs, min_score, …] and base: sft, "
            "or name real rows that have one, with attributes: [rejected]"
        )
    return found


def _forks(better: Tensor, worse: Tensor) -> Tensor:
    return (better != worse).int().argmax(1).clamp(min=1)


def _worse(row: Row) -> Row:
    return replace(row, answer=row.metadata.get("rejected", ""))
