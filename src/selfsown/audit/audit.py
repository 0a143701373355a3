"""The audit: differences between synthetic and real rows that exceed chance and their tolerances.

Shares (of attribute values, lengths, text forms and blank rows) are compared over all rows. For variety, duplicates and
copies, the sampled real rows are split in two: half of them are the reference corpus, which defines rare n-grams and
text directions; the others are compared with as many synthetic rows. Significance comes from permuting whole rows
between the two sides.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from selfsown import progress
from selfsown.audit.attributes import (
    Counts,
    Shares,
    attribute_checks,
    attribute_counts,
    both_counts,
    shift_check,
    value_shares,
)
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.drop import Dropped
from selfsown.audit.examples import RowGroup, copied_rows, duplicate_groups
from selfsown.audit.overused_phrases import Phrase, overused
from selfsown.audit.scan import (
    DatasetScan,
    answer_text,
    copy_rate,
    exact_duplicate_rates,
    full_text,
    median_length,
    row_number,
    shown_text,
)
from selfsown.audit.suggestion import Suggestion
from selfsown.audit.text_format import length_counts
from selfsown.audit.text_view import (
    MIN_ROWS,
    Rates,
    TextView,
    Tolerances,
    diversity_measures,
    duplicate_measures,
    side_rates,
)
from selfsown.records import Row, Signal
from selfsown.signals.attributes import Attributes
from selfsown.signals.permutation_test import (
    CountSpec,
    MeasureSpec,
    count_drift,
    draws_needed,
    drift,
    with_significance,
)
from selfsown.stats.multiple_testing import ALPHA
from selfsown.stats.student_t import POWER_Z

MeasurePool = tuple[dict[str, MeasureSpec], int]  # measures on one pool of rows, and its number of rows per side


@dataclass(frozen=True)
class Audit:
    """The result of an audit. Pairs are of synthetic rows, then of real rows.

    synthetic, real: the scans of both data sets.
    compared_rows: sampled rows per side that were compared.
    duplicate_rates: shares of all rows of either data set that equal another row of it.
    copy_rate: share of all synthetic rows whose exact text is also a real row's.
    median_lengths: in characters, of all rows.
    benchmarks: matches with benchmark questions; None where no benchmark was named.
    signals: every check, with its difference, interval, p, tolerance and minimum detectable effect (MDE).
    rates: the shares behind the signals that compare shares, by the signal's name.
    attribute_shares: for each attribute, the shares of its values.
    form_shares: the shares of text forms.
    binned_attributes: attributes of numbers, compared by deciles of the real rows.
    duplicate_groups: the largest groups of near duplicates among the synthetic rows.
    copied_rows: the first synthetic rows that are copies or near copies of real rows.
    phrases: phrases that the synthetic rows overuse.
    max_words: number of words compared per row, and per answer where answers are compared.
    suggestion: columns that could be checked for bias, where no attribute was named.
    dropped: what `--drop` wrote and left out; None without it.
    """

    synthetic: DatasetScan
    real: DatasetScan
    compared_rows: int
    duplicate_rates: Rates
    copy_rate: float
    median_lengths: tuple[float, float]
    benchmarks: BenchmarkMatches | None
    signals: tuple[Signal, ...] = ()
    rates: Mapping[str, Rates] = field(default_factory=dict)
    attribute_shares: Mapping[str, Shares] = field(default_factory=dict)
    form_shares: Shares = field(default_factory=dict)
    binned_attributes: tuple[str, ...] = ()
    duplicate_groups: tuple[RowGroup, ...] = ()
    copied_rows: tuple[RowGroup, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    max_words: tuple[int, ...] = ()
    suggestion: Suggestion | None = None
    dropped: Dropped | None = None

    @property
    def too_few_rows(self) -> bool:
        """Whether there are too few rows to compare texts."""
        return self.compared_rows < MIN_ROWS

    @property
    def tail_unmeasurable(self) -> bool:
        """Whether real rows share too few rare n-grams with each other for a loss of tails to be measured."""
        return not self.too_few_rows and not any(signal.name.startswith("tails lost") for signal in self.signals)

    @property
    def alarms(self) -> list[Signal]:
        return [signal for signal in self.signals if signal.is_alarm]

    @property
    def same_rows(self) -> bool:
        """Whether both data sets hold the same rows, so that no difference is possible."""
        synthetic, real = np.sort(self.synthetic.row_hashes), np.sort(self.real.row_hashes)
        return self.copy_rate > 0 and np.array_equal(synthetic, real)

    @property
    def unmeasured(self) -> list[Signal]:
        """Signals whose value or MDE is not finite: they neither alarm nor clear."""
        return [signal for signal in self.signals if not (math.isfinite(signal.value) and math.isfinite(signal.mde))]

    @property
    def conclusive(self) -> bool:
        """Whether every check had the power to raise an alarm, so that the absence of alarms means something."""
        if self.benchmarks and self.benchmarks.unsearchable:
            return False
        return not (
            self.too_few_rows or self.same_rows or self.tail_unmeasurable or self.underpowered or self.unmeasured
        )

    @property
    def underpowered(self) -> list[tuple[Signal, int]]:
        """Signals whose MDE exceeds their tolerance, and the number of compared rows per side that they need."""
        unmeasured = self.unmeasured
        return [
            (signal, int(self.rows_compared(signal) * (signal.mde / signal.tolerance) ** 2) + 1)
            for signal in self.signals
            if signal.mde > signal.tolerance and not signal.is_alarm and signal not in unmeasured
        ]

    def rows_compared(self, signal: Signal) -> int:
        """Rows per side: of texts, the sampled ones; of shares, two equal sides of as much power as all rows have."""
        return self.compared_rows if signal.family == "creativity" else signal.n

    @property
    def smallest_p(self) -> float:
        """The smallest p that so many permutations can give."""
        return 1 / (1 + draws_needed(len(self.signals)))


@dataclass(frozen=True)
class _Comparison:
    """The sampled rows whose texts are compared; rows: n real ones, then n synthetic ones."""

    reference: list[Row]
    rows: list[Row]
    other_real: list[Row]
    n: int

    @classmethod
    def of(cls, synthetic: DatasetScan, real: DatasetScan) -> _Comparison:
        theirs, ours = _with_text(real), _with_text(synthetic)
        half = len(theirs) // 2
        reference, compared = theirs[:half], theirs[half:]
        n = min(len(compared), len(ours))
        return cls(reference, [*compared[:n], *ours[:n]], compared[n:], n)


def audit(
    synthetic: DatasetScan,
    real: DatasetScan,
    attributes: Attributes,
    benchmarks: BenchmarkMatches | None,
    tolerances: Tolerances,
    *,
    seed: int = 0,
    suggestion: Suggestion | None = None,
) -> Audit:
    """Compare two scanned data sets. DataError: no row has a value of an attribute."""
    comparison = _Comparison.of(synthetic, real)
    rows, n = comparison.rows, comparison.n
    counts, binned = attribute_counts(synthetic, real, attributes)
    checks, rates = _count_checks(synthetic, real, counts, binned, tolerances)
    views = _views(comparison, real) if n >= MIN_ROWS else []
    pools = [(_duplicate_measures(views, tolerances), n), *(diversity_measures(view, tolerances) for view in views)]
    rates |= _duplicate_rates(views)
    return Audit(
        synthetic=synthetic,
        real=real,
        compared_rows=n,
        duplicate_rates=exact_duplicate_rates(synthetic, real),
        copy_rate=copy_rate(synthetic, real),
        median_lengths=(median_length(synthetic), median_length(real)),
        benchmarks=benchmarks,
        signals=_signals(checks, pools, rates, seed),
        rates=rates,
        attribute_shares={name: value_shares(of) for name, of in counts.items()},
        form_shares=value_shares(both_counts(synthetic.form_counts, real.form_counts)),
        binned_attributes=binned,
        duplicate_groups=duplicate_groups(views[-1], rows) if views else (),
        copied_rows=copied_rows(views, rows),
        phrases=_phrases(views[0], rows) if views else (),
        max_words=tuple(view.max_words for view in views),
        suggestion=suggestion,
    )


def _with_text(scan: DatasetScan) -> list[Row]:
    return [row for row in scan.sample if full_text(row).strip()]


def _count_checks(
    synthetic: DatasetScan,
    real: DatasetScan,
    counts: Mapping[str, Counts],
    binned: Sequence[str],
    tolerances: Tolerances,
) -> tuple[dict[str, CountSpec], dict[str, Rates]]:
    """The checks that all rows enter: blank rows, if there are any, attributes, lengths and forms."""
    checks, rates = dict[str, CountSpec](), dict[str, Rates]()
    blank = {"yes": (synthetic.blank_count, real.blank_count)}
    blank["no"] = (synthetic.row_count - synthetic.blank_count, real.row_count - real.blank_count)
    if min(synthetic.row_count, real.row_count) >= MIN_ROWS and any(blank["yes"]):
        theirs, ours = np.asarray([pair[::-1] for pair in blank.values()]).T
        checks["blank rows"] = CountSpec(
            theirs, ours, lambda before, now: (now - before)[:, 0], "form", tolerances.blank
        )
        rates["blank rows"] = value_shares(blank)["yes"]
    if min(len(synthetic.lengths), len(real.lengths)) >= MIN_ROWS:
        checks |= attribute_checks(counts, binned, tolerances)
        lengths = length_counts(synthetic.lengths, real.lengths)
        checks["shift of length"] = shift_check(lengths, tolerances.form_shift)
        forms = both_counts(synthetic.form_counts, real.form_counts)
        checks["shift of form"] = shift_check(forms, tolerances.form_shift)
    return checks, rates


def _views(comparison: _Comparison, real: DatasetScan) -> list[TextView]:
    """Whole rows; and, where most rows of both sides have prompts, answers alone: varied prompts would hide that these
    repeat."""
    reference, rows, other_real = comparison.reference, comparison.rows, comparison.other_real
    views = [TextView.of("rows", full_text, reference, rows, other_real, real.row_hashes)]
    has_prompt = np.asarray([bool(row.prompt) for row in rows])
    if min(side_rates(has_prompt)) > 0.5:
        views.append(TextView.of("answers", answer_text, reference, rows, other_real, real.answer_hashes))
    return views


def _duplicate_measures(views: Sequence[TextView], tolerances: Tolerances) -> dict[str, MeasureSpec]:
    return {name: measure for view in views for name, measure in duplicate_measures(view, tolerances).items()}


def _duplicate_rates(views: Sequence[TextView]) -> dict[str, Rates]:
    rates = {}
    for view in views:
        rates[f"duplicate {view.name}"] = side_rates(view.duplicated)
        rates[f"copies of real {view.name}"] = side_rates(view.copies_real)
    return rates


def _signals(
    checks: Mapping[str, CountSpec], pools: Sequence[MeasurePool], rates: Collection[str], seed: int
) -> tuple[Signal, ...]:
    tests = len(checks) + sum(len(measures) for measures, _ in pools)
    signals = count_drift(checks, seed, tests - len(checks))
    signals += [
        signal
        for measures, n in progress.track(pools, f"testing {tests} differences")
        if measures
        for signal in drift(measures, n, n, seed, other_tests=tests - len(measures))
    ]
    # Where no row is flagged, permutations do not vary, and the MDE would be 0. Yet with so small a share, too few
    # flagged rows would be drawn to be significant.
    significant = math.ceil(math.log2(max(1, tests) / ALPHA))
    least_flagged = significant + POWER_Z * math.sqrt(significant)
    adjusted = [
        replace(signal, mde=max(signal.mde, least_flagged / signal.n)) if signal.name in rates else signal
        for signal in signals
    ]
    return tuple(with_significance(adjusted))


def _phrases(view: TextView, rows: Sequence[Row]) -> tuple[Phrase, ...]:
    n = len(view.texts) // 2
    ours = {row_number(row): row for row in rows[n:]}
    phrases = overused(view.texts[n:], view.texts[:n], list(ours))
    return tuple(replace(phrase, example=shown_text(ours[phrase.row])) for phrase in phrases)
