"""One view of the rows' texts (whole rows, or answers alone) and the duplicate and diversity measures on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selfsown import progress
from selfsown.audit.scan import text_hash
from selfsown.audit.text_format import first_words
from selfsown.records import Row
from selfsown.signals.measures import Measure, has_rare_ngrams, rare_ngrams_lost, vendi_lost
from selfsown.signals.permutation_test import MeasureSpec
from selfsown.signals.reference import SHORT, ReferenceCorpus
from selfsown.text.near_duplicates import Array, duplicate_rate, near_duplicate_groups
from selfsown.text.normalize import normal

MIN_ROWS = 100  # per side; with fewer, nothing is compared
UNLIMITED_WORDS = 1_000_000
Rates = tuple[float, float]  # a share of the synthetic rows, and of the real rows


@dataclass(frozen=True)
class Tolerances:
    """The largest difference that raises no alarm, per check; all are fractions, log_odds is in units of log-odds."""

    tail_loss: float
    vendi_loss: float
    shift: float
    log_odds: float
    form_shift: float
    duplicates: float
    copies: float
    blank: float


@dataclass(frozen=True)
class TextView:
    """The texts of real rows and of as many synthetic rows, n each: whole rows or their answers.

    name: "rows" or "answers".
    reference: texts of the reference corpus, other real rows that define which n-grams are rare.
    texts: 2n texts, the real ones first.
    groups: (2n,) group of near duplicates of each text.
    in_reference: (2n,) whether the reference corpus has a near duplicate.
    copies_real: (2n,) whether another real row has the same text, or a sampled one nearly the same.
    """

    name: str
    reference: list[str]
    texts: list[str]
    groups: Array
    in_reference: Array
    copies_real: Array

    @classmethod
    def of(
        cls,
        name: str,
        text_of: Callable[[Row], str],
        reference: Sequence[Row],
        rows: Sequence[Row],
        other_real: Sequence[Row],
        real_hashes: Array,
    ) -> TextView:
        """rows: n real rows, then n synthetic ones; other_real: sampled real rows beyond these n; real_hashes: the text
        hashes of all real rows."""
        reference_texts = [text_of(row) for row in reference]
        texts = [text_of(row) for row in rows]
        with progress.step(f"looking for near-duplicate {name}"):
            all_groups = near_duplicate_groups([*texts, *reference_texts, *map(text_of, other_real)])
        n, end = len(texts) // 2, len(texts)
        groups = all_groups[:end]
        hashes = np.asarray([text_hash(normal(text)) for text in texts], np.uint64)
        near_copies = _is_copy(groups, np.concatenate([all_groups[:n], all_groups[end:]]))
        in_reference = np.isin(groups, all_groups[end : end + len(reference_texts)])
        filled = np.asarray([bool(text.strip()) for text in texts])  # a blank text copies nothing
        copies = (near_copies | _is_copy(hashes, real_hashes)) & filled
        return cls(name, reference_texts, texts, groups, in_reference, copies)

    @property
    def duplicated(self) -> Array:
        """(2n,) whether another text of the same side is a near duplicate."""
        flags = []
        for side in np.split(self.groups, 2):
            _, inverse, counts = np.unique(side, return_inverse=True, return_counts=True)
            flags.append(counts[inverse] > 1)
        return np.concatenate(flags)

    @property
    def max_words(self) -> int:
        """The number of words of each text that are compared: the smaller of the two median lengths; short texts are
        compared whole."""
        n = len(self.texts) // 2
        sides = (self.texts[:n], self.texts[n:])
        median = min(int(np.median([len(text.split()) for text in side])) for side in sides)
        return median if median >= SHORT else UNLIMITED_WORDS


def _is_copy(codes: Array, real_codes: Array) -> Array:
    """Whether a real row has the same code. The first half of `codes` are real rows, which need a second such row."""
    values, counts = np.unique(real_codes, return_counts=True)
    n = len(codes) // 2
    return np.concatenate([np.isin(codes[:n], values[counts > 1]), np.isin(codes[n:], values)])


def duplicate_measures(view: TextView, tolerances: Tolerances) -> dict[str, MeasureSpec]:
    """Growth of the shares of duplicates and of copies of real rows."""
    groups = view.groups

    def more_duplicates(before: Array, now: Array) -> float:
        return duplicate_rate(groups[now], len(now)) - duplicate_rate(groups[before], len(before))

    copies = rate_difference(view.copies_real)
    return {
        f"duplicate {view.name}": MeasureSpec(more_duplicates, "creativity", tolerances.duplicates, "points"),
        f"copies of real {view.name}": MeasureSpec(copies, "creativity", tolerances.copies, "points"),
    }


def diversity_measures(view: TextView, tolerances: Tolerances) -> tuple[dict[str, MeasureSpec], int]:
    """Loss of tails and of Vendi score, and the number of texts per side that they are measured on.

    A near duplicate of a reference row contains nearly all of its rare n-grams: one such copy in ten rows hides the
    loss of a fifth of the tails. So they are left out, on both sides. Where this leaves too few rows, rows are alike by
    nature, and all stay.
    """
    texts, n = np.asarray(view.texts, object), len(view.texts) // 2
    pairs = zip(np.split(texts, 2), np.split(view.in_reference, 2), strict=True)
    sides = [side[~in_reference] for side, in_reference in pairs]
    count = min(map(len, sides))
    if count < MIN_ROWS:
        sides, count = np.split(texts, 2), n
    corpus = ReferenceCorpus.of(first_words(view.reference, view.max_words))
    pool = first_words([text for side in sides for text in side[:count]], view.max_words)
    suffix = "" if view.name == "rows" else f" in {view.name}"
    measures = {}
    if has_rare_ngrams(corpus, pool[:count]):
        measures[f"tails lost{suffix}"] = MeasureSpec(
            rare_ngrams_lost(corpus, pool), "creativity", tolerances.tail_loss
        )
    measures[f"Vendi score lost{suffix}"] = MeasureSpec(vendi_lost(corpus, pool), "creativity", tolerances.vendi_loss)
    return measures, count


def rate_difference(flags: Array) -> Measure:
    """By how much the share of flagged rows is larger among the newer rows."""
    return lambda before, now: float(flags[now].mean() - flags[before].mean())


def side_rates(flags: Array) -> Rates:
    """The shares of flagged synthetic and of flagged real rows; the first half of the flags are the real rows."""
    real, synthetic = np.split(flags, 2)
    return float(synthetic.mean()), float(real.mean())
