"""Many rows searched in order: the first ones here, the others in several processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from selfsown.processes import map_forked, usable_processes
from selfsown.records import Row
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY

START_ROWS = 2_000  # searched before processes are started, which take no longer than a few dozen rows
BATCH_ROWS = 200
BATCH_CHARACTERS = 1_000_000  # a batch is full with so many, however few rows they are
BATCH_SECONDS = 1.0  # after which it is not waited for more rows: a model may be writing them

Search = Callable[[Row], str]  # why a row is rejected; "" where it is not
Batch = tuple[list[Row], list[tuple[str, str, str, bool]]]


def searched(rows: Iterable[Row], search: Search, processes: int = 0) -> Iterator[tuple[Row, str]]:
    """Each row with what `search` finds in its texts, in order.

    processes: 0 for one for each core, where the system can fork; 1 is this one. A few batches for each process are
    read ahead. Raises SelfsownError where a process ends by itself.
    """
    source = iter(rows)
    for row in islice(source, START_ROWS):
        yield row, search(row)
    processes = processes or usable_processes()
    next_rows = list(islice(source, 1))  # without any, no process is started
    rest = chain(next_rows, source)
    if processes == 1 or not next_rows:
        yield from ((row, search(row)) for row in rest)
        return

    def search_all(texts: list[tuple[str, str, str, bool]]) -> list[str]:
        return [search(_row(*parts)) for parts in texts]

    for batch, reasons in map_forked(search_all, _batches(rest), processes):
        yield from zip(batch, reasons, strict=True)


def _row(prompt: str, answer: str, problem: str, has_constraints: bool) -> Row:
    """A row with all that is searched."""
    return Row(prompt, answer, problem, metadata={CONSTRAINTS_KEY: ""} if has_constraints else {})


def _batches(rows: Iterable[Row]) -> Iterator[Batch]:
    """The rows in batches, each with the texts to send. An error of the rows is raised after those before it."""
    batch, texts = list[Row](), list[tuple[str, str, str, bool]]()
    characters, start = 0, time.monotonic()
    error: Exception | None = None
    try:
        for row in rows:
            batch.append(row)
            texts.append((row.prompt, row.answer, row.problem, CONSTRAINTS_KEY in row.metadata))
            characters += len(row.prompt) + len(row.answer) + len(row.problem)
            late = time.monotonic() - start > BATCH_SECONDS
            if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS or late:
                yield batch, texts
                batch, texts, characters, start = [], [], 0, time.monotonic()
    except Exception as raised:
        error = raised
    if batch:
        yield batch, texts
    if error:
        raise error
