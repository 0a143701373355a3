"""The user's own rows: text with one document a line, JSON lines, CSV, TSV or Parquet, columns mapped by name."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfsown.kinds import Natural
from selfsown.records import Grade, Row, SelfsownError


@dataclass(frozen=True)
class World:
    """path: the file. text: the column of a document; or prompt and answer: the columns of a question and
    its answer. attributes: columns in which a bias would show. rows: use only so many, drawn at random (0: all)."""

    path: str
    text: str = ""
    prompt: str = ""
    answer: str = ""
    attributes: tuple[str, ...] = ()
    rows: Natural = 0

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def top_level(self) -> int:
        return 0

    @property
    def verifiable(self) -> bool:
        return False

    @property
    def forms(self) -> tuple[str, ...]:
        return ()

    def pose(self, seed: int) -> list[Row]:
        records = list(_records(Path(self.path)))
        if not records:
            raise SelfsownError(f"{self.path} is empty; it should hold one row a line")
        first = records[0][1]
        asked, answered = self._columns(first)
        rows: list[Row] = []
        for at, record in records:
            prompt, answer = self._value(at, record, asked) if asked else "", self._value(at, record, answered)
            traits = {column: self._value(at, record, column) for column in self.attributes}
            if not (prompt or answer).strip():
                continue  # a blank document, as a blank line
            rows.append(Row(prompt, answer, target=answer, maker=f"{self.name}:{at}", draw=len(rows), traits=traits))
        if 0 < self.rows < len(rows):
            rows = [rows[at] for at in sorted(random.Random(seed).sample(range(len(rows)), self.rows))]
        return rows

    def _value(self, at: int, record: dict[str, Any], column: str) -> str:
        """The text of a column; numbers are written out."""
        if column not in record:
            there = ", ".join(map(str, record)) or "none"
            raise SelfsownError(f"{self.path}:{at} has no column {column!r}; there is: {there}")
        value = record[column]
        if not isinstance(value, str | int | float):
            kind = "nothing" if value is None else f"a {type(value).__name__}"
            raise SelfsownError(f"{self.path}:{at} holds {kind} in column {column!r}; it must be text or a number")
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise SelfsownError(f"{self.path}:{at} holds half a character in column {column!r}; mend it") from error
        return str(value)

    def _columns(self, record: dict[str, Any]) -> tuple[str, str]:
        """The columns of prompt ("" for documents) and answer."""
        if self.prompt or self.answer:
            if not (self.prompt and self.answer):
                raise SelfsownError("real.file: prompt and answer go together; name both columns, or text alone")
            return self.prompt, self.answer
        if self.text:
            return "", self.text
        if "prompt" in record and "answer" in record:
            return "prompt", "answer"
        if "text" in record:
            return "", "text"
        there = ", ".join(map(str, record))
        raise SelfsownError(
            f"{self.path} has no column 'text', nor 'prompt' and 'answer'; say which to use of: {there}"
        )

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "it says nothing"

    def check(self, row: Row, answer: str) -> Grade:
        right = answer.strip() == row.target.strip()
        return Grade(float(right), "equals the answer" if right else "differs from the answer", trust="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record with its line (or row) number."""
    kind = path.suffix.lower()
    if not path.exists():
        raise SelfsownError(f"there is no file {path}; name the file of real rows: --set real=FILE")
    if path.is_dir():
        raise SelfsownError(f"{path} is a folder; name a file of real rows: .txt, .jsonl, .csv, .tsv or .parquet")
    if kind == ".parquet":
        yield from _parquet(path)
        return
    content = _utf8(path)
    if kind in (".jsonl", ".ndjson"):
        yield from _jsonl(path, content)
    elif kind in (".csv", ".tsv"):
        yield from _table(path, content, tabs=kind == ".tsv")
    else:
        lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        yield from ((at, {"text": line}) for at, line in enumerate(lines, 1) if line.strip())


def _utf8(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SelfsownError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SelfsownError(
            f"{path}:{line} is not UTF-8 text (byte {raw[error.start]:#x}); convert the file to UTF-8"
        ) from error


def _table(path: Path, content: str, *, tabs: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Fields between commas or tabs; a quote that is never closed is an error, not the rest of the file."""
    csv.field_size_limit(2**31 - 1)
    lines = io.StringIO(content, newline="")
    reader = csv.DictReader(lines, restkey="more", delimiter="\t" if tabs else ",", strict=True)
    try:
        for record in reader:
            yield reader.line_num, {name: value for name, value in record.items() if value is not None}
    except csv.Error as error:
        raise SelfsownError(f"{path}:{reader.line_num} is not CSV: {error}; put fields in quotes") from error


def _jsonl(path: Path, content: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for at, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise SelfsownError(f"{path}:{at} is not JSON: {error}; each line must be one object") from error
        if not isinstance(record, dict):
            raise SelfsownError(f"{path}:{at} is {type(record).__name__}, not an object; each line must be one object")
        yield at, record


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path, pre_buffer=False).read(use_threads=False)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise SelfsownError(f"{path} is not a Parquet file: {error}") from error
    yield from enumerate(table.to_pylist(), 1)
