"""How much two texts have in common: their longest common subsequence of words (ROUGE-L)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

# Where words are written without spaces between them, each character counts as one.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


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


class Told:
    """Texts that there are already, so that a new one can be compared with all of them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts: list[str] = []
        self.words: list[list[str]] = []
        self.holders: dict[tuple[str, int], list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        for word in _counted(words(text)):
            self.holders[word].append(len(self.texts))
        self.texts.append(text)
        self.words.append(words(text))

    def nearest(self, text: str, least: float) -> tuple[float, str]:
        """The text that this one is most like, with their ROUGE-L; (0, "") where none reaches `least`, above 0."""
        new = words(text)
        shared = Counter[int]()
        for word in _counted(new):
            shared.update(self.holders.get(word, ()))
        best, near = 0.0, ""
        for at, count in shared.items():
            if 2 * count >= least * (len(new) + len(self.words[at])):  # they have no more words in common than that
                found = rouge_l(new, self.words[at])
                if found >= least and found > best:
                    best, near = found, self.texts[at]
        return best, near


def _counted(these: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each word, and how often it stood there before."""
    seen = Counter[str]()
    for word in these:
        yield word, seen[word]
        seen[word] += 1
