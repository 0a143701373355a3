"""Batched sampling with a key-value cache: many texts at once, each one token a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from selfsown.models.tiny.tokenizer import EOS, PAD
from selfsown.models.tiny.transformer import Network
from selfsown.models.tiny.two_threads import map_two, single_threaded

TEXTS_AT_ONCE = 256  # texts at once: enough to fill two cores, small enough for their caches


def sample(network: Network, heads: Sequence[list[int]], temperature: float, seed: int, limit: int) -> list[list[int]]:
    """What the network writes after each head, up to and with `<eos>`; `limit` tokens at most (0: the context).

    Texts of about equal length go together, so that little of a step is wasted. The draws depend on
    the seed and on the heads alone.
    """
    order = sorted(range(len(heads)), key=lambda at: len(heads[at]))
    chunks = [order[at : at + TEXTS_AT_ONCE] for at in range(0, len(order), TEXTS_AT_ONCE)]

    def write(chunk: list[int]) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed + chunk[0])
        return _together(network, [heads[at] for at in chunk], temperature, generator, limit)

    written: list[list[int]] = [[] for _ in heads]
    with single_threaded():
        for chunk, texts in zip(chunks, map_two(write, chunks), strict=True):
            for at, text in zip(chunk, texts, strict=True):
                written[at] = text
    return written


@torch.inference_mode()
def _together(
    network: Network, heads: list[list[int]], temperature: float, generator: torch.Generator, limit: int
) -> list[list[int]]:
    """The common part of the heads is read at once; after it, a text still inside its head is led along it."""
    lengths = torch.tensor([len(head) for head in heads])
    shortest, longest = len(heads[0]), len(heads[-1])
    end = min(network.size.context, longest + limit if limit else network.size.context)
    tokens = torch.full((len(heads), end), PAD)
    for at, head in enumerate(heads):
        tokens[at, : len(head)] = torch.tensor(head)
    cache = network.cache(len(heads), end)
    logits = network(tokens[:, :shortest], cache)[:, -1]
    going, done = torch.arange(len(heads)), torch.zeros(len(heads), dtype=torch.bool)
    for at in range(shortest, end):
        marks = torch.rand(len(heads), 1, generator=generator, dtype=torch.float64)
        new = _draw(logits, temperature, marks[going]).masked_fill(done, PAD)
        tokens[going, at] = torch.where(at < lengths[going], tokens[going, at], new)
        done |= (at >= lengths[going]) & ((new == EOS) | (at + 1 >= lengths[going] + limit if limit else done))
        if at + 1 == end or bool(done.all()):
            break
        if 2 * int(done.sum()) > len(done):  # those that are still written go on among themselves
            left = ~done
            going, done, cache = going[left], done[left], [(keys[left], values[left]) for keys, values in cache]
        logits = network(tokens[going, at : at + 1], cache, at)[:, -1]
    texts = [row[len(head) :] for row, head in zip(tokens.tolist(), heads, strict=True)]
    return [text[: text.index(PAD)] if PAD in text else text for text in texts]


def _draw(logits: Tensor, temperature: float, marks: Tensor) -> Tensor:
    """One token for each text, by inverting the cumulative distribution at its mark. `<pad>` is never written."""
    logits[:, PAD] = -torch.inf
    if temperature == 0:
        return logits.argmax(-1)
    heights = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    found = torch.searchsorted(heights, marks * heights[:, -1:], right=True)
    return found.squeeze(1).clamp(max=logits.shape[1] - 1)
