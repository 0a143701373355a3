"""What a card counts, taken while the rows pass by; memory stays flat, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow

from selfsown.records import Row

MANY = 10_000  # different names; those beyond are counted together
OTHERS = "others"
Key = TypeVar("Key", str, tuple[str, str])


@dataclass
class Tally:
    """ends, rejected (by whom) and failed (why) are of all rows that count; the rest is of the exported ones."""

    ends: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    trust: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    prompts: Counter[int] = field(default_factory=Counter)  # by length in characters
    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0  # real rows that are left out, because they are prompts that nobody has answered

    def met(self, batch: pyarrow.RecordBatch) -> None:
        """Rows that were made, whatever became of them."""
        ends = batch["status"].to_pylist()
        self.ends.update(ends)
        for end, reason in zip(ends, batch["reason"].to_pylist(), strict=True):
            if end == "rejected":
                _count(self.rejected, reason.partition(":")[0], OTHERS)
            elif end == "failed":
                _count(self.failed, " ".join(reason.split())[:100], OTHERS)

    def exported(self, row: Row, left_out: Iterable[str] = ()) -> None:
        self.left_out.update(left_out)
        self.origins[row.origin] += 1
        if row.origin == "synthetic":
            _count(self.methods, row.method, OTHERS)
            self.trust.update({grade.evidence for grade in row.grades})
            self.trust[""] += not row.grades
        self.prompts[len(row.prompt)] += 1
        self.answers[len(row.answer)] += 1


@dataclass
class Seeds:
    """Real rows by what they come from and the licence that they declare themselves."""

    found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def met(self, batch: pyarrow.RecordBatch) -> None:
        for maker, traits in zip(batch["source"].to_pylist(), batch["metadata"].to_pylist(), strict=True):
            _count(self.found, (_source(maker), dict(traits).get("license", "")), (OTHERS, ""))


def _source(maker: str) -> str:
    """The name of a file without its folder and the row's place in it."""
    for mark in (":", "#"):
        name, found, place = maker.rpartition(mark)
        if found and place.isdigit():
            maker = name
    return maker.replace("\\", "/").rpartition("/")[2] or "unknown"


def _count(counter: Counter[Key], key: Key, others: Key) -> None:
    counter[key if key in counter or len(counter) < MANY else others] += 1


def quantiles(lengths: Counter[int]) -> tuple[int, int, int, int]:
    """The shortest, the median, what 95 % do not exceed, and the longest."""
    total, seen, found = sum(lengths.values()), 0, []
    marks = [0.0, 0.5, 0.95, 1.0]
    for length in sorted(lengths):
        seen += lengths[length]
        while marks and seen >= max(1.0, marks[0] * total):
            marks.pop(0)
            found.append(length)
    shortest, median, most, longest = found
    return shortest, median, most, longest
