"""The result of an audit in sentences: headline, findings, limitations, and the checks that lack power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from selfsown.audit.attributes import Shares
from selfsown.audit.audit import Audit
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.limitations import limitations as limitations
from selfsown.audit.scan import DatasetScan
from selfsown.audit.text_view import UNLIMITED_WORDS
from selfsown.errors import ExitCode
from selfsown.records import Signal, Unit
from selfsown.signals.reference import AXES

Verdict = Literal["differs", "no_difference", "inconclusive"]
EXIT_CODES: dict[Verdict, ExitCode] = {
    "differs": ExitCode.FAILED,
    "no_difference": ExitCode.OK,
    "inconclusive": ExitCode.INCONCLUSIVE,
}
MAX_REASONS = 3  # named in the headline
MAX_CHANGES = 3  # values of an attribute named in a sentence
_ALARMS = {
    "tails lost": "Rare words{where}: {value} of the rare words and word pairs are gone.",
    "Vendi score lost": "Variety{where} (Vendi score) is {value} lower.",
    "duplicate rows": "{ours} are near-duplicates of another synthetic row (real: {theirs}).",
    "duplicate answers": "Duplicates: {ours} of the answers are repeated, at least nearly, under another prompt "
    "(real: {theirs}).",
    "copies of real rows": "Copies: {ours} of the rows are copies or near copies of a real row; {theirs} of the real "
    "rows are such copies of other real rows.",
    "copies of real answers": "Copies: {ours} of the answers are copies or near copies of a real answer; {theirs} of "
    "the real answers are such copies of other real answers.",
    "blank rows": "Blank: {ours} of the rows have no text, or none after their prompt (real: {theirs}).",
}


def verdict(audit: Audit) -> Verdict:
    """Whether any check raised an alarm; if none did, whether all of them had the power to."""
    if audit.alarms or (audit.benchmarks and audit.benchmarks.matched_rows):
        return "differs"
    return "no_difference" if audit.conclusive else "inconclusive"


def headline(audit: Audit) -> str:
    """The verdict and its worst reasons in one short sentence."""
    reasons = _reasons(audit)
    if reasons:
        only_form = all(alarm.family == "form" and alarm.name != "blank rows" for alarm in audit.alarms)
        harmless = only_form and not (audit.benchmarks and audit.benchmarks.matched_rows)
        more = f" and {len(reasons) - MAX_REASONS} more" if len(reasons) > MAX_REASONS else ""
        start = "Unlike the real rows" if harmless else "Not safe to train on"
        return f"{start}: {', '.join(reasons[:MAX_REASONS])}{more}"
    if audit.same_rows:
        return "Both files hold the same rows, so nothing was compared."
    if audit.too_few_rows:
        return "Too few rows to compare."
    if audit.conclusive:
        return "No problem found."
    if weak := audit.underpowered:
        signal = max((signal for signal, _ in weak), key=lambda signal: signal.mde / signal.tolerance)
        size = f"a {100 * signal.tolerance:g}-point " if signal.name.startswith("shift") else "a difference in "
        return f"No problem found, but too few rows to rule out {size}{signal.name}"
    return f"No problem found, but {'; '.join(_obstacles(audit))}."


def ranked(audit: Audit) -> list[Signal]:
    """Every signal, worst first: alarms of copies, other alarms by multiples of their tolerance, then the rest."""
    return sorted(
        audit.signals,
        key=lambda signal: (
            not signal.is_alarm,
            not signal.name.startswith("copies"),
            -signal.value / signal.tolerance if math.isfinite(signal.value) else math.inf,
        ),
    )


def _reasons(audit: Audit) -> list[str]:
    """Why not to train on the rows, a few words each, worst first: leaked test questions before all else."""
    reasons: dict[str, str] = {}
    if audit.benchmarks and audit.benchmarks.matched_rows:
        rows = audit.benchmarks.matched_rows
        reasons["leaks"] = f"{rows:,} leaked test {'question' if rows == 1 else 'questions'}"
    for alarm in ranked(audit):
        if alarm.is_alarm:
            kind, words = _reason(audit, alarm)
            reasons.setdefault(kind, words)
    return list(reasons.values())


def _reason(audit: Audit, alarm: Signal) -> tuple[str, str]:
    """The kind of an alarm, of which the headline names the worst, and what it says."""
    name = alarm.name.partition(" in ")[0]
    rate = percent(audit.rates.get(alarm.name, (alarm.value, 0.0))[0])
    if alarm.family == "bias":
        attribute = next((name for name in audit.attribute_shares if _is_about(alarm, name)), alarm.name)
        return f"bias {attribute}", f"shifted {attribute} balance"
    texts = {
        "copies of real rows": ("copies", f"{rate} copies of real rows"),
        "copies of real answers": ("copies", f"{rate} copies of real answers"),
        "duplicate rows": ("duplicates", f"{rate} near-duplicates"),
        "duplicate answers": ("duplicates", f"{rate} near-duplicate answers"),
        "tails lost": ("variety", f"{percent(alarm.value)} of rare words gone"),
        "Vendi score lost": ("variety", f"{percent(alarm.value)} less variety"),
        "blank rows": ("blank", f"{rate} blank rows"),
        "shift of length": ("length", f"{percent(alarm.value)} of lengths off"),
        "shift of form": ("form", f"{percent(alarm.value)} of forms off"),
    }
    return texts.get(name, (name, name))


def _obstacles(audit: Audit) -> list[str]:
    """Why the absence of alarms is not conclusive."""
    obstacles = []
    checks = len(audit.signals) + audit.tail_unmeasurable
    if weak := len(audit.underpowered):
        obstacles.append(f"{weak} of {checks} checks lack the power to detect one")
    if unmeasured := len(audit.unmeasured) + audit.tail_unmeasurable:
        obstacles.append(f"{unmeasured} of {checks} checks could not be measured")
    if audit.benchmarks and audit.benchmarks.unsearchable:
        obstacles.append(f"no question of {', '.join(audit.benchmarks.unsearchable)} is long enough to search for")
    return obstacles


def _is_about(alarm: Signal, attribute: str) -> bool:
    return alarm.family == "bias" and (
        alarm.name == f"shift of {attribute}" or alarm.name.startswith(f"log-odds of {attribute}=")
    )


def sentences(audit: Audit) -> list[str]:
    """The findings, worst first: leaked test questions, each alarm, and what was read."""
    ours, theirs = map(percent, audit.duplicate_rates)
    benchmarks = audit.benchmarks or BenchmarkMatches()
    leaks = [
        f"{benchmarks.row_counts[name]:,} rows contain one of the {questions:,} test questions of {name}: the same "
        "text, thirteen consecutive words, or all words of a shorter question."
        for name, questions in sorted(
            benchmarks.question_counts.items(), key=lambda item: -benchmarks.row_counts[item[0]]
        )
    ]
    lines = [*leaks, *(_alarm_sentence(audit, signal) for signal in ranked(audit) if signal.is_alarm)]
    lines += [
        f"{_scanned(audit.synthetic, 'synthetic rows')} against {_scanned(audit.real, 'real rows')}.",
        f"{ours} are exact duplicates (real: {theirs}), ignoring case and whitespace. "
        f"{percent(audit.copy_rate)} of the synthetic rows are exact copies of real rows.",
        f"Median length: {audit.median_lengths[0]:,.0f} characters (real: {audit.median_lengths[1]:,.0f}).",
    ]
    return lines + [
        f"{name} is numeric; it is compared by deciles of the real rows." for name in audit.binned_attributes
    ]


def p_value(audit: Audit, signal: Signal) -> str:
    """As text; the smallest p that so many permutations can give is an upper limit."""
    return f"<= {audit.smallest_p:.3g}" if signal.p <= audit.smallest_p * 1.0001 else f"{signal.p:.3g}"


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
        return _ALARMS[name].format(value=value, where=f" in {place}" if place else "", ours=ours, theirs=theirs)
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
        PowerRow(signal.name, _mde(signal), _quantity(signal.tolerance, signal.unit), rows)
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


def percent(share: float) -> str:
    """Two significant digits, at least whole percents."""
    if not share:
        return "0 %"
    return f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %"
