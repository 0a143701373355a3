"""A data set in one reading: every row is counted, hashed and looked up, and a sample of whole rows is kept."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from selfsown.audit.examined import Examination
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task, dataset, file
from selfsown.text import normal

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Columns:
    """Which columns hold what; the usual names are known without."""

    text: str = ""
    prompt: str = ""
    answer: str = ""
    attributes: tuple[str, ...] = ()


@dataclass
class Side:
    """One data set. said: eight bytes of what each row says, letter case and spaces aside; letters: how many characters
    each has; sample: whole rows, drawn so that each had the same chance."""

    name: str
    rows: int = 0
    said: array[int] = field(default_factory=lambda: array("Q"))
    letters: array[int] = field(default_factory=lambda: array("L"))
    sample: list[Row] = field(default_factory=list)

    @property
    def hashes(self) -> Array:
        return np.frombuffer(self.said, np.uint64)

    @property
    def lengths(self) -> Array:
        return np.frombuffer(self.letters, np.uint64)


def opened(path: str, columns: Columns) -> Task:
    """A file of rows, or a folder of the `datasets` library."""
    if not Path(path).exists():
        raise SelfsownError(
            f"there is no {path}; name a file of rows (JSON lines, CSV, Parquet, text …) "
            "or a folder of the datasets library"
        )
    kind = dataset.World if Path(path).is_dir() else file.World
    return kind(path, text=columns.text, prompt=columns.prompt, answer=columns.answer, attributes=columns.attributes)


def read(
    world: Task,
    most: int,
    seed: int,
    examination: Examination | None = None,
    tell: Callable[[int], None] | None = None,
) -> Side:
    """The whole data set, read once; `most` rows of it are kept. tell is told the count, now and then."""
    rng, side = random.Random(seed), Side(world.name)
    rows: Iterable[Row] = world.pose(seed)
    for at, row in enumerate(rows):
        text = words_of(row)
        plain = normal(text)
        side.said.append(hashed(plain))
        side.letters.append(len(text))
        if examination:
            examination.meet(row, plain)
        if at < most:
            side.sample.append(row)
        elif (place := rng.randrange(at + 1)) < most:
            side.sample[place] = row
        if tell and at % 10_000 == 0:
            tell(at)
    side.rows = len(side.said)
    rng.shuffle(side.sample)
    return side


def words_of(row: Row) -> str:
    """All that a row says."""
    return f"{row.prompt}\n{row.answer}" if row.prompt else row.answer


def hashed(plain: str) -> int:
    """Eight bytes of a text."""
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest())
