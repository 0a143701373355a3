"""Phrases that one set of texts overuses: log-odds with an informative prior (Monroe, Colaresi and Quinn 2008)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.text.normalize import words

MAX_PHRASES = 20
MIN_Z_SCORE = 4.0
MAX_PHRASE_WORDS = 3
PRIOR_TEXTS = 1000  # total weight of the prior


@dataclass(frozen=True)
class Phrase:
    """A phrase that synthetic texts overuse.

    synthetic, real: number of texts that contain it; z_score: its log-odds ratio in standard errors; example: a
    synthetic text that contains it; row: that text's row number.
    """

    words: str
    synthetic: int
    real: int
    z_score: float
    example: str
    row: int


def overused(synthetic: Sequence[str], real: Sequence[str], row_numbers: Sequence[int]) -> list[Phrase]:
    """The most overused phrases of one to three words, by z-score; each text counts once per phrase.

    row_numbers: the row number of each synthetic text.
    """
    counts, real_counts = _text_counts(synthetic), _text_counts(real)
    scored = sorted(_scored(counts, real_counts), reverse=True)
    kept = list[tuple[float, str]]()
    for z_score, phrase in scored:
        if len(kept) < MAX_PHRASES and not any(_nested(phrase, other) for _, other in kept):
            kept.append((z_score, phrase))
    normalized = [" ".join(words(text)) for text in synthetic]
    examples = {phrase: _first_with(normalized, phrase) for _, phrase in kept}
    return [
        Phrase(
            phrase,
            counts[phrase],
            real_counts[phrase],
            z_score,
            synthetic[examples[phrase]],
            row_numbers[examples[phrase]],
        )
        for z_score, phrase in kept
    ]


def _scored(counts: Counter[str], real_counts: Counter[str]) -> list[tuple[float, str]]:
    prior = counts + real_counts
    n, n_real, n_prior = counts.total(), real_counts.total(), prior.total()
    scored = []
    for phrase, count in counts.items():
        real = real_counts[phrase]
        weight = PRIOR_TEXTS * prior[phrase] / (n_prior + 1)  # below PRIOR_TEXTS, even of the only phrase
        log_odds = math.log((count + weight) / (n + PRIOR_TEXTS - count - weight))
        real_log_odds = math.log((real + weight) / (n_real + PRIOR_TEXTS - real - weight))
        z_score = (log_odds - real_log_odds) / math.sqrt(1 / (count + weight) + 1 / (real + weight))
        if z_score > MIN_Z_SCORE:
            scored.append((z_score, phrase))
    return scored


def _text_counts(texts: Sequence[str]) -> Counter[str]:
    """The number of texts that contain each phrase; phrases of a single text are left out."""
    counts: Counter[str] = Counter()
    for text in texts:
        tokens = words(text)
        counts.update(
            {
                " ".join(tokens[start : start + length])
                for length in range(1, MAX_PHRASE_WORDS + 1)
                for start in range(len(tokens) - length + 1)
            }
        )
    return Counter({phrase: count for phrase, count in counts.items() if count > 1})


def _first_with(texts: Sequence[str], phrase: str) -> int:
    return next((index for index, text in enumerate(texts) if _contains(text, phrase)), 0)


def _nested(one: str, other: str) -> bool:
    return _contains(one, other) or _contains(other, one)


def _contains(text: str, phrase: str) -> bool:
    """Whether the phrase occurs in the text as whole words."""
    return f" {phrase} " in f" {text} "
