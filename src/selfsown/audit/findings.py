"""The result of an audit in sentences: findings, limitations, and the checks that lack power."""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfsown.audit.attributes import Shares
from selfsown.audit.audit import Audit
from selfsown.audit.conclusion import percent, ranked, signal_label
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.limitations import limitations as limitations
from selfsown.audit.scan import DatasetScan
from selfsown.audit.text_view import UNLIMITED_WORDS
from selfsown.records import Signal, Unit
from selfsown.signals.reference import AXES

MAX_CHANGES = 3  # values of an attribute named in a sentence
_ALARMS = {
    "tails lost": "Rare words{where}: {value} of the rare words and word pairs are gone.",
    "Vendi score lost": "Variety{where} (Vendi score) is {value} lower.",
    "duplicate rows": "Duplicates: {exact} of all synthetic rows equal another one (real: {exact_real}); among {n} "
    "sampled rows, {ours} are duplicates or near-duplicates of another of these (real: {theirs}).",
    "duplicate answers": "Repeated answers: among {n} sampled rows, {ours} have the answer of another of these, at "
    "least nearly (real: {theirs}).",
    "copies of real rows": "Copies: {copied} of all synthetic rows equal a real row; among {n} sampled rows, {ours} "
    "are copies or near copies of a real row ({theirs} of real rows are such copies of other real rows).",
    "copies of real answers": "Copied answers: among {n} sampled rows, {ours} have the answer of a real row, at least "
    "nearly ({theirs} of real rows have that of another real row).",
    "blank rows": "Blank: {ours} of the rows have no text, or none after their prompt (real: {theirs}).",
}


def sentences(audit: Audit) -> list[str]:
    """The findings, worst first: leaked test questions, each alarm, then what raised none and what was read."""
    lines = _leaks(audit, matched=True)
    lines += [_alarm_sentence(audit, signal) for signal in ranked(audit) if signal.is_alarm]
    lines.append(f"{_scanned(audit.synthetic, 'synthetic rows')} against {_scanned(audit.real, 'real rows')}.")
    alarms = {alarm.name for alarm in audit.alarms}
    if "duplicate rows" not in alarms:
        ours, theirs = map(percent, audit.duplicate_rates)
        lines.append(f"{ours} of all synthetic rows equal another one (real: {theirs}), ignoring case and whitespace.")
    if "copies of real rows" not in alarms:
        lines.append(f"{percent(audit.copy_rate)} of all synthetic rows equal a real row.")
    lines.append(f"Median length: {audit.median_lengths[0]:,.0f} characters (real: {audit.median_lengths[1]:,.0f}).")
    lines += _leaks(audit, matched=False)
    return lines + [
        f"{name} is numeric; it is compared by deciles of the real rows." for name in audit.binned_attributes
    ]


def result(audit: Audit, signal: Signal) -> str:
    """How a check ended, for the table of all signals."""
    if signal.is_alarm:
        return "alarm"
    if signal in audit.unmeasured:
        return "not measured"
    return "no alarm" if signal.mde <= signal.tolerance else "too few rows"


def p_value(audit: Audit, signal: Signal) -> str:
    """As text; the smallest p that so many permutations can give is an upper limit."""
    return f"<= {audit.smallest_p:.3g}" if signal.p <= audit.smallest_p * 1.0001 else f"{signal.p:.3g}"


def _leaks(audit: Audit, *, matched: bool) -> list[str]:
    """A sentence for each benchmark, of which rows contain a question or none does."""
    benchmarks = audit.benchmarks or BenchmarkMatches()
    return [
        f"{benchmarks.row_counts[name]:,} rows contain one of the {questions:,} test questions of {name}: the same "
        f"text, thirteen consecutive words, or all words of a shorter question{_reworded(benchmarks, name)}."
        for name, questions in sorted(
            benchmarks.question_counts.items(), key=lambda item: -benchmarks.row_counts[item[0]]
        )
        if bool(benchmarks.row_counts[name]) == matched
    ]


def _reworded(benchmarks: BenchmarkMatches, name: str) -> str:
    count = benchmarks.reworded_counts[name]
    return f"; of these rows, {count:,} have it with some words changed, or paraphrased" if count else ""


def _scanned(scan: DatasetScan, kind: str) -> str:
    blank = f", {scan.blank_count:,} of them blank" if scan.blank_count else ""
    return f"{scan.row_count:,} {kind}{blank} ({scan.name}: {', '.join(scan.columns)})"


def _alarm_sentence(audit: Audit, alarm: Signal) -> str:
    if alarm.family == "bias":
        return _bias_sentence(audit, alarm)
    name, _, place = alarm.name.partition(" in ")
    value = percent(alarm.value)
    if name in _ALARMS:
        ours, theirs = map(percent, audit.rates.get(name, (0.0, 0.0)))
        exact, exact_real = map(percent, audit.duplicate_rates)
        return _ALARMS[name].format(
            value=value,
            where=f" in {place}" if place else "",
            ours=ours,
            theirs=theirs,
            exact=exact,
            exact_real=exact_real,
            copied=percent(audit.copy_rate),
            n=f"{audit.compared_rows:,}",
        )
    if alarm.name == "shift of length":
        return f"Length: {value} of the rows would need another length to match the real rows."
    changes = _changes(audit.form_shares)
    return f"Form: {value} of the rows would need another form to match the real rows; {changes}."


def _bias_sentence(audit: Audit, alarm: Signal) -> str:
    for name, shares in audit.attribute_shares.items():
        if alarm.name == f"shift of {name}":
            return f"{name}: the share of {_changes(shares)}."
        for value, (ours, theirs) in shares.items():
            if alarm.name == f"log-odds of {name}={value}":
                return (
                    f"{name}: the share of {value}, the most common value, {_change(ours, theirs)}; its odds are "
                    f"{math.exp(alarm.value):.2g} times those among real rows."
                )
    return f"{alarm.name}."


def _changes(shares: Shares) -> str:
    """The values whose shares changed most."""
    order = sorted(shares.items(), key=lambda item: -abs(item[1][0] - item[1][1]))
    return ", ".join(
        f"{value} {_change(ours, theirs)}" for value, (ours, theirs) in order[:MAX_CHANGES] if ours != theirs
    )


def _change(ours: float, theirs: float) -> str:
    return f"{'grew' if ours > theirs else 'fell'} from {percent(theirs)} to {percent(ours)}"


@dataclass(frozen=True)
class PowerRow:
    """A check that lacks power: its minimum detectable effect, its tolerance, and the rows per side that it needs."""

    check: str
    mde: str
    tolerance: str
    rows_needed: int


def power_table(audit: Audit) -> list[PowerRow]:
    """The checks whose minimum detectable effect at 80 % power exceeds their tolerance."""
    return [
        PowerRow(signal_label(signal), _mde(signal), _quantity(signal.tolerance, signal.unit), rows)
        for signal, rows in audit.underpowered
    ]


def _mde(signal: Signal) -> str:
    """A share cannot change by more than all of it."""
    if signal.unit != "of log-odds" and signal.mde >= 1:
        return "over 100 %"
    return _quantity(signal.mde, signal.unit)


def _quantity(value: float, unit: Unit) -> str:
    return f"{value:.3g} log-odds" if unit == "of log-odds" else f"{100 * value:.3g} {unit}"


def method(audit: Audit) -> list[str]:
    """How the numbers were computed."""
    n = audit.compared_rows
    return [
        "Shares of attributes, lengths, forms and blank rows, exact duplicates, exact copies of real rows and "
        "benchmark matches are of all rows.",
        f"The checks of variety, near duplicates and near copies compare {n:,} synthetic with {n:,} "
        "real rows, drawn at random; as many other real rows are the reference corpus.",
        "Tails are the n-grams that the reference corpus has one to three times; rare words and rare pairs weigh the "
        f"same. The Vendi score is computed along the {AXES} leading directions of its TF-IDF. Both use "
        f"{_compared_text(audit)}, so that longer texts do not count as richer ones, and both leave out near "
        "duplicates of reference rows on either side, since such a copy contains all its rare n-grams.",
        "p is the share of random permutations of whole rows between both sides with as large a difference. With "
        "Holm's correction over all checks, 5 % of audits have one or more alarms by chance.",
        "Near duplicates share 80 % of their runs of five characters, or both share them with a third row. MinHash "
        "finds them; of long texts, 512 runs are compared.",
    ]


def _compared_text(audit: Audit) -> str:
    lengths = ["whole" if words >= UNLIMITED_WORDS else f"the first {words} words of" for words in audit.max_words]
    kinds = zip(lengths, ("rows", "answers"), strict=False)
    return " and ".join(f"{length} {kind}" for length, kind in kinds) or "whole rows"
