"""Texts that grow by one token at a time, of which those that begin alike are computed once.

Problems that a model proposes begin with one of a few openings, and samples for one prompt with that prompt. Until such
texts differ, they share their keys and values, and a row of every product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from selfsown.models.tiny.transformer import Network


class Beginnings:
    """The distinct beginnings of some texts, and what the network makes of them.

    tokens: ids (texts, length), all of one length. end: the most tokens of a text.

    logits: of the next token (beginnings, vocab_size). of: the index of each text's beginning. shared: whether texts
    may have one in common; if not, beginnings are in the order of the texts.
    """

    def __init__(self, network: Network, tokens: Tensor, end: int) -> None:
        self.network, self.position, self.shared = network, tokens.shape[1], True
        distinct, self.of = torch.unique(tokens, dim=0, return_inverse=True)
        self.cache = network.cache(len(distinct), end)
        self.logits: Tensor = network(distinct, self.cache)[:, -1]

    def append(self, new: Tensor) -> None:
        """Add a token to each text: new (texts,)."""
        if self.shared:
            parents, new = self._distinct(new)
            self._select(parents)
        self.logits = self.network.following(new, self.cache, self.position)
        self.position += 1

    def keep(self, left: Tensor) -> None:
        """Only these texts go on: left (texts,), true or false. `append` comes next."""
        self.of = self.of[left]
        if not self.shared:  # otherwise `append` selects beginnings in any case
            self._select(self.of)
            self.of = torch.arange(len(self.of))

    def _distinct(self, new: Tensor) -> tuple[Tensor, Tensor]:
        """The parent and the last token of each distinct beginning that is one token longer."""
        vocabulary = self.logits.shape[1]
        pairs, of = torch.unique(self.of * vocabulary + new, return_inverse=True)
        self.shared = len(pairs) < len(new)
        if self.shared:
            self.of = of
            return pairs // vocabulary, pairs % vocabulary
        parents, self.of = self.of, torch.arange(len(new))
        return parents, new

    def _select(self, chosen: Tensor) -> None:
        """Put the keys and values of these beginnings in the places of all."""
        count = self.cache[0].shape[2]
        if len(chosen) == count and torch.equal(chosen, torch.arange(count)):
            return
        for index, old in enumerate(self.cache):
            new = torch.empty(*old.shape[:2], len(chosen))
            written = slice(self.position)  # two dimensions: index_select takes six times as long with three
            torch.index_select(old[written].flatten(0, 1), 1, chosen, out=new[written].flatten(0, 1))
            self.cache[index] = new
