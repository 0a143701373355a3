"""Write the synthetic rows that are safe to train on: no benchmark questions, copies, duplicates or blank rows."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from selfsown import progress
from selfsown.atomic import atomic_path
from selfsown.audit.data_source import DataSource
from selfsown.audit.scan import DatasetScan, full_text, is_blank, row_number
from selfsown.errors import SelfsownError
from selfsown.files.record_copy import copy_records, suffixes, write_parquet
from selfsown.files.remote import local_file
from selfsown.records import Row
from selfsown.tasks import dataset
from selfsown.text.near_duplicates import NearDuplicateIndex

KINDS = {  # of reasons to drop a row, the first that applies; of one row, and of several
    "benchmark": ("contains a benchmark question", "contain a benchmark question"),
    "blank": ("is blank", "are blank"),
    "copy": ("is a copy of a real row", "are copies of real rows"),
    "near_copy": ("is a near copy of a real row", "are near copies of real rows"),
    "duplicate": ("is a duplicate of another row", "are duplicates of another row"),
    "near_duplicate": ("is a near duplicate of another row", "are near duplicates of another row"),
}
_REAL = "real row "  # begins the name of a real row


@dataclass(frozen=True)
class Dropped:
    """What was written and what was left out. counts: dropped rows by kind of reason."""

    out: Path
    row_count: int
    counts: dict[str, int]

    @property
    def kept(self) -> int:
        return self.row_count - sum(self.counts.values())

    @property
    def sentences(self) -> list[str]:
        reasons = [f"{count:,} {KINDS[kind][count != 1]}" for kind, count in self.counts.items() if count]
        total = sum(self.counts.values())
        return [
            f"Dropped {total:,} of {self.row_count:,} rows{': ' if reasons else ''}{', '.join(reasons)}; "
            f"{self.kept:,} rows written to {self.out}, the reasons by line to {reasons_path(self.out)}.",
            "Variety and bias cannot be repaired by dropping rows; for these, generate other rows.",
        ]


def reasons_path(out: Path) -> Path:
    """The file with the line and the reason of each dropped row."""
    return out.with_name(f"{out.name}.dropped.jsonl")


def check_destination(out: Path, source: DataSource, inputs: Iterable[Path], option: str = "--drop") -> None:
    """SelfsownError: the file would replace an input or a file from elsewhere, or cannot be written.

    option: by which the user named it.
    """
    if source.columns.trajectory:
        raise SelfsownError(
            f"{option} leaves out whole records, and a record of {source.name} is a trajectory of several rows; omit it"
        )
    if out.is_dir() or not out.parent.is_dir():
        reason = "it is a folder" if out.is_dir() else f"there is no folder {out.parent}"
        raise SelfsownError(f"{option} is {out}, but {reason}; name a file in an existing folder")
    if not os.access(out.parent, os.W_OK):
        raise SelfsownError(f"{option} is {out}, but {out.parent} is not writable; name another folder")
    for path in (out, reasons_path(out)):
        if path.exists() and any(source_path.exists() and path.samefile(source_path) for source_path in inputs):
            raise SelfsownError(f"{option} is {out}, but {path} is an input; name another file")
        if path.exists() and not _is_from_earlier_drop(reasons_path(out)):
            raise SelfsownError(
                f"{option} is {out}, but {path} exists and is not from an earlier drop; name a new file"
            )
    fitting = (".parquet", ".pq") if isinstance(source.task, dataset.Task) else suffixes(local_file(source.task.path))
    if out.suffix.lower() not in fitting:
        raise SelfsownError(
            f"{option} is {out}, but the rows of {source.name} are written as {fitting[0]}; "
            f"name a file: {option} {out.with_suffix(fitting[0])}"
        )


def _is_from_earlier_drop(reasons: Path) -> bool:
    """Whether the first line, if there is any, has a line and a reason."""
    try:
        with reasons.open(encoding="utf-8") as file:
            line = file.readline()
        return not line or set(json.loads(line)) == {"line", "reason"}
    except (OSError, ValueError, TypeError):
        return False


def drop(synthetic: DataSource, real: DataSource, scan: DatasetScan, out: Path) -> Dropped:
    """Write the safe rows to `out`, and why the others are not to the file beside it; both or none of them.

    scan: of all synthetic rows, with the benchmark questions found.
    """
    reasons, counts = _unsafe_rows(synthetic, real, scan.benchmark_rows)
    write_rows(synthetic, out, reasons)
    return Dropped(out, scan.row_count, {kind: counts[kind] for kind in KINDS})


def write_rows(source: DataSource, out: Path, reasons: Mapping[int, str]) -> None:
    """Write the rows that no reason is given for to `out`, and the reasons to the file beside it; both or none of them.

    reasons: why rows are dropped, by their number.
    """
    lines = reasons_path(out)
    with atomic_path(out) as partial, atomic_path(lines) as partial_lines:  # the reasons appear first
        with partial_lines.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"line": line, "reason": why}) + "\n" for line, why in reasons.items())
        if isinstance(source.task, dataset.Task):
            write_parquet(source.task.tables(), partial, reasons)
        else:
            copy_records(local_file(source.task.path), partial, reasons)


def _unsafe_rows(
    synthetic: DataSource, real: DataSource, benchmark_rows: dict[int, str]
) -> tuple[dict[int, str], Counter[str]]:
    """Why rows are to be dropped, by row number; and how many of them for each kind of reason."""
    index = NearDuplicateIndex()
    for row in progress.track(real.rows(), f"indexing {real.name}", unit="rows"):
        index.add(full_text(row), f"{_REAL}{row_number(row)}")
    reasons, counts = dict[int, str](), Counter[str]()
    for row in progress.track(synthetic.rows(), f"dropping rows of {synthetic.name}", unit="rows"):
        number = row_number(row)
        if benchmark := benchmark_rows.get(number):
            kind, reason = "benchmark", f"contains a question of {benchmark}"
        else:
            kind, reason = _flaw(row, index)
        if kind:
            reasons[number] = reason
            counts[kind] += 1
    return reasons, counts


def _flaw(row: Row, index: NearDuplicateIndex) -> tuple[str, str]:
    """The kind of a row's flaw and the reason in words; a row without one is added to the index."""
    if is_blank(row):
        return "blank", "blank: no text, or none after the prompt"
    text = full_text(row)
    is_exact = bool(index.exact(text))
    name = index.near_or_add(text, f"row {row_number(row)}")
    if not name:
        return "", ""
    words = "copy" if name.startswith(_REAL) else "duplicate"
    near = "" if is_exact else "near "
    return f"{near}{words}".replace(" ", "_"), f"{near}{words} of {name}"
