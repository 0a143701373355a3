"""Records that make no row: each has a line and a reason, and either ends the reading or is skipped and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from selfsown.errors import DataError
from selfsown.records import SetAside

MAX_COLUMNS_SHOWN = 30  # in a message


class BadRecord(DataError):
    """One record that makes no row, while those after it may.

    line: its line or row number; blank: it has no text, which is not an error.
    """

    def __init__(self, source: str | Path, line: int, reason: str, *, blank: bool = False) -> None:
        super().__init__(f"{source}:{line} {reason}")
        self.line = line
        self.reason = reason
        self.blank = blank


def column_list(names: Iterable[object]) -> str:
    """Column names for a one-line message; unprintable names are quoted, and long lists are cut."""
    shown = [name if name.isprintable() else repr(name) for name in map(str, names)]
    more = f", … and {len(shown) - MAX_COLUMNS_SHOWN} more" if len(shown) > MAX_COLUMNS_SHOWN else ""
    return ", ".join(shown[:MAX_COLUMNS_SHOWN]) + more or "none"


OnBad = Callable[[BadRecord], None]


def raise_bad(error: BadRecord) -> None:
    """The default of readers: raise the error, unless the record is only blank."""
    if not error.blank:
        raise error


@dataclass
class SkippedRecords:
    """The records that one reading skipped: blank ones, and with `skip_bad` bad ones too.

    name: the source's name in places such as "rows.jsonl:12"; option: the recipe key that skips bad records.
    """

    name: str
    skip_bad: bool
    option: str
    items: list[SetAside] = field(default_factory=list)

    def add(self, error: BadRecord) -> None:
        """Skip the record. DataError: it is bad, and `skip_bad` is off."""
        if not (self.skip_bad or error.blank):
            raise DataError(f"{error}; to skip such records: --set {self.option}=true") from error
        cause = "blank" if error.blank else "unusable"
        self.items.append(SetAside(f"{self.name}:{error.line}", error.reason, cause))
