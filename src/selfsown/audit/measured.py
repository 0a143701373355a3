"""The audit: what differs between synthetic and real rows by more than chance and than is borne.

Real rows are parted into an anchor, which says what is rare and where things lie, and a reference, which is compared
with as many synthetic rows. Whether a difference is chance is said by exchanging whole rows between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selfsown.audit.copies import groups, repeated
from selfsown.audit.examined import Examination
from selfsown.audit.form import bins, cut, form
from selfsown.audit.phrases import Phrase, overused
from selfsown.audit.reading import Side, hashed, words_of
from selfsown.records import Row, SelfsownError, Signal
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.drift import Wanted, drift, holm
from selfsown.signals.measures import major, measurable, odds, tails, variation, vendi
from selfsown.signals.pool import SHORT, Anchor
from selfsown.text import normal

Array = np.ndarray[Any, np.dtype[Any]]
LEAST = 100  # rows on either side, under which nothing is said


@dataclass(frozen=True)
class Borne:
    """How much of each difference is borne: of rare n-grams, of the Vendi score, in total variation of an attribute,
    of its log-odds, in total variation of lengths and of forms, and in points of repeated rows."""

    tails: float = 0.1
    vendi: float = 0.1
    shift: float = 0.05
    odds: float = 0.2
    form: float = 0.1
    repeats: float = 0.02


@dataclass(frozen=True)
class Group:
    """Rows of the sample that say the same, or nearly: how many, and one of them."""

    rows: int
    text: str


@dataclass(frozen=True)
class Audit:
    """What was found. repeats and copies are exact, over all rows: the shares of synthetic, and of real rows, that
    another of as many rows says too, and the share of synthetic rows that a real row says; shares: of each
    attribute its values' shares, synthetic and real; lengths: of all rows the middle ones, in characters."""

    synthetic: Side
    real: Side
    signals: tuple[Signal, ...]
    repeats: tuple[float, float]
    copies: float
    lengths: tuple[float, float]
    shares: Mapping[str, Mapping[str, tuple[float, float]]]
    examination: Examination | None
    near: tuple[Group, ...]
    copied: tuple[str, ...]
    phrases: tuple[Phrase, ...]
    cut: int

    @property
    def few(self) -> bool:
        """Whether there are too few rows to compare anything."""
        return not self.signals

    @property
    def tailless(self) -> bool:
        """Whether other real rows say too little of what is rare again, for a loss of it to be seen."""
        return bool(self.signals) and all(each.name != "tails lost" for each in self.signals)

    @property
    def alarms(self) -> list[Signal]:
        return [each for each in self.signals if each.fires]

    @property
    def blind(self) -> list[tuple[Signal, int]]:
        """Signals that would miss what is not borne, and how many rows on either side they would need."""
        weak = [each for each in self.signals if each.least > each.tolerance]
        return [(each, int(each.n * (each.least / each.tolerance) ** 2) + 1) for each in weak]


def audit(
    synthetic: Side, real: Side, attributes: Attributes, examination: Examination | None, borne: Borne, seed: int = 0
) -> Audit:
    """Compare what was read of the two."""
    parts = [row for row in real.sample if words_of(row).strip()]
    anchor, reference = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    many = min(len(reference), len(synthetic.sample))
    ours, theirs = synthetic.sample[:many], reference[:many]
    signals, length, codes = list[Signal](), 0, np.zeros(0)
    if many >= LEAST:
        texts = [words_of(row) for row in (*theirs, *ours)]
        length = _length(texts[:many], texts[many:])
        codes = groups(texts)
        rest = _forms(texts, codes, borne) | _attributes([*theirs, *ours], anchor, attributes, borne)
        varied, n = _varied([words_of(row) for row in anchor], texts, length, borne)
        signals = holm(
            [
                *drift(varied, n, n, seed, beside=len(rest)),
                *drift(rest, many, many, seed, beside=len(varied)),
            ]
        )
    same = min(synthetic.rows, real.rows)
    copied = np.isin(synthetic.hashes, real.hashes)
    there = set(real.hashes[np.isin(real.hashes, synthetic.hashes)].tolist())
    return Audit(
        synthetic,
        real,
        tuple(signals),
        (repeated(synthetic.hashes, same), repeated(real.hashes, same)),
        float(copied.mean()) if len(copied) else 0.0,
        (_middle(synthetic), _middle(real)),
        {name: _shares(name, attributes, ours, theirs) for name in attributes},
        examination,
        _near(codes[many:], ours) if len(codes) else (),
        _copied(ours, there),
        tuple(overused([words_of(row) for row in ours], [words_of(row) for row in theirs])) if many >= LEAST else (),
        length,
    )


def _length(real: Sequence[str], synthetic: Sequence[str]) -> int:
    """How many words of each text are compared: the smaller of the middle lengths, or all where texts are short."""
    middle = min(int(np.median([len(text.split()) for text in side])) for side in (real, synthetic))
    return middle if middle >= SHORT else 1_000_000


def _varied(anchor: Sequence[str], texts: Sequence[str], length: int, borne: Borne) -> tuple[dict[str, Wanted], int]:
    """Tails and Vendi score over the texts, of which the first half is real, and how many of either side they are over.

    A copy of the anchor's row has all that is rare in it, and a tenth of such copies hides that a fifth of the tails is
    lost. So they are left out, of real rows too; but where few others are left, rows are alike by nature, and all stay.
    """
    held, half = {normal(text) for text in anchor}, len(texts) // 2
    sides = [[text for text in side if normal(text) not in held] for side in (texts[:half], texts[half:])]
    n = min(map(len, sides))
    if n < LEAST:
        sides, n = [list(texts[:half]), list(texts[half:])], half
    known, pool = Anchor.of(cut(anchor, length)), cut([text for side in sides for text in side[:n]], length)
    found = {"Vendi score lost": Wanted(vendi(known, pool), "creativity", borne.vendi)}
    if measurable(known, pool[:n]):
        found = {"tails lost": Wanted(tails(known, pool), "creativity", borne.tails)} | found
    return found, n


def _forms(texts: Sequence[str], codes: Array, borne: Borne) -> dict[str, Wanted]:
    lengths = [len(text) for text in texts]
    return {
        "repeated rows": Wanted(
            lambda before, now: repeated(codes[now], len(now)) - repeated(codes[before], len(before)),
            "creativity",
            borne.repeats,
            "points",
        ),
        "shift of length": Wanted(variation(bins(lengths, lengths[: len(lengths) // 2])), "form", borne.form, "points"),
        "shift of form": Wanted(variation([form(text) for text in texts]), "form", borne.form, "points"),
    }


def _attributes(rows: Sequence[Row], anchor: Sequence[Row], attributes: Attributes, borne: Borne) -> dict[str, Wanted]:
    """The most common value is the anchor's: among rows that are compared it would be the one that chance favours."""
    found = dict[str, Wanted]()
    for name in attributes:
        values = valued(rows, name, attributes)
        if set(values[: len(rows) // 2]) == {NONE}:
            raise SelfsownError(f"attribute {name}: no real row shows it; name a column, or words in a lexicon")
        most = major(valued(anchor, name, attributes))
        found[f"shift of {name}"] = Wanted(variation(values), "bias", borne.shift, "points")
        found[f"log-odds of {name}={most}"] = Wanted(odds(values, most), "bias", borne.odds, "of log-odds")
    return found


def _shares(
    name: str, attributes: Attributes, ours: Sequence[Row], theirs: Sequence[Row]
) -> dict[str, tuple[float, float]]:
    one, two = valued(ours, name, attributes), valued(theirs, name, attributes)
    return {
        value: (one.count(value) / max(1, len(one)), two.count(value) / max(1, len(two)))
        for value in sorted({*one, *two})
    }


def _middle(side: Side) -> float:
    return float(np.median(side.lengths)) if side.rows else 0.0


def _near(codes: Array, rows: Sequence[Row]) -> tuple[Group, ...]:
    """The largest groups of synthetic rows that say nearly the same."""
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:10]
    return tuple(Group(int(counts[at]), words_of(rows[first[at]])) for at in order if counts[at] > 1)


def _copied(rows: Sequence[Row], there: set[int]) -> tuple[str, ...]:
    """The first synthetic rows of the sample that a real row says."""
    found = (words_of(row) for row in rows if hashed(normal(words_of(row))) in there)
    return tuple(text for text, _ in zip(found, range(10), strict=False))
