"""Train the embedded transformer on rows, prompt and answer, by plain cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, mask_prompt, sample_batches, train_steps
from selfsown.option_types import Count, NotNegative, Share
from selfsown.records import Mixture

Part = tuple[Tensor, Tensor, Tensor]  # tokens, what is to be learned of them, how much that is in the whole batch


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    *,
    steps: Count = 800,
    batch_size: Count = 64,
    learning_rate: NotNegative = 0.02,
    embedding_learning_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
    answers_only: bool = False,
    average_last: Share = 0.0,
) -> Tiny:
    """A child of the parent after `steps` batches of rows drawn by the mixture's weights. With `answers`, the
    prompts are read and only the answers learned. `average`: the share of the last steps whose mean weights the child
    is given (Polyak and Juditsky 1992); 0: those of the last step alone."""
    child = parent.copy()
    tokens = pad(child.encode(mixture.rows))
    lengths = (tokens != PAD).sum(1)

    def batches() -> Iterator[list[Part]]:
        for draw in sample_batches(mixture, steps, batch_size, torch.Generator().manual_seed(seed)):
            read = tokens[draw, : int(lengths[draw].max())]
            learned = mask_prompt(read) if answers_only else read
            count = (learned[:, 1:] != PAD).sum().clamp(min=1)
            yield [(*half, count) for half in zip(read.chunk(2), learned.chunk(2), strict=True)]

    def loss(part: Part) -> Tensor:
        read, learned, count = part
        logits = child.network(read[:, :-1])
        total = F.cross_entropy(logits.flatten(0, 1), learned[:, 1:].flatten(), ignore_index=PAD, reduction="sum")
        return total / count

    train_steps(
        child.network,
        batches(),
        loss,
        Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last),
        tick,
    )
    return child
