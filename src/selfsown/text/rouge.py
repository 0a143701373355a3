"""Similarity of two texts by their longest common subsequence of words (ROUGE-L)."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from selfsown.text.normalize import unified, words

__all__ = ["RougeIndex", "alike_beyond_header", "pieces", "rouge_l", "words"]

MIN_HEADER_WORDS = 13  # of shared sentences or lines; they are a header if they are half of both texts, too
MIN_SIMILARITY_BEYOND = 0.5  # ROUGE-L of two texts without their shared header, from which on they are alike
BOILERPLATE_TEXTS = 10  # from this many texts on, a piece that they share is boilerplate
_PIECES = re.compile(r"\n|(?<=[.!?;])\s|[。！？；{}<>\[\]]")
Piece = tuple[str, ...]  # the words of a sentence or line


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """ROUGE-L's F-measure of two lists of words: 0 for nothing in common, 1 for the same words in the same order."""
    if not one or not other:
        return float(one == other)
    positions: dict[str, int] = {}
    for index, word in enumerate(one):
        positions[word] = positions.get(word, 0) | 1 << index
    full = row = (1 << len(one)) - 1  # a bit for each word, cleared once a subsequence reaches it (Hyyrö 2004)
    for word in other:
        matched = row & positions.get(word, 0)
        row = (row + matched | row - matched) & full
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def pieces(text: str) -> list[Piece]:
    """The words of each sentence or line."""
    return [tuple(tokens) for part in _PIECES.split(unified(text)) if (tokens := words(part))]


def share_a_piece(one: str, other: str) -> bool:
    """Whether two texts may have a sentence or line in common; quicker than their pieces."""
    return not set(_PIECES.split(one.lower())).isdisjoint(part for part in _PIECES.split(other.lower()) if part)


def alike_beyond_header(one: Sequence[Piece], other: Sequence[Piece]) -> bool:
    """Whether two texts are alike apart from a shared header.

    A header is the sentences and lines that both have, if these are over half of the texts, such as a list of tools.
    True if there is no header, or if one text is nothing but it.
    """
    shared = Counter(one) & Counter(other)
    size = sum(len(piece) * count for piece, count in shared.items())
    if size < MIN_HEADER_WORDS or 4 * size <= sum(map(len, one)) + sum(map(len, other)):
        return True
    first, second = ([word for piece in side if piece not in shared for word in piece] for side in (one, other))
    return not first or not second or rouge_l(first, second) >= MIN_SIMILARITY_BEYOND


class RougeIndex:
    """Texts that a new text can be compared with quickly.

    Texts with a ROUGE-L of `min_similarity` or more are found by their rarest words, some of which they must share (a
    prefix filter, as in Bayardo et al. 2007). Two texts behind one header must also be alike beyond it, so boilerplate
    pieces are not indexed.
    """

    def __init__(self, texts: Iterable[str] = (), min_similarity: float = 0.7) -> None:
        self.min_similarity = min_similarity
        self.texts: list[str] = []
        self.words: list[list[str]] = []
        self.pieces: list[list[Piece]] = []
        self.tokens: list[frozenset[int]] = []
        self.piece_counts = Counter[Piece]()  # number of texts that contain each piece
        self.token_counts = Counter[int]()
        self.rank: dict[int, int] = {}  # token counts when the index was last built
        self.ranked_texts = 0  # number of texts then
        self.postings: dict[int, list[int]] = defaultdict(list)  # token -> texts
        self.token_numbers: dict[tuple[str, int], int] = {}
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Add a text to the index."""
        self.texts.append(text)
        self.words.append(words(text))
        self.pieces.append(pieces(text))
        self.piece_counts.update(set(self.pieces[-1]))
        self.tokens.append(frozenset(self._numbered(self.words[-1])))
        self.token_counts.update(self.tokens[-1])
        if len(self.texts) > 2 * self.ranked_texts:  # which words are rare has changed
            self.ranked_texts = len(self.texts)
            self.rank = dict(self.token_counts)
            self.postings = defaultdict(list)
            for index in range(len(self.texts)):
                self._post(index)
        else:
            self._post(len(self.texts) - 1)

    def nearest(self, text: str) -> tuple[float, int]:
        """The highest ROUGE-L and the index of the first text with it; (0, -1) if none reaches `min_similarity`."""
        new, parts = words(text), pieces(text)
        tokens = frozenset(self._numbered(new))
        best, nearest = 0.0, -1
        candidates = {
            index for token in self._prefix(self._distinctive(parts)) for index in self.postings.get(token, ())
        }
        for index in sorted(candidates):
            shared_words = self.min_similarity * (len(new) + len(self.words[index])) / 2  # needed at least
            if len(tokens & self.tokens[index]) >= shared_words:
                score = rouge_l(new, self.words[index])
                if score >= self.min_similarity and score > best and alike_beyond_header(parts, self.pieces[index]):
                    best, nearest = score, index
        return best, nearest

    def _post(self, index: int) -> None:
        for token in self._prefix(self._distinctive(self.pieces[index])):
            self.postings[token].append(index)

    def _distinctive(self, parts: Sequence[Piece]) -> frozenset[int]:
        """The words of all pieces that are not boilerplate; all words if there are none."""
        rare = [piece for piece in parts if self.piece_counts[piece] < BOILERPLATE_TEXTS]
        return frozenset(self._numbered([word for piece in rare or parts for word in piece]))

    def _prefix(self, tokens: frozenset[int]) -> list[int]:
        """The rarest words: two texts that are alike enough share one of them, whatever their lengths."""
        shared = math.ceil(self.min_similarity / (2 - self.min_similarity) * len(tokens) - 1e-9)  # of two alike texts
        by_rarity = sorted(tokens, key=lambda token: (self.rank.get(token, 0), token))
        return by_rarity[: len(tokens) - max(shared, 1) + 1]

    def _numbered(self, tokens: Sequence[str]) -> Iterator[int]:
        """A number for each word together with how often it occurred before."""
        seen = Counter[str]()
        for word in tokens:
            yield self.token_numbers.setdefault((word, seen[word]), len(self.token_numbers))
            seen[word] += 1
