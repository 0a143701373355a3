"""Counts for a card, taken while rows are streamed; memory does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow

from selfsown.records import Row

MAX_NAMES = 10_000  # distinct names; further ones are counted together as "others"
OTHERS = "others"
MAX_REASON_CHARS = 100
Key = TypeVar("Key", str, tuple[str, str])


@dataclass
class RowCounts:
    """statuses, rejected (by what) and failed (why) count all generated rows; the rest counts exported rows.

    left_out: rows that have something the format omits. prompts, answers: by length in characters. unanswered: real
    rows that are not exported, because they are prompts without an answer.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    prompts: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0

    def add_generated(self, batch: pyarrow.RecordBatch) -> None:
        """Count generated rows of any status."""
        statuses = batch["status"].to_pylist()
        self.statuses.update(statuses)
        for status, reason in zip(statuses, batch["reason"].to_pylist(), strict=True):
            if status == "rejected":
                _count(self.rejected, reason.partition(":")[0], OTHERS)
            elif status == "failed":
                _count(self.failed, " ".join(reason.split())[:MAX_REASON_CHARS], OTHERS)

    def add_exported(self, row: Row, left_out: Iterable[str] = ()) -> None:
        self.left_out.update(left_out)
        self.origins[row.origin] += 1
        if row.origin == "synthetic":
            _count(self.methods, row.method, OTHERS)
            self.evidence.update({grade.evidence for grade in row.grades})
            self.evidence[""] += not row.grades
        self.prompts[len(row.prompt)] += 1
        self.answers[len(row.answer)] += 1


@dataclass
class SourceCounts:
    """Real rows by their source and the license in their metadata."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, batch: pyarrow.RecordBatch) -> None:
        for source, metadata in zip(batch["source"].to_pylist(), batch["metadata"].to_pylist(), strict=True):
            _count(self.counts, (_file_name(source), dict(metadata).get("license", "")), (OTHERS, ""))


def _file_name(source: str) -> str:
    """The name of a file without its folder and the row's position in it."""
    for mark in (":", "#"):
        name, separator, position = source.rpartition(mark)
        if separator and position.isdigit():
            source = name
    return source.replace("\\", "/").rpartition("/")[2] or "unknown"


def _count(counter: Counter[Key], key: Key, others: Key) -> None:
    counter[key if key in counter or len(counter) < MAX_NAMES else others] += 1


def length_quantiles(lengths: Counter[int]) -> tuple[int, int, int, int]:
    """The minimum, the median, the 95th percentile and the maximum."""
    total = lengths.total()
    seen = 0
    quantiles: list[int] = []
    remaining = [0.0, 0.5, 0.95, 1.0]
    for length in sorted(lengths):
        seen += lengths[length]
        while remaining and seen >= max(1.0, remaining[0] * total):
            remaining.pop(0)
            quantiles.append(length)
    shortest, median, percentile_95, longest = quantiles
    return shortest, median, percentile_95, longest
