"""What the rows of an audit are too few for, and what it does not check."""

from __future__ import annotations

from selfsown.audit.audit import Audit
from selfsown.audit.conclusion import signal_label
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.text_view import MIN_ROWS
from selfsown.signals.measures import MIN_COUNT
from selfsown.text.overlap import MAX_SHARING_TEXTS, MIN_SEARCH_WORDS


def limitations(audit: Audit) -> list[str]:
    """What the rows are too few for, and what the audit does not check."""
    lines = []
    if audit.too_few_rows:
        lines.append(
            f"Variety, bias and form were not compared: at least {MIN_ROWS} synthetic and {2 * MIN_ROWS} real rows are "
            f"needed; {audit.compared_rows} rows per side were available."
        )
    lines += _power_limitations(audit)
    if audit.tail_unmeasurable:
        lines.append(f"Tails were not compared: real rows share fewer than {MIN_COUNT} rare n-grams with each other.")
    sampled, available = len(audit.real.sample), audit.real.row_count
    if not audit.too_few_rows and sampled < available:
        lines.append(
            f"Near copies were searched among {sampled:,} of {available:,} real rows, so most may have been missed; "
            "exact copies were searched among all."
        )
    lines += [f"{signal_label(signal)} could not be measured." for signal in audit.unmeasured]
    if audit.same_rows:
        lines.append("Both files hold the same rows; compare with other real rows.")
    lines += _benchmark_limitations(audit.benchmarks)
    lines.append("Whether rows are correct was not checked; that is what graders are for.")
    if not audit.attribute_shares:
        lines.append(_unchecked_bias(audit))
    return lines


def _unchecked_bias(audit: Audit) -> str:
    if not audit.suggestion:
        return "No attribute was named, so bias was not checked; add --attribute COLUMN or --lexicon FILE."
    columns = ", ".join(f"{name} ({values} values)" for name, values in audit.suggestion.columns.items())
    return f"No attribute was named, so bias was not checked. Both files have {columns}: {audit.suggestion.command}"


def _power_limitations(audit: Audit) -> list[str]:
    needed = [rows for _, rows in audit.underpowered]
    if not needed:
        return []
    texts = [rows for signal, rows in audit.underpowered if signal.family == "creativity"]
    available = min(len(audit.synthetic.row_hashes), len(audit.real.row_hashes) // 2)
    lines = [
        f"{len(needed)} of {len(audit.signals)} checks could have missed a difference above their tolerance; see their "
        "MDE and the rows that they need on either side (real rows: twice as many, half of them as reference corpus)."
    ]
    if within := [rows for rows in texts if rows <= available]:
        lines.append(f"The files have enough rows for {len(within)} of these checks: --sample {max(within)}.")
    return lines


def _benchmark_limitations(benchmarks: BenchmarkMatches | None) -> list[str]:
    if benchmarks is None:
        return ["No benchmark was named, so contamination was not checked; add --benchmark FILE."]
    lines = ["Answers of a benchmark are not searched for, only its questions."]
    lines += [
        f"{name}: none of its {benchmarks.question_counts[name]:,} questions can be found inside longer text."
        for name in benchmarks.unsearchable
    ]
    if benchmarks.short_questions:
        lines.append(
            f"{benchmarks.short_questions:,} of {benchmarks.question_counts.total():,} questions can be matched as a "
            f"whole row or prompt only: they are shorter than {MIN_SEARCH_WORDS} words, or all their passages occur in "
            f"more than {MAX_SHARING_TEXTS} other questions."
        )
    return lines
