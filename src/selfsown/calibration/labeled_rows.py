"""Rows that are known to be good or bad: from a file of labels, or real rows and mutants of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selfsown.calibration.mutants import mutants
from selfsown.errors import DataError
from selfsown.files.column_detection import HEAD_RECORDS, NamedColumns, detect_columns
from selfsown.files.column_mapping import is_missing
from selfsown.files.readers import records
from selfsown.records import JsonObject, Row
from selfsown.tasks import Task

GOOD_LABELS = ("good", "right", "correct", "true", "yes", "1")
BAD_LABELS = ("bad", "wrong", "incorrect", "false", "no", "0")
MIN_GOOD_SCORE = 0.5
OWN_COLUMNS = ("label", "score", "source", "target")  # columns that do not become metadata


@dataclass(frozen=True)
class LabeledRow:
    row: Row
    good: bool

    @property
    def kind(self) -> str:
        """How a bad row was made, if that is known."""
        return self.row.metadata.get("mutant", "")


def labeled_from_file(path: Path, task: Task, max_rows: int, seed: int) -> list[LabeledRow]:
    """Rows of the file: whole prompts drawn at random, so that rows with one prompt stay together.

    max_rows: drawing stops before there are more, but takes at least one prompt. Raises DataError if the file is empty,
    a row has no answer or no label, or all rows have one label.
    """
    numbered = list(records(path))
    if not numbered:
        raise DataError(f"{path} is empty; expected one row with its label a line")
    columns = detect_columns(str(path), [record for _, record in numbered[:HEAD_RECORDS]], NamedColumns())
    if columns.trajectory:
        raise DataError(f"{path} has trajectories of agents, not rows with labels; export their turns and label these")
    by_prompt: dict[str, list[LabeledRow]] = {}
    for number, record in numbered:
        prompt, answer, metadata = columns.read(number, record)
        if not answer:
            raise DataError(f"{path}:{number} has no answer that a grader could judge; remove the row")
        parsed = task.read(prompt, answer)
        base = parsed if isinstance(parsed, Row) else Row(prompt, answer)
        used = {*columns.column_names, "messages", "text", *OWN_COLUMNS}
        other = {name: str(value) for name, value in record.items() if name not in used and not is_missing(value)}
        row = replace(
            base,
            answer=answer,
            target=_text(record, "target"),
            source=_text(record, "source"),
            origin="synthetic",
            method="labelled",
            sample_index=number,
            metadata={**base.metadata, **metadata, **other},
        )
        by_prompt.setdefault(prompt or answer, []).append(LabeledRow(row, _is_good(path, number, record)))
    return _with_both_labels(path, _draw_groups(list(by_prompt.values()), max_rows, seed))


def labeled_from_real(rows: Sequence[Row], task: Task, max_rows: int, seed: int) -> list[LabeledRow]:
    """Half of them real rows with their known answers, half mutants of these.

    Raises DataError if no real row has a known answer, or none of them can be made wrong.
    """
    known = [row for row in rows if row.target]
    if not known:
        raise DataError("no real row has a known answer to test with; provide labeled rows: --labels FILE")
    drawn = random.Random(seed).sample(known, min(len(known), max(1, max_rows // 2)))
    bad = {row.parents[0]: row for row in mutants(drawn, task, seed)}
    pairs = [(replace(row, answer=row.target), bad[row.id]) for row in drawn if row.id in bad]
    if not pairs:
        raise DataError("no wrong answer could be made of any real row; provide labeled rows: --labels FILE")
    return [LabeledRow(row, good) for pair in pairs for row, good in zip(pair, (True, False), strict=True)]


def _with_both_labels(path: Path, rows: list[LabeledRow]) -> list[LabeledRow]:
    good = sum(item.good for item in rows)
    if not 0 < good < len(rows):
        label, other = ("good", "bad") if good else ("bad", "good")
        raise DataError(
            f"{path}: all of the {len(rows)} rows drawn are {label}; a grader is measured on both: add {other} rows"
        )
    return rows


def _draw_groups(groups: list[list[LabeledRow]], max_rows: int, seed: int) -> list[LabeledRow]:
    """Whole groups in random order as long as they fit, at least one; the rows in the order of the file."""
    order = random.Random(seed).sample(range(len(groups)), len(groups))
    drawn, count = set[int](), 0
    for index in order:
        if not drawn or count + len(groups[index]) <= max_rows:
            drawn.add(index)
            count += len(groups[index])
    return [item for index, group in enumerate(groups) if index in drawn for item in group]


def _text(record: JsonObject, name: str) -> str:
    return "" if is_missing(record.get(name)) else str(record[name])


def _is_good(path: Path, number: int, record: JsonObject) -> bool:
    """The row's label: a word, or a score."""
    column = next((name for name in ("label", "score") if record.get(name) is not None), None)
    if column is None:
        available = ", ".join(map(str, record)) or "none"
        raise DataError(f"{path}:{number} has no column 'label' or 'score'; available: {available}")
    label = str(record[column]).strip().casefold()
    if label in GOOD_LABELS or label in BAD_LABELS:
        return label in GOOD_LABELS
    try:
        score = float(label)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise DataError(
            f"{path}:{number} has the {column} {record[column]!r}; it must be good, bad or a number from 0 to 1"
        )
    return score >= MIN_GOOD_SCORE
