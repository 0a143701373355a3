"""The embedded transformer: GPT-2's architecture without biases, small enough for two cores.

Learned positions, pre-LayerNorm, GELU, four-fold feed-forward, untied head
(Radford et al. 2019; `GPT2LMHeadModel` in transformers computes the same, with its biases at zero).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Cache = list[
    tuple[Tensor, Tensor]
]  # per block: keys (batch, heads, head width, length), values (…, length, head width)


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

    def forward(self, x: Tensor, mask: Tensor, cache: tuple[Tensor, Tensor] | None, start: int) -> Tensor:
        """x: (batch, length, width) at positions start, start + 1, …; returns the same shape.

        mask: (length, padded length), added to the attention scores: 0, or -inf for later positions. cache: keys and
        values of the positions before, to which those of x are written; None: x starts at position 0.
        """
        batch, length, width = x.shape
        padded = mask.shape[1]
        qkv = self.attention_in(self.before_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        if cache is None:
            keys, values = F.pad(k, (0, 0, 0, padded - length)).mT, F.pad(v, (0, 0, 0, padded - length))
        else:
            cache[0][..., start : start + length] = k.mT
            cache[1][:, :, start : start + length] = v
            keys, values = cache[0][..., :padded], cache[1][:, :, :padded]
        y = (q * q.shape[-1] ** -0.5 @ keys + mask).softmax(-1) @ values
        x = x + self.attention_out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed_out(F.gelu(self.feed_in(self.before_feed(x))))  # type: ignore[no-any-return]


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

    def forward(self, tokens: Tensor, cache: Cache | None = None, start: int = 0) -> Tensor:
        """tokens: ids (batch, length); returns logits (batch, length, vocab_size).

        With a cache, the tokens are at positions start, start + 1, …, and attend to all cached positions before them;
        their own keys and values are added to it. Without one, start must be 0.
        """
        end = start + tokens.shape[1]
        x = self.tokens(tokens) + self.positions.weight[start:end]
        padded = min(_padded(end, 64), cache[0][1].shape[2]) if cache else _padded(end)
        mask = torch.full((end - start, padded), -torch.inf).triu(start + 1)
        for index, block in enumerate(self.blocks):
            x = block(x, mask, cache[index] if cache else None, start)
        return self.head(self.last(x))  # type: ignore[no-any-return]

    def cache(self, batch: int, length: int) -> Cache:
        """An empty cache for the keys and values of `length` tokens, padded to whole vectors."""
        heads, width, padded = self.size.heads, self.size.width // self.size.heads, _padded(length)
        shapes = (batch, heads, width, padded), (batch, heads, padded, width)
        return [(torch.zeros(shapes[0]), torch.zeros(shapes[1])) for _ in self.blocks]


def _padded(length: int, multiple: int = 16) -> int:
    """Keys are padded to whole vectors: a processor's softmax handles the remainder one by one."""
    return -(-length // multiple) * multiple
