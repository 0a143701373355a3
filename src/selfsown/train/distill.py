"""Learn the whole distribution of a stronger tiny teacher at each token, not only the token that came
(Hinton et al. 2015; Gemma 2 and 3).

The teacher is a tiny model saved in a folder: a server does not show its probabilities. The loss is (1 - `hard`) times
the cross-entropy with the teacher, both at the temperature, times its square, which keeps the gradients' length, and
`hard` times that with the row's own token. `sampled` 0 takes all probabilities; k draws k tokens by them, with
replacement, and each counts 1/k: the mean over the draws is then the teacher's distribution. The k likeliest, or k
different ones renormalised, would lean to some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD, SPECIAL_TOKENS, UNK, Tokenizer
from selfsown.models.tiny.trainer import Schedule, mask_prompt, sample_batches, train_steps
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import Mixture, SelfsownError

Part = tuple[Tensor, Tensor, Tensor, Tensor]  # tokens, what is to be learned, marks of the draws, how much it is


def train(
    mixture: Mixture,
    parent: Tiny,
    seed: int,
    tick: Callable[[int, int], None],
    teacher: Tiny,
    *,
    steps: Count = 800,
    batch_size: Count = 64,
    learning_rate: NotNegative = 0.02,
    embedding_learning_rate: NotNegative = 0.003,
    weight_decay: NotNegative = 0.1,
    temperature: Positive = 1.0,
    sampled_labels: Natural = 0,
    hard_label_weight: Share = 0.0,
    answers_only: bool = False,
    average_last: Share = 0.0,
) -> Tiny:
    """A child of the parent, as `tiny` makes it, by the loss above. `answers` and `average` are as there."""
    child, generator = parent.copy(), torch.Generator().manual_seed(seed)
    tokens = pad(child.encode(mixture.rows))
    lengths = (tokens != PAD).sum(1)
    shown = _shown(teacher, child.tokenizer, int(lengths.max()))

    def batches() -> Iterator[list[Part]]:
        for draw in sample_batches(mixture, steps, batch_size, generator):
            read = tokens[draw, : int(lengths[draw].max())]
            learned = mask_prompt(read) if answers_only else read
            marks = torch.rand(len(read), read.shape[1] - 1, sampled_labels, generator=generator)
            count = (learned[:, 1:] != PAD).sum().clamp(min=1)
            yield [(*half, count) for half in zip(read.chunk(2), learned.chunk(2), marks.chunk(2), strict=True)]

    def loss(part: Part) -> Tensor:
        read, learned, marks, count = part
        soft = torch.softmax(shown(read[:, :-1]) / temperature, -1)
        soft = _drawn(soft, marks) if sampled_labels else soft
        return _loss(child.network(read[:, :-1]), learned[:, 1:], soft, temperature, hard_label_weight) / count

    train_steps(
        child.network,
        batches(),
        loss,
        Schedule(steps, learning_rate, embedding_learning_rate, weight_decay, average_last),
        tick,
    )
    return child


def _shown(teacher: Tiny, alphabet: Tokenizer, longest: int) -> Callable[[Tensor], Tensor]:
    """The teacher's logits after tokens of this alphabet, for its tokens: what only one of the two knows has none."""
    if not isinstance(teacher, Tiny):
        raise SelfsownError(f"train.distill needs a teacher whose probabilities can be seen, not {teacher.name}")
    if longest - 1 > teacher.network.size.context:
        room = teacher.network.size.context
        raise SelfsownError(f"train.distill: a row of {longest} tokens; the teacher has room for {room}: shorten rows")
    known = [*range(len(SPECIAL_TOKENS)), *(teacher.tokenizer.token_ids.get(each, -1) for each in alphabet.characters)]
    if alphabet.characters and max(known) < len(SPECIAL_TOKENS):
        raise SelfsownError(f"train.distill: {teacher.name} knows none of the characters of these rows; take another")
    places = torch.tensor(known)
    ids, missing = places.where(places >= 0, UNK), places < 0

    def shown(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            return teacher.network(ids[tokens])[..., ids].masked_fill(missing, -torch.inf)  # type: ignore[no-any-return]

    return shown


def _loss(logits: Tensor, wanted: Tensor, soft: Tensor, temperature: float, hard: float) -> Tensor:
    """The sum over all tokens."""
    near = -(soft * torch.log_softmax(logits / temperature, -1)).sum(-1)
    alike = F.cross_entropy(logits.mT, wanted, ignore_index=PAD, reduction="sum")
    return (1 - hard) * temperature**2 * (near * (wanted != PAD)).sum() + hard * alike


def _drawn(soft: Tensor, marks: Tensor) -> Tensor:
    """The shares of the tokens that the marks fall on."""
    heights = soft.cumsum(-1)
    found = torch.searchsorted(heights, marks * heights[..., -1:], right=True).clamp(max=soft.shape[-1] - 1)
    return torch.zeros_like(soft).scatter_add_(-1, found, torch.full_like(marks, 1 / marks.shape[-1]))
