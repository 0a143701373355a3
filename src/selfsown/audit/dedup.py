"""Write a file of rows without near-duplicates: of similar rows the first stays, and none that is like a known one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from selfsown import progress
from selfsown.audit.data_source import ColumnNames, open_source
from selfsown.audit.drop import check_destination, reasons_path, write_rows
from selfsown.audit.options import MAX_SIMILARITY
from selfsown.audit.scan import row_number
from selfsown.errors import SelfsownError
from selfsown.text.near_rows import near_duplicates
from selfsown.text.stored_texts import StoredTexts


@dataclass(frozen=True)
class Deduplicated:
    """What was written. duplicates: rows like an earlier one; copies: those like a row of another file, by its name."""

    out: Path
    row_count: int
    duplicates: int
    copies: dict[str, int]

    @property
    def kept(self) -> int:
        return self.row_count - self.duplicates - sum(self.copies.values())

    @property
    def sentences(self) -> list[str]:
        """What was dropped and written, in words."""
        of = {"an earlier row": self.duplicates, **{f"a row of {name}": count for name, count in self.copies.items()}}
        near = ", ".join(f"{count:,} near-duplicates of {name}" for name, count in of.items())
        reasons = reasons_path(self.out)
        return [
            f"Dropped {self.row_count - self.kept:,} of {self.row_count:,} rows: {near}.",
            f"{self.kept:,} rows written to {self.out}, the reasons by line to {reasons}.",
        ]


def dedup(
    path: str, out: Path, against: Sequence[str], columns: ColumnNames, max_similarity: float = MAX_SIMILARITY
) -> Deduplicated:
    """Write the rows of `path` that are like no earlier row, and no row of the files `against`, to `out`, and why the
    others are not to the file beside it; both or none of them.

    max_similarity: the cosine of prompts and of answers from which rows count as near-duplicates. Texts and sketches
    are in temporary files: 512 bytes and the text itself for each row. SelfsownError: `out` cannot be
    written, or the threshold is no cosine.
    """
    if not 0 < max_similarity <= 1:
        raise SelfsownError(f"--max-similarity is {max_similarity:g}; it must be above 0 and at most 1")
    known = [open_source(name, columns) for name in against]
    source = open_source(path, columns)
    check_destination(out, source, [Path(name) for name in (path, *against)], "--out")
    numbers = array("Q")
    counts = list[int]()

    def texts() -> Iterator[tuple[str, str]]:
        for data in (*known, source):
            before = len(numbers)
            for row in progress.track(data.rows(), f"reading {data.name}", unit="rows"):
                numbers.append(row_number(row))
                yield row.prompt, row.answer
            counts.append(len(numbers) - before)

    with StoredTexts(texts()) as stored:
        first = len(stored) - counts[-1]
        ends = [0, *accumulate(counts)]
        reasons, duplicates, copies = dict[int, str](), 0, dict.fromkeys(against, 0)
        for one, other, cosine in near_duplicates(stored, first, max_similarity):
            of = next((place for place, end in enumerate(ends[1:-1]) if one < end), None)
            name = "" if of is None else f" of {against[of]}"
            reasons[numbers[other]] = f"cosine {cosine:.2f} with row {numbers[one]}{name}"
            if of is None:
                duplicates += 1
            else:
                copies[against[of]] += 1
    write_rows(source, out, dict(sorted(reasons.items())))
    return Deduplicated(out, counts[-1], duplicates, copies)
