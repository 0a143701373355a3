"""Records that make no row: each has its place and a reason, and ends the reading or is set aside and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from selfsown.records import SelfsownError, SetAside

SHOWN = 30  # names of columns in a message


class BadRecord(SelfsownError):
    """One record that makes no row, while those after it may; blank: it says nothing, which is no error."""

    def __init__(self, source: str | Path, at: int, reason: str, *, blank: bool = False) -> None:
        super().__init__(f"{source}:{at} {reason}")
        self.at, self.reason, self.blank = at, reason, blank


def listed(names: Iterable[object]) -> str:
    """Names of columns for a message of one line, however strange and many they are."""
    found = [name if name.isprintable() else repr(name) for name in map(str, names)]
    more = f", … and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more or "none"


OnBad = Callable[[BadRecord], None]


def refuse(error: BadRecord) -> None:
    """For readings that need every record: raise the error, unless the record is only blank."""
    if not error.blank:
        raise error


@dataclass
class Collector:
    """What one reading set aside. With `skip` that is every bad record, otherwise the blank ones alone.

    name: how places call the source; option: the recipe's key that would skip bad records, for the error's remedy.
    """

    name: str
    skip: bool
    option: str
    items: list[SetAside] = field(default_factory=list)

    def add(self, error: BadRecord) -> None:
        """Set the record aside; SelfsownError where it is bad and nothing says that such ones may be skipped."""
        if not (self.skip or error.blank):
            raise SelfsownError(f"{error}; or leave such records out: --set {self.option}=true") from error
        self.items.append(SetAside(f"{self.name}:{error.at}", error.reason))
