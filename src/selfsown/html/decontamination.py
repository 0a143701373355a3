"""Decontamination on a page: planted copies found, clean rows rejected, and rejected rows beside their questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfsown.calibration.decontamination import FILE, KIND_NAMES, Decontamination, Rate, RejectedExample
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.elements import Table
from selfsown.html.formatting import visible
from selfsown.run_folder import RunFolder


@dataclass(frozen=True)
class DecontaminationSection:
    """rates: shares with their intervals. removed: a sample of the rejected rows; clean: rejected real rows."""

    sentences: list[str]
    rates: Table
    removed: Table | None
    clean: Table | None


def section(folder: Path) -> DecontaminationSection | None:
    """None where the folder has no measurement."""
    with damaged_if_unreadable(folder / f"{FILE}.json"):
        measured = Decontamination.of(RunFolder(folder))
    if not measured:
        return None
    rows = [[KIND_NAMES[kind], *_cells(rate)] for kind, rate in measured.recall.items()]
    rows += [["real rows apart, rejected", *_cells(measured.clean)]] if measured.clean.n else []
    head = ["row", "question", "text of the question", "reason"]
    return DecontaminationSection(
        sentences=measured.sentences(),
        rates=Table(["rows", "rejected", "of", "share", "95 % interval"], rows, "What the step rejects of test rows"),
        removed=_examples(head, measured.removed_examples, "Rejected rows, drawn at random, and their questions"),
        clean=_examples(head, measured.clean_examples, "Real rows that would be rejected, and the questions"),
    )


def _cells(rate: Rate) -> list[str]:
    percent, interval = rate.in_words
    return [f"{rate.hits:,}", f"{rate.n:,}", percent, interval]


def _examples(head: Sequence[str], examples: Sequence[RejectedExample], caption: str) -> Table | None:
    cells = [(example.row, example.name, example.question, example.reason) for example in examples]
    rows = [[visible(cell) for cell in line] for line in cells]
    return Table(head, rows, caption) if rows else None
