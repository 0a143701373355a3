"""The audit: what differs between synthetic and real rows by more than chance and than is borne.

Real rows are parted into an anchor, which says what is rare and where things lie, and a reference, which is compared
with as many synthetic rows. Whether a difference is chance is said by exchanging whole rows between the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from selfsown.audit.attributes import Shares, shares, shifted, shown, tenths
from selfsown.audit.contamination import Examination
from selfsown.audit.near_duplicates import Array, repeated
from selfsown.audit.overused_phrases import Phrase, overused
from selfsown.audit.scan import Side, answer_of, blank, number, words_of
from selfsown.audit.text_format import bins, form
from selfsown.audit.text_view import LEAST, Borne, Facet, again, more, sides, varied
from selfsown.records import Row, Signal
from selfsown.signals.attributes import Attributes
from selfsown.signals.measures import shift
from selfsown.signals.permutation_test import MeasureSpec, drift, with_significance
from selfsown.stats.multiple_testing import ALPHA
from selfsown.stats.student_t import POWER_Z
from selfsown.text.normalize import unified

Pool = tuple[dict[str, MeasureSpec], int]  # measures of a pool, and of how many rows of either side it is
EXAMPLES = 10


@dataclass(frozen=True)
class Group:
    """Rows of the sample that say the same, or nearly: how many, where the first of them stand, and one of them."""

    rows: int
    numbers: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Audit:
    """What was found. compared: rows of the sample on either side; repeats and copies: exact, over all rows, the shares
    of synthetic, and of real rows, that another of as many rows says too, and the share of synthetic rows that a real
    row says; lengths: of all rows the middle ones, in characters; so: the shares of synthetic, and of real rows of the
    sample, for signals that are of such shares; shares: of each attribute its values'; forms: likewise; tenths:
    attributes that are numbers; near, copied: examples; cuts: how many words of rows, of answers are compared."""

    synthetic: Side
    real: Side
    compared: int
    repeats: tuple[float, float]
    copies: float
    lengths: tuple[float, float]
    examination: Examination | None
    signals: tuple[Signal, ...] = ()
    so: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    shares: Mapping[str, Shares] = field(default_factory=dict)
    forms: Shares = field(default_factory=dict)
    tenths: tuple[str, ...] = ()
    near: tuple[Group, ...] = ()
    copied: tuple[Group, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    cuts: tuple[int, ...] = ()

    @property
    def few(self) -> bool:
        """Whether there are too few rows to compare what they say."""
        return self.compared < LEAST

    @property
    def tailless(self) -> bool:
        """Whether other real rows say too little of what is rare again, for a loss of it to be seen."""
        return not self.few and not any(each.name.startswith("tails lost") for each in self.signals)

    @property
    def alarms(self) -> list[Signal]:
        return [each for each in self.signals if each.is_alarm]

    @property
    def same(self) -> bool:
        """Whether both data sets hold the same rows, so that nothing can differ."""
        return self.copies > 0 and np.array_equal(np.sort(self.synthetic.hashes), np.sort(self.real.hashes))

    @property
    def unmeasured(self) -> list[Signal]:
        """Signals of which nothing came out, so that they can neither alarm nor clear."""
        return [each for each in self.signals if not (math.isfinite(each.value) and math.isfinite(each.mde))]

    @property
    def conclusive(self) -> bool:
        """Whether all that was asked has been looked at, so that the absence of an alarm means something."""
        searched = not (self.examination and self.examination.unsearchable)
        return searched and not (self.few or self.same or self.tailless or self.blind or self.unmeasured)

    @property
    def blind(self) -> list[tuple[Signal, int]]:
        """Signals that would miss what is not borne, and how many compared rows on either side they would need."""
        weak = [e for e in self.signals if e.mde > e.tolerance and not e.is_alarm and e not in self.unmeasured]
        return [(each, int(self.compared * (each.mde / each.tolerance) ** 2) + 1) for each in weak]


def audit(
    synthetic: Side, real: Side, attributes: Attributes, examination: Examination | None, borne: Borne, seed: int = 0
) -> Audit:
    """Compare what was read of the two."""
    theirs, ours, binned = tenths(_spoken(real), _spoken(synthetic))
    anchor, reference = theirs[: len(theirs) // 2], theirs[len(theirs) // 2 :]
    many, same = min(len(reference), len(ours)), min(len(synthetic.hashes), len(real.hashes))
    rows = [*reference[:many], *ours[:many]]
    shows = shown(anchor, rows, attributes)
    found = Audit(
        synthetic,
        real,
        many,
        (repeated(synthetic.hashes, same), repeated(real.hashes, same)),
        float(np.isin(synthetic.hashes, real.hashes).mean()) if len(synthetic.hashes) else 0.0,
        (_middle(synthetic), _middle(real)),
        examination,
        shares={name: each.shares for name, each in shows.items()},
        tenths=binned,
    )
    pools, so = _blank(synthetic, real, borne)
    if not found.few:
        facets = _facets(anchor, rows, reference[many:], real)
        texts = facets[0].texts
        forms = [form(unified(text)) for text in texts]
        pools += [(shifted(shows, binned, borne), many), _forms(facets, forms, borne)]
        pools += [varied(facet, borne) for facet in facets]
        so |= {f"{kind} {facet.name}": sides(flags) for facet in facets for kind, flags in _flags(facet).items()}
        found = replace(
            found,
            forms=shares(forms),
            near=_near(facets[-1], rows),
            copied=_copied(facets, rows),
            phrases=tuple(overused(texts[many:], texts[:many], [number(row) for row in rows[many:]])),
            cuts=tuple(facet.length for facet in facets),
        )
    return replace(found, signals=_signals(pools, so, seed), so=so)


def _spoken(side: Side) -> list[Row]:
    return [row for row in side.sample if words_of(row).strip()]


def _blank(synthetic: Side, real: Side, borne: Borne) -> tuple[list[Pool], dict[str, tuple[float, float]]]:
    """Whether more synthetic rows say nothing; asked only where some do."""
    n = min(len(synthetic.sample), len(real.sample))
    flags = np.asarray([blank(row) for row in (*real.sample[:n], *synthetic.sample[:n])])
    if n < LEAST or not flags.any():
        return [], {}
    return [({"blank rows": MeasureSpec(more(flags), "form", borne.blank, "points")}, n)], {"blank rows": sides(flags)}


def _facets(anchor: Sequence[Row], rows: Sequence[Row], more: Sequence[Row], real: Side) -> list[Facet]:
    """All that rows say; and, where most rows of both sides have prompts, their answers alone, which varied prompts
    would hide."""
    found = [Facet.of("rows", words_of, anchor, rows, more, real.hashes)]
    asked = np.asarray([bool(row.prompt) for row in rows])
    if min(sides(asked)) > 0.5:
        found.append(Facet.of("answers", answer_of, anchor, rows, more, real.answers))
    return found


def _forms(facets: Sequence[Facet], forms: Sequence[str], borne: Borne) -> Pool:
    lengths, half = [len(unified(text)) for text in facets[0].texts], len(forms) // 2
    found = {
        "shift of length": MeasureSpec(shift(bins(lengths, lengths[:half])), "form", borne.form, "points"),
        "shift of form": MeasureSpec(shift(forms), "form", borne.form, "points"),
    }
    for facet in facets:
        found |= again(facet, borne)
    return found, half


def _flags(facet: Facet) -> dict[str, Array]:
    return {"repeated": facet.repeated, "copies of real": facet.copied}


def _signals(pools: Sequence[Pool], so: Mapping[str, object], seed: int) -> tuple[Signal, ...]:
    tests = sum(len(wanted) for wanted, _ in pools)
    found = [
        each for wanted, n in pools if wanted for each in drift(wanted, n, n, seed, other_tests=tests - len(wanted))
    ]
    # Where no row is so, nothing varies by chance: yet of a share that small too few rows would be so to be no chance.
    few = math.ceil(math.log2(max(1, tests) / ALPHA))
    floor = few + POWER_Z * math.sqrt(few)
    return tuple(with_significance([replace(e, mde=max(e.mde, floor / e.n)) if e.name in so else e for e in found]))


def _middle(side: Side) -> float:
    return float(np.median(side.lengths)) if len(side.lengths) else 0.0


def _near(facet: Facet, rows: Sequence[Row]) -> tuple[Group, ...]:
    """The largest groups of synthetic rows that say nearly the same."""
    half = len(rows) // 2
    _, first, back, counts = np.unique(facet.codes[half:], return_index=True, return_inverse=True, return_counts=True)
    found = []
    for at in np.argsort(-counts, kind="stable")[:EXAMPLES].tolist():
        if counts[at] > 1:
            numbers = sorted(number(rows[half + each]) for each in np.flatnonzero(back == at).tolist())
            found.append(Group(int(counts[at]), tuple(numbers[:EXAMPLES]), facet.texts[half + first[at]]))
    return tuple(found)


def _copied(facets: Sequence[Facet], rows: Sequence[Row]) -> tuple[Group, ...]:
    """The first synthetic rows of the sample that say, at least nearly, what a real row says, or answer so."""
    half = len(rows) // 2
    places = dict.fromkeys(
        at for facet in facets for at in (half + np.flatnonzero(facet.copied[half:])[:EXAMPLES]).tolist()
    )
    return tuple(Group(1, (number(rows[at]),), words_of(rows[at])) for at in places)
