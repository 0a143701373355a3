"""What one set of texts says more often than the other, by log-odds with a prior (Monroe, Colaresi and Quinn 2008)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.text.normalize import words

MOST = 20
SURE = 4.0  # standard errors


@dataclass(frozen=True)
class Phrase:
    """Words that synthetic texts say more often: in how many of them, in how many real ones, an example and its row."""

    words: str
    synthetic: int
    real: int
    sure: float
    example: str
    row: int


def overused(synthetic: Sequence[str], real: Sequence[str], numbers: Sequence[int]) -> list[Phrase]:
    """The phrases of one to three words whose log-odds differ by the most standard errors; texts are counted once.
    numbers: which row each synthetic text is."""
    ours, theirs = _counts(synthetic), _counts(real)
    prior = ours + theirs
    n, m, whole = sum(ours.values()), sum(theirs.values()), sum(prior.values())
    found = []
    for phrase, count in ours.items():
        other, weight = theirs[phrase], 1000 * prior[phrase] / (whole + 1)  # below 1000, even of the only phrase
        one = math.log((count + weight) / (n + 1000 - count - weight))
        two = math.log((other + weight) / (m + 1000 - other - weight))
        sure = (one - two) / math.sqrt(1 / (count + weight) + 1 / (other + weight))
        if sure > SURE:
            found.append((sure, phrase))
    best, kept = sorted(found, reverse=True), list[tuple[float, str]]()
    for sure, phrase in best:
        if len(kept) < MOST and not any(_within(phrase, other) or _within(other, phrase) for _, other in kept):
            kept.append((sure, phrase))
    plain = [" ".join(words(text)) for text in synthetic]
    places = {phrase: _where(plain, phrase) for _, phrase in kept}
    return [
        Phrase(phrase, ours[phrase], theirs[phrase], sure, synthetic[places[phrase]], numbers[places[phrase]])
        for sure, phrase in kept
    ]


def _counts(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each phrase stands; those that stand in one alone are left out."""
    counts: Counter[str] = Counter()
    for text in texts:
        said = words(text)
        counts.update({" ".join(said[at : at + n]) for n in (1, 2, 3) for at in range(len(said) - n + 1)})
    return Counter({phrase: count for phrase, count in counts.items() if count > 1})


def _where(plain: Sequence[str], phrase: str) -> int:
    return next((at for at, text in enumerate(plain) if _within(phrase, text)), 0)


def _within(phrase: str, text: str) -> bool:
    """Whether whole words of the text are these."""
    return f" {phrase} " in f" {text} "
