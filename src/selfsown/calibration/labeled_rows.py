"""Rows of which it is known whether they are good: from a file of labels, or real rows with mutants of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfsown.calibration.mutants import mutants
from selfsown.files.column_detection import HEAD_RECORDS, detect_columns
from selfsown.files.column_mapping import is_missing
from selfsown.files.readers import records
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task

GOOD, BAD = ("good", "right", "correct", "true", "yes", "1"), ("bad", "wrong", "incorrect", "false", "no", "0")
OURS = ("label", "score", "source", "target")  # columns that are not metadata


@dataclass(frozen=True)
class Labelled:
    """A row, and whether it is good; kind: how a bad one was made, where that is known."""

    row: Row
    good: bool

    @property
    def kind(self) -> str:
        return self.row.metadata.get("mutant", "")


def of_file(path: Path, task: Task, few: int, seed: int) -> list[Labelled]:
    """Rows of the file, of whole prompts drawn at random, so that siblings stay together, until they are `few`."""
    listed = list(records(path))
    if not listed:
        raise SelfsownError(f"{path} is empty; it should hold a row and its label a line")
    columns = detect_columns(str(path), [record for _, record in listed[:HEAD_RECORDS]], ("", "", ""), ())
    taken = {*columns.column_names, "messages", "text", *OURS}
    found: dict[str, list[Labelled]] = {}
    for at, record in listed:
        prompt, answer, traits = columns.read(at, record)
        if not answer:
            raise SelfsownError(f"{path}:{at} has no answer that a grader could judge; leave it out")
        read = task.read(prompt, answer)
        base = read if isinstance(read, Row) else Row(prompt, answer)
        own = {name: str(value) for name, value in record.items() if name not in taken and not is_missing(value)}
        target, source = ("" if is_missing(record.get(name)) else str(record[name]) for name in ("target", "source"))
        row = replace(
            base, answer=answer, target=target, source=source, origin="synthetic", method="labelled", sample_index=at
        )
        row = replace(row, metadata={**base.metadata, **traits, **own})
        found.setdefault(prompt or answer, []).append(Labelled(row, _good(path, at, record)))
    chosen = _few(list(found.values()), few, seed)
    good = sum(each.good for each in chosen)
    if not 0 < good < len(chosen):
        kind, other = ("good", "bad") if good else ("bad", "good")
        raise SelfsownError(
            f"{path}: all of the {len(chosen)} rows taken are {kind}; a grader is measured on both: add {other} ones"
        )
    return chosen


def of_real(rows: Sequence[Row], task: Task, few: int, seed: int) -> list[Labelled]:
    """Half of them real rows with their known answer, half mutants."""
    known = [row for row in rows if row.target]
    if not known:
        raise SelfsownError("no real row has a known answer to be tested with; bring labelled rows: --labels FILE")
    some = random.Random(seed).sample(known, min(len(known), max(1, few // 2)))
    bad = {row.parents[0]: row for row in mutants(some, task, seed)}
    pairs = [(replace(row, answer=row.target), bad[row.id]) for row in some if row.id in bad]
    if not pairs:
        raise SelfsownError("of no real row a wrong one could be made; bring labelled rows: --labels FILE")
    return [Labelled(row, good) for pair in pairs for row, good in zip(pair, (True, False), strict=True)]


def _few(groups: list[list[Labelled]], few: int, seed: int) -> list[Labelled]:
    order = random.Random(seed).sample(range(len(groups)), len(groups))
    chosen, count = set[int](), 0
    for at in order:
        if not chosen or count + len(groups[at]) <= few:
            chosen.add(at)
            count += len(groups[at])
    return [each for at, group in enumerate(groups) if at in chosen for each in group]


def _good(path: Path, at: int, record: dict[str, Any]) -> bool:
    """The row's label: a word, or a score of which half is enough."""
    named = next((name for name in ("label", "score") if record.get(name) is not None), None)
    if named is None:
        there = ", ".join(map(str, record)) or "none"
        raise SelfsownError(f"{path}:{at} has no column 'label' or 'score'; there is: {there}")
    said = str(record[named]).strip().casefold()
    if said in GOOD or said in BAD:
        return said in GOOD
    try:
        score = float(said)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise SelfsownError(
            f"{path}:{at} has the {named} {record[named]!r}; it must be good, bad or a number from 0 to 1"
        )
    return score >= 0.5
