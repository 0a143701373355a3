"""Documents whose true distribution is known: three groups of authors, thirty topics, words that follow words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GROUPS, GROUP_SHARES = "abc", (0.6, 0.3, 0.1)
VOCABULARY_SIZE, TOPICS, WORDS_PER_DOCUMENT = 300, 30, 24


@dataclass
class ToyDocuments:
    """A Markov chain over words for each topic; each group prefers topics of its own.

    topics: (groups, topics), first: (topics, words), chains: (topics, words, words); all cumulated over the last axis.
    """

    seed: int = 0
    shares: tuple[float, ...] = GROUP_SHARES
    topics: Floats = field(init=False)
    first: Floats = field(init=False)
    chains: Floats = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        popularity = 1 / np.arange(1, VOCABULARY_SIZE + 1)
        self.topics = rng.dirichlet(np.full(TOPICS, 0.3), len(GROUPS)).cumsum(1)
        words = rng.dirichlet(popularity * 10, TOPICS) + 1e-4  # each topic has words of its own
        self.first = words.cumsum(1)
        shape = (TOPICS, VOCABULARY_SIZE, VOCABULARY_SIZE)
        mixed = rng.gamma(np.broadcast_to(20 * words[:, None], shape)) + 1e-9
        self.chains = (mixed / mixed.sum(2, keepdims=True)).cumsum(2)

    def write(self, count: int, seed: int) -> tuple[list[str], list[str]]:
        """That many texts, and the group of each."""
        rng = np.random.default_rng((self.seed, seed))
        groups = rng.choice(len(GROUPS), count, p=self.shares)
        topics = draw_columns(self.topics[groups], rng)
        words = [draw_columns(self.first[topics], rng)]
        for _ in range(WORDS_PER_DOCUMENT - 1):
            words.append(draw_columns(self.chains[topics, words[-1]], rng))
        texts = [" ".join(f"w{word}" for word in document) for document in np.stack(words, 1)]
        return texts, [GROUPS[group] for group in groups]


def draw_columns(cumulated: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """A column of each row, by its cumulated weights: (rows, columns) -> (rows,)."""
    drawn = rng.random((len(cumulated), 1)) * cumulated[:, -1:]
    columns: NDArray[np.intp] = (cumulated < drawn).sum(1).clip(max=cumulated.shape[1] - 1)
    return columns
