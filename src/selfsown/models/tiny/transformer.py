"""The embedded transformer: GPT-2's architecture without biases, small enough for two cores.

Learned positions, pre-LayerNorm, GELU, four-fold feed-forward, untied head
(Radford et al. 2019; `GPT2LMHeadModel` in transformers computes the same, with its biases at zero).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Cache = list[Tensor]  # per block: keys and values (length, 2 * width, texts), the texts last


@dataclass(frozen=True)
class Size:
    """vocab_size and context in tokens; width must be a multiple of heads."""

    vocab_size: int
    context: int
    layers: int
    width: int
    heads: int


class Block(nn.Module):
    """Causal self-attention and a feed-forward layer, each with a residual connection."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads, width = size.heads, size.width
        self.before_attention = nn.LayerNorm(width, bias=False)
        self.attention_in = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.before_feed = nn.LayerNorm(width, bias=False)
        self.feed_in = nn.Linear(width, 4 * width, bias=False)
        self.feed_out = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, mask: Tensor, cache: Tensor | None) -> Tensor:
        """x: (batch, length, width), at positions 0, 1, …; returns the same shape.

        mask: (length, padded length), added to the attention scores: 0, or -inf for later positions. cache: receives
        the keys and values.
        """
        batch, length, width = x.shape
        padded = mask.shape[1]
        qkv = self.attention_in(self.before_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        if cache is not None:
            cache[:length].view(length, 2, self.heads, -1, batch).copy_(qkv[:, :, 1:].permute(1, 2, 3, 4, 0))
        keys, values = F.pad(k, (0, 0, 0, padded - length)).mT, F.pad(v, (0, 0, 0, padded - length))
        y = (q * q.shape[-1] ** -0.5 @ keys + mask).softmax(-1) @ values
        x = x + self.attention_out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed_out(F.gelu(self.feed_in(self.before_feed(x))))  # type: ignore[no-any-return]

    def following(self, x: Tensor, cache: Tensor, position: int) -> Tensor:
        """The same for one more position, of which x is (texts, width) and the cache has all positions before.

        Texts are the last dimension of what attention computes, so that whole vectors of them are computed at a time:
        with a single query, matrix products are too small to be fast.
        """
        texts, width = x.shape
        read = self.before_attention(x).t()
        weight = self.attention_in.weight
        q = torch.mm(weight[:width], read).mul_((width // self.heads) ** -0.5).view(self.heads, -1, texts)
        torch.mm(weight[width:], read, out=cache[position])
        keys, values = cache[: position + 1].view(position + 1, 2, self.heads, -1, texts).unbind(1)
        shares = (q * keys).sum(2, keepdim=True).softmax(0)
        y = (shares * values).sum(0).view(width, texts)
        x = torch.addmm(x, y.t(), self.attention_out.weight.t())
        fed = F.gelu(self.feed_in(self.before_feed(x)))
        return torch.addmm(x, fed, self.feed_out.weight.t())


class Network(nn.Module):
    """Tokens (batch, length) in, logits (batch, length, vocabulary) out."""

    def __init__(self, size: Size, seed: int) -> None:
        super().__init__()
        self.size = size
        self.tokens = nn.Embedding(size.vocab_size, size.width)
        self.positions = nn.Embedding(size.context, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.last = nn.LayerNorm(size.width, bias=False)
        self.head = nn.Linear(size.width, size.vocab_size, bias=False)
        self._initialize(torch.Generator().manual_seed(seed))

    def _initialize(self, generator: torch.Generator) -> None:
        """Initial weights: embeddings with standard deviation 1; projections into the residual stream smaller."""
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue  # a LayerNorm starts at one
            deviation = 1.0 if name in ("tokens.weight", "positions.weight") else weight.shape[1] ** -0.5
            if name.endswith("_out.weight"):
                deviation /= math.sqrt(2 * self.size.layers)
            nn.init.normal_(weight, std=deviation, generator=generator)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens: ids (batch, length); returns logits (batch, length, vocab_size). cache: receives keys and values."""
        length = tokens.shape[1]
        x = self.tokens(tokens) + self.positions.weight[:length]
        mask = torch.full((length, _padded(length)), -torch.inf).triu(1)
        for index, block in enumerate(self.blocks):
            x = block(x, mask, cache[index] if cache else None)
        return self.head(self.last(x))  # type: ignore[no-any-return]

    def following(self, tokens: Tensor, cache: Cache, position: int) -> Tensor:
        """One more token of each text (texts,), all at this position; returns logits (texts, vocab_size).

        The cache has the keys and values of all positions before, and receives those of this one.
        """
        x = self.tokens(tokens) + self.positions.weight[position]
        for block, cached in zip(self.blocks, cache, strict=True):
            x = cast(Block, block).following(x, cached, position)
        return self.head(self.last(x))  # type: ignore[no-any-return]

    def cache(self, texts: int, length: int) -> Cache:
        """An empty cache for `length` tokens of each text. Memory is taken only as positions are filled."""
        return [torch.empty(length, 2 * self.size.width, texts) for _ in self.blocks]


def _padded(length: int, multiple: int = 16) -> int:
    """Keys are padded to whole vectors: a processor's softmax handles the remainder one by one."""
    return -(-length // multiple) * multiple
