"""Learn to prefer the better of two answers (DPO, Rafailov et al. 2023), anchored by the better one's own likelihood.

The anchor (Pang et al. 2024; Llama 3 takes 0.2) keeps the better answers from becoming unlikely along with the worse.
The reference is the parent, frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.kinds import Count, NotNegative, Positive
from selfsown.models.tiny import Tiny, pad
from selfsown.models.tiny.alphabet import PAD
from selfsown.models.tiny.halves import each, single
from selfsown.models.tiny.learning import Pace, answered, chances, drawn, learn
from selfsown.models.tiny.network import Network
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
    batch: Count = 64,
    rate: NotNegative = 0.003,
    embedding_rate: NotNegative = 0.0005,
    weight_decay: NotNegative = 0.0,
    beta: Positive = 0.1,
    anchor: NotNegative = 0.2,
) -> Tiny:
    """A row with the trait `rejected` is a pair, as `curate: pairs` makes it; any other row drawn learns by
    the anchor alone."""
    child = parent.copy()
    chosen = drawn(mixture, steps, batch, torch.Generator().manual_seed(seed))
    places, draws = torch.unique(chosen, return_inverse=True)
    rows = [mixture.rows[at] for at in places.tolist()]
    paired = torch.tensor(["rejected" in row.traits for row in rows])
    if not paired.any():
        raise SelfsownError(
            "train.preference: no row drawn has a rejected answer; write curate: [pairs, passed, …] and base: tiny, "
            "or name real rows that have one, with attributes: [rejected]"
        )
    better, worse = pad(child.encode([*rows, *map(_worse, rows)])).chunk(2)

    def said(network: Network, draw: Tensor) -> tuple[Tensor, Tensor]:
        """The logarithms of the probabilities of the answers, and of the worse ones of the pairs among them."""
        texts = torch.cat([better[draw], worse[draw[paired[draw]]]])
        found = chances(network, texts[:, : int((texts != PAD).sum(1).max())]).sum(1)
        return found[: len(draw)], found[len(draw) :]

    odds = _odds(parent, said, paired)

    def batches() -> Iterator[list[Part]]:
        for draw in draws:
            counts = paired[draw].sum().clamp(min=1), (answered(better[draw]) != PAD).sum().clamp(min=1)
            yield [(half, *counts) for half in draw.chunk(2)]

    def loss(part: Part) -> Tensor:
        draw, pairs, tokens = part
        good, bad = said(child.network, draw)
        margins = good[paired[draw]] - bad - odds[draw[paired[draw]]]
        return -F.logsigmoid(beta * margins).sum() / pairs - anchor * good.sum() / tokens

    learn(child.network, batches(), loss, Pace(steps, rate, embedding_rate, weight_decay), tick)
    return child


def _worse(row: Row) -> Row:
    return replace(row, answer=row.traits.get("rejected", ""))


def _odds(parent: Tiny, said: Callable[[Network, Tensor], tuple[Tensor, Tensor]], paired: Tensor) -> Tensor:
    """How much likelier the parent finds the better answer than the worse one, as logarithms; 0 where no pair is."""

    def of(some: Tensor) -> Tensor:
        with torch.no_grad():
            good, bad = said(parent.network, some)
            return good - torch.zeros_like(good).masked_scatter(paired[some], bad)

    with single():
        return torch.cat(each(of, torch.split(torch.arange(len(paired)), TOGETHER))) * paired
