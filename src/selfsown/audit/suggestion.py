"""Columns that could be checked for bias: both files have them, with few values."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import islice

from selfsown.audit.data_source import DataSource
from selfsown.audit.options import AuditOptions
from selfsown.files.column_mapping import is_missing

MAX_ROWS = 10_000  # of either file, that are looked at
MAX_VALUES = 30
MIN_ROWS_PER_VALUE = 5  # on average: with fewer, a column names rows
MAX_JOINT_VALUES = 100  # of two attributes together
MAX_COLUMNS = 4


@dataclass(frozen=True)
class Suggestion:
    """columns: how many values each has, fewest first. command: the same audit with these attributes."""

    columns: dict[str, int]
    command: str


def suggest_attributes(
    synthetic: str, real: str, sources: Sequence[DataSource], options: AuditOptions
) -> Suggestion | None:
    """What `--attribute` could name; None where there is no such column."""
    sides = [_value_counts(source) for source in sources]
    columns = {}
    for name in sides[0].keys() & sides[1].keys():
        values, rows = {*sides[0][name], *sides[1][name]}, sum(side[name].total() for side in sides)
        if 2 <= len(values) <= min(MAX_VALUES, rows / MIN_ROWS_PER_VALUE):
            columns[name] = len(values)
    if not columns:
        return None
    chosen = dict(sorted(columns.items(), key=lambda item: (item[1], item[0]))[:MAX_COLUMNS])
    names = list(chosen)
    if len(names) > 1 and chosen[names[0]] * chosen[names[1]] <= MAX_JOINT_VALUES:
        names.append(f"{names[1]}+{names[0]}")
    return Suggestion(chosen, _command(synthetic, real, options, names))


def _value_counts(source: DataSource) -> dict[str, Counter[str]]:
    """How often each value of the other columns occurs in the first rows; columns of lists and objects are left out."""
    used, counts = set(source.columns.column_names), dict[str, Counter[str]]()
    other = [name for name in source.available if name not in used and "+" not in name]
    unsuitable = set[str]()
    for _, record in islice(source.task.records(), MAX_ROWS):
        for name in other:
            value = record.get(name)
            if isinstance(value, str | int | float) and not is_missing(value) and value != "":
                counts.setdefault(name, Counter())[str(value)] += 1
            elif value is not None and value != "":
                unsuitable.add(name)
        other = [name for name in other if len(counts.get(name, ())) <= MAX_VALUES]
    return {name: counts[name] for name in other if name in counts and name not in unsuitable}


def _command(synthetic: str, real: str, options: AuditOptions, names: Sequence[str]) -> str:
    words = ["selfsown", "audit", synthetic, "--against", real]
    for option in fields(options):
        value = getattr(options, option.name)
        if value != option.default:
            for item in value if isinstance(value, tuple) else (value,):
                words += [f"--{option.name.replace('_', '-')}", str(item)]
    for name in names:
        words += ["--attribute", name]
    return shlex.join(words)
