"""The result of an audit as JSON. It holds no text of a row, only row numbers."""

from __future__ import annotations

from dataclasses import asdict

from selfsown.audit.attributes import Shares
from selfsown.audit.audit import Audit
from selfsown.audit.conclusion import headline, ranked, verdict
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.drop import Dropped, reasons_path
from selfsown.audit.examples import MAX_EXAMPLES
from selfsown.audit.findings import limitations, power_table, sentences
from selfsown.audit.scan import is_blank, row_number


def to_json(audit: Audit) -> dict[str, object]:
    """Everything that the audit measured, as plain data."""
    benchmarks = audit.benchmarks
    return {
        "verdict": verdict(audit),
        "headline": headline(audit),
        "findings": sentences(audit),
        "limitations": limitations(audit),
        "rows": {"synthetic": audit.synthetic.row_count, "real": audit.real.row_count},
        "blank_rows": {"synthetic": audit.synthetic.blank_count, "real": audit.real.blank_count},
        "duplicate_rate": _pair(audit.duplicate_rates),
        "copy_rate": audit.copy_rate,
        "median_length": _pair(audit.median_lengths),
        "benchmark_matches": benchmarks.matched_rows if benchmarks else None,
        "benchmarks": _benchmarks(benchmarks) if benchmarks else {},
        "attribute_shares": {name: _shares(shares) for name, shares in audit.attribute_shares.items()},
        "form_shares": _shares(audit.form_shares),
        "signals": [asdict(signal) | {"is_alarm": signal.is_alarm} for signal in ranked(audit)],
        "underpowered": [asdict(row) for row in power_table(audit)],
        "overused_phrases": [
            {"words": phrase.words, "synthetic": phrase.synthetic, "real": phrase.real, "row": phrase.row}
            for phrase in audit.phrases
        ],
        "examples": _examples(audit),
        "drop": _drop(audit.dropped) if audit.dropped else None,
    }


def _drop(dropped: Dropped) -> dict[str, object]:
    return {
        "out": str(dropped.out),
        "reasons": str(reasons_path(dropped.out)),
        "rows": dropped.row_count,
        "dropped": dropped.counts,
        "written": dropped.kept,
        "sentences": dropped.sentences,
    }


def _pair(values: tuple[float, float]) -> dict[str, float]:
    return dict(zip(("synthetic", "real"), values, strict=True))


def _benchmarks(benchmarks: BenchmarkMatches) -> dict[str, dict[str, int]]:
    return {
        name: {"questions": questions, "matched_rows": benchmarks.row_counts[name]}
        for name, questions in benchmarks.question_counts.items()
    }


def _shares(shares: Shares) -> dict[str, dict[str, float]]:
    return {value: _pair(pair) for value, pair in shares.items()}


def _examples(audit: Audit) -> dict[str, list[object]]:
    """Row numbers of synthetic rows: groups of near duplicates, and single rows."""
    matches = audit.benchmarks.examples if audit.benchmarks else []
    blank = [row_number(row) for row in audit.synthetic.sample if is_blank(row)]
    return {
        "duplicates": [list(group.row_numbers) for group in audit.duplicate_groups],
        "copies": [number for group in audit.copied_rows for number in group.row_numbers],
        "blank": list(blank[:MAX_EXAMPLES]),
        "benchmark": [
            {"benchmark": match.benchmark, "row": row_number(match.row), "rule": match.match.rule} for match in matches
        ],
    }
