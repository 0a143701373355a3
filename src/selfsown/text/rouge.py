"""How much two texts have in common: their longest common subsequence of words (ROUGE-L)."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from selfsown.text.normalize import unified, words

__all__ = ["Told", "alike_beyond_header", "pieces", "rouge_l", "words"]

HEADER = 13  # words; two texts that share more in whole sentences or lines, and half of themselves, share a header
BEYOND = 0.5  # ROUGE-L of what two texts say besides a header, from which on they are alike
COMMON = 10  # texts, from which on a piece that they all have is a form
_PIECES = re.compile(r"\n|(?<=[.!?;])\s|[。！？；{}<>\[\]]")
Piece = tuple[str, ...]  # words


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """ROUGE-L's F-measure of two lists of words: 0 for nothing in common, 1 for the same words in the same order."""
    if not one or not other:
        return float(one == other)
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    whole = row = (1 << len(one)) - 1  # a bit for each word, cleared once a subsequence reaches it (Hyyrö 2004)
    for word in other:
        met = row & places.get(word, 0)
        row = (row + met | row - met) & whole
    return 2 * (len(one) - row.bit_count()) / (len(one) + len(other))


def pieces(text: str) -> list[Piece]:
    """The words of each sentence or line."""
    return [tuple(found) for piece in _PIECES.split(unified(text)) if (found := words(piece))]


def alike_beyond_header(one: Sequence[Piece], other: Sequence[Piece]) -> bool:
    """Whether two texts are alike besides the sentences and lines that both have, where these are a header: over half
    of the texts, such as a list of tools. True where there is no header, or nothing besides it.
    """
    shared = Counter(one) & Counter(other)
    size = sum(len(piece) * count for piece, count in shared.items())
    if size < HEADER or 4 * size <= sum(map(len, one)) + sum(map(len, other)):
        return True
    first, second = ([word for piece in side if piece not in shared for word in piece] for side in (one, other))
    return not first or not second or rouge_l(first, second) >= BEYOND


class RougeIndex:
    """Texts that there are already, so that a new one can be compared with all of them: who is alike by `least` or more
    is found by its rarest words, of which some must be shared (a prefix filter, as in Bayardo et al. 2007). Two texts
    behind one header must be alike beyond it, too; so pieces that many texts have are no key to any of them."""

    def __init__(self, texts: Iterable[str] = (), least: float = 0.7) -> None:
        self.least, self.ordered = least, 0
        self.texts: list[str] = []
        self.words: list[list[str]] = []
        self.pieces: list[list[Piece]] = []
        self.tokens: list[frozenset[int]] = []
        self.common = Counter[Piece]()  # in how many texts each piece stands
        self.counts, self.rank = Counter[int](), dict[int, int]()
        self.holders: dict[int, list[int]] = defaultdict(list)
        self.numbers: dict[tuple[str, int], int] = {}
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        self.texts.append(text)
        self.words.append(words(text))
        self.pieces.append(pieces(text))
        self.common.update(set(self.pieces[-1]))
        self.tokens.append(frozenset(self._numbered(self.words[-1])))
        self.counts.update(self.tokens[-1])
        if len(self.texts) > 2 * self.ordered:  # what is rare has changed
            self.ordered, self.rank, self.holders = len(self.texts), dict(self.counts), defaultdict(list)
            for at in range(len(self.texts)):
                self._hold(at)
        else:
            self._hold(len(self.texts) - 1)

    def nearest(self, text: str) -> tuple[float, int]:
        """The place of the text that this one is most like, of equals the first, with their ROUGE-L; (0, -1) where
        none reaches `least`."""
        new, parts = words(text), pieces(text)
        tokens = frozenset(self._numbered(new))
        best, near = 0.0, -1
        for at in sorted({at for word in self._prefix(self._own(parts)) for at in self.holders.get(word, ())}):
            need = self.least * (len(new) + len(self.words[at])) / 2  # words in common
            if len(tokens & self.tokens[at]) >= need:
                found = rouge_l(new, self.words[at])
                if found >= self.least and found > best and alike_beyond_header(parts, self.pieces[at]):
                    best, near = found, at
        return best, near

    def _hold(self, at: int) -> None:
        for word in self._prefix(self._own(self.pieces[at])):
            self.holders[word].append(at)

    def _own(self, parts: Sequence[Piece]) -> frozenset[int]:
        """The words of the pieces that few texts have; all words where there are none."""
        few = [piece for piece in parts if self.common[piece] < COMMON]
        return frozenset(self._numbered([word for piece in few or parts for word in piece]))

    def _prefix(self, tokens: frozenset[int]) -> list[int]:
        """The rarest of the words: two texts that are alike enough share one of them, whatever their lengths."""
        shared = math.ceil(self.least / (2 - self.least) * len(tokens) - 1e-9)  # of two that are alike, at least
        return sorted(tokens, key=lambda word: (self.rank.get(word, 0), word))[: len(tokens) - max(shared, 1) + 1]

    def _numbered(self, these: Sequence[str]) -> Iterator[int]:
        """A number for each word and how often it stood there before."""
        seen = Counter[str]()
        for word in these:
            yield self.numbers.setdefault((word, seen[word]), len(self.numbers))
            seen[word] += 1
