"""The rows of a file counted by status, reason and grade, and a sample of them that has every reason."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow

from selfsown.files.row_parquet import StoredRows, column_batches
from selfsown.records import Row
from selfsown.text.excerpt import excerpt

Key = TypeVar("Key")
Outcome = tuple[str, str]  # the status of a row, and the cause
MAX_CAUSE_CHARS = 80
MAX_STRATA = 200  # further causes are counted as others
STATUSES = ("kept", "rejected", "failed")
OTHER_CAUSES = "other reasons"
MIN_ROWS_PER_STRATUM = 20  # in a sample


@dataclass
class GradeCounts:
    """The grades of one grader. scores: number of rows by score (two digits) and by whether the row was kept."""

    scores: Counter[tuple[float, bool]] = field(default_factory=Counter)
    evidence: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        return self.scores.total()

    @property
    def mean(self) -> float:
        return sum(score * count for (score, _), count in self.scores.items()) / self.rows


@dataclass
class RowCounts:
    """strata: rows by method and outcome. grades: by grader."""

    strata: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    grades: dict[str, GradeCounts] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.strata.total()

    def status(self, status: str) -> int:
        return sum(count for (_, outcome), count in self.strata.items() if outcome[0] == status)

    def outcomes(self) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        for (_, outcome), count in self.strata.items():
            counts[outcome] += count
        return counts

    @property
    def evidence(self) -> set[str]:
        return set().union(*(grades.evidence for grades in self.grades.values())) - {"none"}


def cause(status: str, reason: str) -> str:
    """What rejected a row, which is its reason before the colon; why it failed; "" of a kept one."""
    if status == "rejected":
        reason = reason.partition(":")[0]
    return excerpt(reason, MAX_CAUSE_CHARS)


def count_rows(path: Path) -> RowCounts:
    """The counts of a file of rows, which is read in batches."""
    counts = RowCounts()
    for batch in column_batches(path, ("method", "status", "reason", "grades")):
        methods, statuses, reasons = (batch.column(name).to_pylist() for name in ("method", "status", "reason"))
        for method, status, reason in zip(methods, statuses, reasons, strict=True):
            counts.strata[_stratum(counts.strata, method, status, reason)] += 1
        _count_grades(batch.column("grades"), statuses, counts.grades)
    return counts


def sample_rows(path: Path, counts: RowCounts, limit: int) -> list[Row]:
    """At most `limit` rows of the file, always the same ones, in the order of the file.

    Each stratum has at least MIN_ROWS_PER_STRATUM of its rows as far as there are as many; the others are drawn in
    proportion. An id is a hash, so the smallest ids are a random sample.
    """
    quota, index = quotas(counts.strata, limit), 0
    drawn: dict[tuple[str, Outcome], list[tuple[int, int]]] = {stratum: [] for stratum in quota}
    for batch in column_batches(path, ("method", "status", "reason", "id")):
        columns = (batch.column(name).to_pylist() for name in ("method", "status", "reason", "id"))
        for method, status, reason, row_id in zip(*columns, strict=True):
            stratum = _stratum(quota, method, status, reason)
            heap, entry = drawn[stratum], (-int(row_id, 16), index)
            if len(heap) < quota[stratum]:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)
            index += 1
    return StoredRows(path).take(sorted(index for heap in drawn.values() for _, index in heap))


def quotas(sizes: Mapping[Key, int], limit: int) -> dict[Key, int]:
    """How many rows of each stratum are drawn, `limit` in all at most."""
    if sum(sizes.values()) <= limit:
        return dict(sizes)
    floor = max(1, min(MIN_ROWS_PER_STRATUM, limit // len(sizes)))
    quota = {stratum: min(size, floor) for stratum, size in sizes.items()}
    left, rest = max(0, limit - sum(quota.values())), sum(sizes.values()) - sum(quota.values())
    return {stratum: least + (sizes[stratum] - least) * left // rest for stratum, least in quota.items()}


def _stratum(known: Mapping[tuple[str, Outcome], int], method: str, status: str, reason: str) -> tuple[str, Outcome]:
    stratum = (method, (status, cause(status, reason)))
    is_new = stratum not in known and (len(known) >= MAX_STRATA or (method, (status, OTHER_CAUSES)) in known)
    return (method, (status, OTHER_CAUSES)) if is_new else stratum


def _count_grades(column: pyarrow.ListArray, statuses: list[str], grades: dict[str, GradeCounts]) -> None:
    """Add the grades of a batch."""
    fields = column.flatten()
    rows = column.value_parent_indices().to_pylist()
    columns = (fields.field(name).to_pylist() for name in ("grader", "score", "evidence"))
    for row, grader, score, evidence in zip(rows, *columns, strict=True):
        counts = grades.setdefault(grader, GradeCounts())
        counts.scores[round(score, 2), statuses[row] == "kept"] += 1
        counts.evidence.add(evidence)
