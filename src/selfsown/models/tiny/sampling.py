"""Batched sampling with a key-value cache: many texts at once, one token of each per step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from selfsown import progress
from selfsown.models.tiny.tokenizer import EOS, PAD
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import iterate_two, single_threaded

TEXTS_AT_ONCE = 256  # enough to keep two cores busy, small enough for their caches


def sample(
    network: Network, prefixes: Sequence[list[int]], temperature: float, seed: int, max_tokens: int
) -> list[list[int]]:
    """The token ids that the network writes after each prefix, including `<eos>`.

    max_tokens: the longest text (0: up to the context). Prefixes of about equal length are sampled together, so that
    little computation is wasted. The samples depend on the seed and the prefixes alone.
    """
    order = sorted(range(len(prefixes)), key=lambda index: len(prefixes[index]))
    chunks = [order[index : index + TEXTS_AT_ONCE] for index in range(0, len(order), TEXTS_AT_ONCE)]

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
    """The common part of the prefixes is read at once; after it, a text still inside its prefix is led along it."""
    lengths = torch.tensor([len(prefix) for prefix in prefixes])
    shortest, longest = len(prefixes[0]), len(prefixes[-1])
    end = min(network.size.context, longest + max_tokens if max_tokens else network.size.context)
    tokens = torch.full((len(prefixes), end), PAD)
    for index, prefix in enumerate(prefixes):
        tokens[index, : len(prefix)] = torch.tensor(prefix)
    cache = network.cache(len(prefixes), end)
    logits = network(tokens[:, :shortest], cache)[:, -1]
    going, done = torch.arange(len(prefixes)), torch.zeros(len(prefixes), dtype=torch.bool)
    for index in range(shortest, end):
        marks = torch.rand(len(prefixes), 1, generator=generator, dtype=torch.float64)
        new = _sample_token(logits, temperature, marks[going]).masked_fill(done, PAD)
        tokens[going, index] = torch.where(index < lengths[going], tokens[going, index], new)
        done |= (index >= lengths[going]) & (
            (new == EOS) | (index + 1 >= lengths[going] + max_tokens if max_tokens else done)
        )
        if index + 1 == end or bool(done.all()):
            break
        if 2 * int(done.sum()) > len(done):  # drop the finished texts from the batch
            left = ~done
            going, done, cache = going[left], done[left], [(keys[left], values[left]) for keys, values in cache]
        logits = network(tokens[going, index : index + 1], cache, index)[:, -1]
    texts = [row[len(prefix) :] for row, prefix in zip(tokens.tolist(), prefixes, strict=True)]
    return [text[: text.index(PAD)] if PAD in text else text for text in texts]


def _sample_token(logits: Tensor, temperature: float, marks: Tensor) -> Tensor:
    """One token id (texts,) for each text, by inverting the cumulative distribution at its uniform number.

    logits: (texts, vocab_size). marks: (texts, 1), uniform in [0, 1). `<pad>` is never sampled.
    """
    logits[:, PAD] = -torch.inf
    if temperature == 0:
        return logits.argmax(-1)
    heights = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    tokens = torch.searchsorted(heights, marks * heights[:, -1:], right=True)
    return tokens.squeeze(1).clamp(max=logits.shape[1] - 1)
