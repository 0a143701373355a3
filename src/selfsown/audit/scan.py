"""One pass over a data set: every row is counted, hashed and matched with benchmarks, and a random sample is kept."""

from __future__ import annotations

import hashlib
import random
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from selfsown import progress
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.data_source import DataSource
from selfsown.audit.text_format import text_form
from selfsown.records import Row
from selfsown.signals.attributes import Attributes, valued
from selfsown.text.near_duplicates import Array, duplicate_rate
from selfsown.text.normalize import normal, unified

BATCH_ROWS = 1000


@dataclass
class DatasetScan:
    """What is kept of a data set after one pass.

    columns: the columns that were read.
    row_count: number of rows, blank ones included.
    blank_count: number of rows without an answer or text.
    row_hash_buffer: 64-bit hash of the normalized text of each row that is not blank.
    answer_hash_buffer: likewise of the answer of each row with a prompt.
    length_buffer: length in characters of each row that is not blank.
    form_counts: how many of them have each text form.
    values: by attribute, its value in each of them.
    benchmark_rows: by row number, a benchmark of which the row contains a question.
    sample: rows drawn uniformly at random, in random order.
    """

    name: str
    columns: tuple[str, ...] = ()
    row_count: int = 0
    blank_count: int = 0
    row_hash_buffer: array[int] = field(default_factory=lambda: array("Q"))
    answer_hash_buffer: array[int] = field(default_factory=lambda: array("Q"))
    length_buffer: array[int] = field(default_factory=lambda: array("L"))
    form_counts: Counter[str] = field(default_factory=Counter)
    values: dict[str, list[str]] = field(default_factory=dict)
    benchmark_rows: dict[int, str] = field(default_factory=dict)
    sample: list[Row] = field(default_factory=list)

    @property
    def row_hashes(self) -> Array:
        return np.frombuffer(self.row_hash_buffer, np.uint64)

    @property
    def answer_hashes(self) -> Array:
        return np.frombuffer(self.answer_hash_buffer, np.uint64)

    @property
    def lengths(self) -> Array:
        return np.frombuffer(self.length_buffer, np.uint64)


def scan(
    source: DataSource,
    sample_size: int,
    seed: int,
    benchmarks: BenchmarkMatches | None = None,
    attributes: Attributes | None = None,
) -> DatasetScan:
    """Read the whole data set once and keep a sample of `sample_size` rows (reservoir sampling).

    attributes: those whose values are kept of every row; no joint ones.
    """
    rng = random.Random(seed)
    result = DatasetScan(
        source.name, tuple(source.columns.column_names), values={name: [] for name in attributes or {}}
    )
    batch: list[Row] = []
    for index, row in enumerate(progress.track(source.rows(), f"reading {source.name}", unit="rows")):
        text = full_text(row)
        if normalized := normal(text):
            result.row_hash_buffer.append(text_hash(normalized))
            comparable = unified(text)
            result.length_buffer.append(len(comparable))
            result.form_counts[text_form(comparable)] += 1
            if row.prompt:
                result.answer_hash_buffer.append(text_hash(normal(row.answer)))
            if benchmarks and (benchmark := benchmarks.match(row, normalized)):
                result.benchmark_rows[row_number(row)] = benchmark
            batch.append(row)
        if len(batch) == BATCH_ROWS:
            _add_values(result, batch, attributes or {})
            batch = []
        result.blank_count += is_blank(row)
        if index < sample_size:
            result.sample.append(row)
        elif (replaced := rng.randrange(index + 1)) < sample_size:
            result.sample[replaced] = row
        result.row_count += 1
    _add_values(result, batch, attributes or {})
    rng.shuffle(result.sample)
    return result


def _add_values(result: DatasetScan, rows: Sequence[Row], attributes: Attributes) -> None:
    """Add the rows' values of each attribute; equal values are one object, so that a row takes eight bytes."""
    for name, values in result.values.items():
        values += map(sys.intern, valued(rows, name, attributes))


def full_text(row: Row) -> str:
    """Prompt and answer of a row as one text."""
    return f"{row.prompt}\n{row.answer}" if row.prompt else row.answer


def shown_text(row: Row) -> str:
    """A row for a reader: prompt and answer with an arrow between them."""
    return f"{row.prompt} → {row.answer}" if row.prompt else row.answer


def answer_text(row: Row) -> str:
    """The answer of a row."""
    return row.answer


def is_blank(row: Row) -> bool:
    """Whether a row has no text, or none after its prompt."""
    return not normal(row.answer)


def row_number(row: Row) -> int:
    """The row's line or number in its file, from 1."""
    return int(row.source.rpartition(":")[2])


def text_hash(normalized: str) -> int:
    """A 64-bit hash of a text in normal form."""
    return int.from_bytes(hashlib.blake2b(normalized.encode("utf-8", "replace"), digest_size=8).digest())


def exact_duplicate_rates(synthetic: DatasetScan, real: DatasetScan) -> tuple[float, float]:
    """The share of all rows that equal another row of their data set; more rows have more of them."""
    hashes = synthetic.row_hashes, real.row_hashes
    ours, theirs = (duplicate_rate(side, len(side)) for side in hashes)
    return ours, theirs


def copy_rate(synthetic: DatasetScan, real: DatasetScan) -> float:
    hashes = synthetic.row_hashes
    return float(np.isin(hashes, real.row_hashes).mean()) if len(hashes) else 0.0


def median_length(scan: DatasetScan) -> float:
    return float(np.median(scan.lengths)) if len(scan.lengths) else 0.0
