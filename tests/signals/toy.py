"""A world of texts whose truth is known: three groups of people, thirty topics, words that follow words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

GROUPS, SHARES = "abc", (0.6, 0.3, 0.1)
WORDS, TOPICS, LENGTH = 300, 30, 24


@dataclass
class Toy:
    """Chains over words, one for each topic; each group has topics of its own that it speaks of more."""

    seed: int = 0
    shares: tuple[float, ...] = SHARES
    topics: np.ndarray = field(init=False)
    first: np.ndarray = field(init=False)
    chains: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        popular = 1 / np.arange(1, WORDS + 1)
        self.topics = rng.dirichlet(np.full(TOPICS, 0.3), len(GROUPS)).cumsum(1)
        said = rng.dirichlet(popular * 10, TOPICS) + 1e-4  # each topic has words of its own
        self.first = said.cumsum(1)
        mixed = rng.gamma(np.broadcast_to(20 * said[:, None], (TOPICS, WORDS, WORDS))) + 1e-9
        self.chains = (mixed / mixed.sum(2, keepdims=True)).cumsum(2)

    def write(self, count: int, seed: int) -> tuple[list[str], list[str]]:
        """So many texts, and the group of each."""
        rng = np.random.default_rng((self.seed, seed))
        groups = rng.choice(len(GROUPS), count, p=self.shares)
        topics = _drawn(self.topics[groups], rng)
        words = [_drawn(self.first[topics], rng)]
        for _ in range(LENGTH - 1):
            words.append(_drawn(self.chains[topics, words[-1]], rng))
        texts = [" ".join(f"w{word}" for word in line) for line in np.stack(words, 1)]
        return texts, [GROUPS[group] for group in groups]


def _drawn(cumulated: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.random((len(cumulated), 1)) * cumulated[:, -1:]
    return (cumulated < drawn).sum(1).clip(max=cumulated.shape[1] - 1)
