"""Distillation: train on the whole distribution of a stronger tiny teacher at each token, not only the token that came.

Source: Hinton et al. 2015; Gemma 2 and 3. The teacher is a tiny model saved in a folder, because servers do not show
their probabilities. The loss is (1 - hard_label_weight) times the cross-entropy with the teacher's distribution, both
at the temperature, times the squared temperature, which preserves the scale of the gradients, plus hard_label_weight
times the cross-entropy with the row's own tokens.

With sampled_labels k, k tokens are drawn from the teacher's distribution with replacement, and each counts 1/k: an
unbiased estimate. The k likeliest tokens, or k different ones renormalised, would be biased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.errors import ModelError
from selfsown.models.tiny.model import Tiny
from selfsown.models.tiny.objective import Length, SupervisedRows
from selfsown.models.tiny.tokenizer import PAD, SPECIAL_TOKENS, UNK, Tokenizer
from selfsown.models.tiny.trainer import Schedule, mask_prompt
from selfsown.models.tiny.transformer import Network
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import Mixture, Training, unreported

REQUIRES = {"local_teacher"}

# Tokens (rows, length), the same with targets only, uniform numbers (rows, length - 1, samples), targets in the batch.
Part = tuple[Tensor, Tensor, Tensor, Tensor]


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    teacher: Tiny,
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 800,
    epochs: NotNegative = 0.0,
    batch_size: Natural = 64,
    learning_rate: NotNegative = 0.02,
    embedding_learning_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
    temperature: Positive = 1.0,
    sampled_labels: Natural = 0,
    hard_label_weight: Share = 0.0,
    answers_only: bool = False,
    average_last: Share = 0.0,
    early_stopping: Share = 0.0,
    patience: Count = 5,
) -> Tiny:
    """A copy of the parent, trained to match the teacher on the mixture's rows.

    temperature: softens both distributions. sampled_labels: tokens drawn from the teacher's distribution; 0 takes all.
    hard_label_weight: the weight of the row's own tokens. The other options are those of sft. Raises ModelError.
    """
    child = parent.copy()
    rows = SupervisedRows.of(child, mixture, early_stopping)
    logits = _teacher_logits(teacher, child.tokenizer, rows.max_tokens)
    method = _Distillation(child.network, logits, temperature, hard_label_weight, sampled_labels, answers_only)
    schedule = Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last)
    length = Length(epochs, batch_size, patience)
    report(rows.train(child.network, method.batches, method.loss, schedule, tick, length=length, seed=seed))
    return child


@dataclass(frozen=True)
class _Distillation:
    """teacher_logits: of tokens (rows, length). The other fields are the options of `train`."""

    network: Network
    teacher_logits: Callable[[Tensor], Tensor]
    temperature: float
    hard_label_weight: float
    sampled_labels: int
    answers_only: bool

    def batches(self, tokens: Tensor, draws: Iterable[Tensor], generator: torch.Generator) -> Iterator[list[Part]]:
        """tokens: all rows (rows, length); draws: the rows of each batch (batch). Each batch comes in two halves."""
        lengths = (tokens != PAD).sum(1)
        for draw in draws:
            batch = tokens[draw, : int(lengths[draw].max())]
            targets = mask_prompt(batch) if self.answers_only else batch
            uniform = torch.rand(len(batch), batch.shape[1] - 1, self.sampled_labels, generator=generator)
            count = (targets[:, 1:] != PAD).sum().clamp(min=1)
            yield [(*half, count) for half in zip(batch.chunk(2), targets.chunk(2), uniform.chunk(2), strict=True)]

    def loss(self, part: Part) -> Tensor:
        batch, targets, uniform, count = part
        soft = torch.softmax(self.teacher_logits(batch[:, :-1]) / self.temperature, -1)
        soft = _sampled(soft, uniform) if self.sampled_labels else soft
        total = _loss(self.network(batch[:, :-1]), targets[:, 1:], soft, self.temperature, self.hard_label_weight)
        return total / count


def _teacher_logits(teacher: Tiny, alphabet: Tokenizer, max_tokens: int) -> Callable[[Tensor], Tensor]:
    """A function from tokens of the student's alphabet to the teacher's logits over that alphabet.

    Characters that only the teacher knows are left out; those that only the student knows get -inf.
    """
    if not isinstance(teacher, Tiny):
        raise ModelError(f"train.distill needs a tiny model as its teacher, for its probabilities, not {teacher.name}")
    context = teacher.network.size.context
    if max_tokens - 1 > context:
        raise ModelError(
            f"train.distill: a row has {max_tokens} tokens, but the teacher's context is {context}; shorten the rows"
        )
    known = [
        *range(len(SPECIAL_TOKENS)),
        *(teacher.tokenizer.token_ids.get(character, -1) for character in alphabet.characters),
    ]
    if alphabet.characters and max(known) < len(SPECIAL_TOKENS):
        raise ModelError(
            f"train.distill: {teacher.name} knows none of the characters of these rows; use another teacher"
        )
    places = torch.tensor(known)
    ids, missing = places.where(places >= 0, UNK), places < 0

    def logits(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            return teacher.network(ids[tokens])[..., ids].masked_fill(missing, -torch.inf)  # type: ignore[no-any-return]

    return logits


def _loss(logits: Tensor, targets: Tensor, soft: Tensor, temperature: float, hard_label_weight: float) -> Tensor:
    """The sum over all targets (rows, length), for logits and teacher's probabilities (rows, length, alphabet)."""
    distillation = -(soft * torch.log_softmax(logits / temperature, -1)).sum(-1)
    hard = F.cross_entropy(logits.mT, targets, ignore_index=PAD, reduction="sum")
    soft_sum = (distillation * (targets != PAD)).sum()
    return (1 - hard_label_weight) * temperature**2 * soft_sum + hard_label_weight * hard


def _sampled(soft: Tensor, uniform: Tensor) -> Tensor:
    """The frequencies of tokens drawn from the distribution (…, alphabet), one for each uniform number (…, samples)."""
    cumulative = soft.cumsum(-1)
    ids = torch.searchsorted(cumulative, uniform * cumulative[..., -1:], right=True).clamp(max=soft.shape[-1] - 1)
    return torch.zeros_like(soft).scatter_add_(-1, ids, torch.full_like(uniform, 1 / uniform.shape[-1]))
