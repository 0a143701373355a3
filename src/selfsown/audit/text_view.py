"""What rows say, all of it or their answers alone, and how it is held against what real rows say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from selfsown.audit.near_duplicates import Array, groups, repeated
from selfsown.audit.scan import hashed
from selfsown.audit.text_format import cut
from selfsown.records import Row
from selfsown.signals.measures import Measure, has_rare_ngrams, rare_ngrams_lost, vendi_lost
from selfsown.signals.permutation_test import MeasureSpec
from selfsown.signals.reference import SHORT, ReferenceCorpus
from selfsown.text.normalize import normal

LEAST = 100  # rows on either side, under which nothing is said


@dataclass(frozen=True)
class Borne:
    """How much of each difference is borne: of rare n-grams, of the Vendi score, in total variation of an attribute,
    of its log-odds, in total variation of lengths and of forms, and in points of repeated, copied and blank rows."""

    tails: float
    vendi: float
    shift: float
    odds: float
    form: float
    repeats: float
    copies: float
    blank: float


@dataclass(frozen=True)
class Facet:
    """Of one thing that rows say (`rows`, `answers`): the anchor's texts; texts of the reference, then of as many
    synthetic rows; of each of these the number of its group; whether a row of the anchor says nearly the same; and
    whether a real row is known that does, or any that says exactly the same."""

    name: str
    anchor: list[str]
    texts: list[str]
    codes: Array
    held: Array
    copied: Array

    @classmethod
    def of(
        cls,
        name: str,
        say: Callable[[Row], str],
        anchor: Sequence[Row],
        rows: Sequence[Row],
        more: Sequence[Row],
        real: Array,
    ) -> Facet:
        """rows: of the reference, then as many synthetic ones; more: other rows of the reference; real: eight bytes of
        what each of all real rows says."""
        known, texts = [say(row) for row in anchor], [say(row) for row in rows]
        codes = groups([*texts, *known, *map(say, more)])
        own, half = codes[: len(texts)], len(texts) // 2
        said = np.asarray([hashed(normal(text)) for text in texts], np.uint64)
        nearly = _copied(own, np.concatenate([codes[:half], codes[len(texts) :]]))
        held = np.isin(own, codes[len(texts) : len(texts) + len(known)])
        return cls(name, known, texts, own, held, nearly | _copied(said, real))

    @property
    def repeated(self) -> Array:
        """Whether another row of the same side says nearly the same."""
        found = []
        for side in np.split(self.codes, 2):
            _, back, counts = np.unique(side, return_inverse=True, return_counts=True)
            found.append(counts[back] > 1)
        return np.concatenate(found)

    @property
    def length(self) -> int:
        """How many words of each text are compared: the smaller of the middle lengths, or all of short texts."""
        half = len(self.texts) // 2
        sides = (self.texts[:half], self.texts[half:])
        middle = min(int(np.median([len(text.split()) for text in side])) for side in sides)
        return middle if middle >= SHORT else 1_000_000


def _copied(said: Array, real: Array) -> Array:
    """Whether a real row says the same; of the first half, which are real rows themselves, another one."""
    values, counts = np.unique(real, return_counts=True)
    half = len(said) // 2
    return np.concatenate([np.isin(said[:half], values[counts > 1]), np.isin(said[half:], values)])


def again(facet: Facet, borne: Borne) -> dict[str, MeasureSpec]:
    """Whether more of it is said again: by another row of the same side, and by real rows."""
    codes = facet.codes

    def repeats(before: Array, now: Array) -> float:
        return repeated(codes[now], len(now)) - repeated(codes[before], len(before))

    return {
        f"repeated {facet.name}": MeasureSpec(repeats, "creativity", borne.repeats, "points"),
        f"copies of real {facet.name}": MeasureSpec(more(facet.copied), "creativity", borne.copies, "points"),
    }


def varied(facet: Facet, borne: Borne) -> tuple[dict[str, MeasureSpec], int]:
    """Tails and Vendi score, and how many texts of either side they are over.

    What nearly repeats a row of the anchor has nearly all that is rare in it, and a tenth of such copies hides that a
    fifth of the tails is lost. So they are left out, of real rows too; but where few others are left, rows are alike by
    nature, and all stay."""
    texts, half = np.asarray(facet.texts, object), len(facet.texts) // 2
    sides = [part[~held] for part, held in zip(np.split(texts, 2), np.split(facet.held, 2), strict=True)]
    n = min(map(len, sides))
    if n < LEAST:
        sides, n = np.split(texts, 2), half
    known = ReferenceCorpus.of(cut(facet.anchor, facet.length))
    pool = cut([text for side in sides for text in side[:n]], facet.length)
    where = "" if facet.name == "rows" else f" in {facet.name}"
    found = {f"Vendi score lost{where}": MeasureSpec(vendi_lost(known, pool), "creativity", borne.vendi)}
    if has_rare_ngrams(known, pool[:n]):
        found = {f"tails lost{where}": MeasureSpec(rare_ngrams_lost(known, pool), "creativity", borne.tails)} | found
    return found, n


def more(flags: Array) -> Measure:
    """How many points more of the newer rows are so."""
    return lambda before, now: float(flags[now].mean() - flags[before].mean())


def sides(flags: Array) -> tuple[float, float]:
    """The shares of synthetic and of real rows that are so; the second half are the synthetic ones."""
    real, synthetic = np.split(flags, 2)
    return float(synthetic.mean()), float(real.mean())
