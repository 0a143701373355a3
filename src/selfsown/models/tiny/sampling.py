"""Batched sampling with a key-value cache: many texts at once, one token of each per step.

Texts are sorted, so that those that begin alike go together and share what is computed of their beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from selfsown import progress
from selfsown.models.tiny.beginnings import Beginnings
from selfsown.models.tiny.tokenizer import EOS, PAD
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import iterate_two, single_threaded

MIN_TEXTS, MAX_TEXTS = 32, 256  # at once: fewer leave the cores waiting for Python
CACHED_TOKENS = 8192  # in the cache at once, unless that is too few texts: more do not fit the caches of a core


def sample(
    network: Network, prefixes: Sequence[list[int]], temperature: float, seed: int, max_tokens: int
) -> list[list[int]]:
    """The token ids that the network writes after each prefix, including `<eos>`.

    max_tokens: the longest text (0: up to the context). Prefixes of about equal length are sampled together, so that
    little computation is wasted. The samples depend on the seed and the prefixes alone.
    """
    order = sorted(range(len(prefixes)), key=lambda index: (len(prefixes[index]), prefixes[index]))
    longest = min(network.size.context, max(map(len, prefixes), default=0) + (max_tokens or network.size.context))
    at_once = min(MAX_TEXTS, max(MIN_TEXTS, CACHED_TOKENS // max(1, longest)))
    chunks = [order[index : index + at_once] for index in range(0, len(order), at_once)]

    def write(chunk: list[int]) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed + chunk[0])
        return _together(network, [prefixes[index] for index in chunk], temperature, generator, max_tokens)

    written: list[list[int]] = [[] for _ in prefixes]
    with single_threaded(), progress.step(total=len(prefixes), unit="texts") as counted:
        for chunk, texts in zip(chunks, iterate_two(write, chunks), strict=True):
            counted.done += len(chunk)
            for index, text in zip(chunk, texts, strict=True):
                written[index] = text
    return written


@torch.inference_mode()
def _together(
    network: Network, prefixes: list[list[int]], temperature: float, generator: torch.Generator, max_tokens: int
) -> list[list[int]]:
    """The common length of the prefixes is read at once; after it, a text still inside its prefix is led along it."""
    lengths = torch.tensor([len(prefix) for prefix in prefixes])
    shortest, longest = len(prefixes[0]), len(prefixes[-1])
    end = min(network.size.context, longest + max_tokens if max_tokens else network.size.context)
    tokens = torch.full((len(prefixes), end), PAD)
    for index, prefix in enumerate(prefixes):
        tokens[index, : len(prefix)] = torch.tensor(prefix)
    beginnings = Beginnings(network, tokens[:, :shortest], end)
    going, done = torch.arange(len(prefixes)), torch.zeros(len(prefixes), dtype=torch.bool)
    for index in range(shortest, end):
        marks = torch.rand(len(prefixes), 1, generator=generator, dtype=torch.float64)
        new = _sample_token(beginnings, temperature, marks[going]).masked_fill(done, PAD)
        new = torch.where(index < lengths[going], tokens[going, index], new)
        tokens[going, index] = new
        done |= (index >= lengths[going]) & (
            (new == EOS) | (index + 1 >= lengths[going] + max_tokens if max_tokens else done)
        )
        finished = int(done.sum())
        if index + 1 == end or finished == len(done):
            break
        if finished and (beginnings.shared or 2 * finished > len(done)):  # drop the finished texts from the batch
            left = ~done
            going, done, new = going[left], done[left], new[left]
            beginnings.keep(left)
        beginnings.append(new)
    texts = [row[len(prefix) :] for row, prefix in zip(tokens.tolist(), prefixes, strict=True)]
    return [text[: text.index(PAD)] if PAD in text else text for text in texts]


def _sample_token(beginnings: Beginnings, temperature: float, marks: Tensor) -> Tensor:
    """One token id (texts,) for each text, by inverting the cumulative distribution at its uniform number.

    marks: (texts, 1), uniform in [0, 1). `<pad>` is never sampled.
    """
    logits = beginnings.logits
    logits[:, PAD] = -torch.inf
    if temperature == 0:
        return logits.argmax(-1).index_select(0, beginnings.of)
    heights = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    heights = heights[beginnings.of] if beginnings.shared else heights
    tokens = torch.searchsorted(heights, marks * heights[:, -1:], right=True)
    return tokens.squeeze(1).clamp(max=logits.shape[1] - 1)
