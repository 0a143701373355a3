"""The end of `run` and `make`: a few of the rows that were made, and the commands that go on from there."""

from __future__ import annotations

import heapq
import random
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow
from rich.cells import cell_len
from rich.console import Console

from selfsown.errors import RunFolderError, one_line
from selfsown.files.row_parquet import StoredRows, column_batches
from selfsown.history import best_of
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import generation_dir
from selfsown.terminal.layout import print_line
from selfsown.terminal.preview import escape_hidden
from selfsown.text.excerpt import excerpt, fitting

ROWS_SHOWN = 10
UNWANTED_SHOWN = 3  # where no row was kept
CANDIDATES = 200  # rows among which varied ones are chosen
MAX_WIDTH = 100  # columns of a line
PROMPT_SHARE = 0.5  # of a line, at most
SHORT_DOCUMENT = 40  # columns; so short ones share lines
ARROW = " → "


def show_run_rows(folder: Path, recipe: Recipe, history: Sequence[Generation], console: Console) -> None:
    """Kept rows of the best generation, or of the latest that kept any."""
    best = best_of(history, recipe.goal)
    numbers = sorted((generation.number for generation in history[1:]), reverse=True)
    numbers.sort(key=lambda number: number != best.number)
    files = [(number, folder / generation_dir(number) / "rows.parquet") for number in numbers]
    for number, file in files:
        if rows := _varied_rows(file, "kept", recipe.seed, ROWS_SHOWN):
            of_best = ", the best," if number == best.number else ""
            _show(f"rows that generation {number}{of_best} kept", rows, folder, console)
            return
    _show_unwanted([file for _, file in files], recipe.seed, folder, console)


def show_made_rows(folder: Path, seed: int, console: Console) -> None:
    """Kept rows of a folder of `make`."""
    file = folder / "rows.parquet"
    if rows := _varied_rows(file, "kept", seed, ROWS_SHOWN):
        _show("kept rows", rows, folder, console)
    else:
        _show_unwanted([file], seed, folder, console)


def _show(title: str, rows: Sequence[Row], folder: Path, console: Console) -> None:
    size = min(console.width, MAX_WIDTH)
    print_line(console, f"{len(rows)} {title}:")
    for line in _row_lines(rows, size - 2):
        print_line(console, f"  {line}")
    text_format = "" if rows[0].prompt else " --format text"
    out = f"{folder.name}-data"
    print_line(console, f"Next: selfsown export {_quoted(folder)} {_quoted(out)}{text_format}")
    print_line(console, f"      selfsown explain {_quoted(folder)} {rows[0].id}")


def _show_unwanted(files: Iterable[Path], seed: int, folder: Path, console: Console) -> None:
    """Rejected or failed rows with their reasons, where no row was kept."""
    size = min(console.width, MAX_WIDTH)
    for status in ("rejected", "failed"):
        for file in files:
            rows = _varied_rows(file, status, seed, UNWANTED_SHOWN)
            if not rows:
                continue
            print_line(console, f"No row was kept; {len(rows)} of the {status} ones:")
            for row in rows:
                print_line(console, f"  {_row_line(row, size - 2)}")
                print_line(console, f"    {_excerpt(row.reason, size - 4)}")
            print_line(console, f"Next: selfsown explain {_quoted(folder)} {rows[0].id}")
            return


def _row_lines(rows: Sequence[Row], size: int) -> list[str]:
    """One line a row; short documents share lines."""
    texts = [_excerpt(row.answer, size) for row in rows]
    if not any(row.prompt for row in rows) and max(map(cell_len, texts)) <= SHORT_DOCUMENT:
        return fitting(texts, size, " · ", cell_len)
    return [_row_line(row, size) for row in rows]


def _row_line(row: Row, size: int) -> str:
    """Prompt and answer, each cut so that both are seen."""
    if not row.prompt:
        return _excerpt(row.answer, size)
    answer_width = cell_len(_excerpt(row.answer, size))
    room = size - len(ARROW)
    prompt = _excerpt(row.prompt, max(int(PROMPT_SHARE * room), room - answer_width))
    return f"{prompt}{ARROW}{_excerpt(row.answer, room - cell_len(prompt))}"


def _excerpt(text: str, size: int) -> str:
    return escape_hidden(excerpt(text, size, cell_len)) or "(empty)"


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))


def _varied_rows(file: Path, status: str, seed: int, count: int) -> list[Row]:
    """So many rows with this status, different from one another; always the same ones for the seed."""
    if not file.exists():
        return []
    try:
        return _most_varied(StoredRows(file).take(_drawn(file, status, seed)), count)
    except (pyarrow.ArrowException, KeyError) as error:
        raise RunFolderError(f"{file} is damaged ({one_line(error)}); restore the original") from error


def _drawn(file: Path, status: str, seed: int) -> list[int]:
    """Indices of rows with this status, drawn by the seed, in the order in which they were drawn."""
    rng, drawn, index = random.Random(seed), list[tuple[float, int]](), 0
    for batch in column_batches(file, ("status",)):
        for row_status in batch.column("status").to_pylist():
            if row_status == status:
                entry = (rng.random(), index)
                (heapq.heappush if len(drawn) < CANDIDATES else heapq.heappushpop)(drawn, entry)
            index += 1
    return [index for _, index in sorted(drawn)]


def _most_varied(rows: Sequence[Row], count: int) -> list[Row]:
    """One after the other, the row whose reason and text are least like those chosen before it."""
    marks = [_marks(row) for row in rows]
    likest = [0.0] * len(rows)  # to a row that was chosen
    chosen: list[int] = []
    reasons: Counter[str] = Counter()  # of those that were chosen
    for _ in range(min(count, len(rows))):
        left = (index for index in range(len(rows)) if index not in chosen)
        best = min(left, key=lambda index: (reasons[rows[index].reason], likest[index]))
        chosen.append(best)
        reasons[rows[best].reason] += 1
        likest = [max(value, _overlap(marks[best], mark)) for value, mark in zip(likest, marks, strict=True)]
    return [rows[index] for index in chosen]


def _marks(row: Row) -> set[str]:
    """What a row has in common with rows like it: its words and pairs of characters, its method and attributes."""
    text = f"{row.prompt}\n{row.answer}"[:1000].lower()
    pairs = {text[index : index + 2] for index in range(len(text) - 1)}
    return pairs | set(text.split()) | {row.method, *map("=".join, row.metadata.items())}


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))
