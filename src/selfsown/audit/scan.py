"""A data set in one reading: every row is counted, hashed and looked up, and a sample of whole rows is kept."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selfsown.audit.contamination import Examination
from selfsown.audit.data_source import Source
from selfsown.records import Row
from selfsown.text.normalize import normal, unified

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Side:
    """One data set. said, answered: eight bytes of what each row says, and of the answer to each prompt, letter case
    and spaces aside; letters: how many characters each has; rows: all, of them `blank` ones say nothing, or nothing
    after their prompt; sample: whole rows, drawn so that each had the same chance."""

    name: str
    columns: tuple[str, ...] = ()
    rows: int = 0
    blank: int = 0
    said: array[int] = field(default_factory=lambda: array("Q"))
    answered: array[int] = field(default_factory=lambda: array("Q"))
    letters: array[int] = field(default_factory=lambda: array("L"))
    sample: list[Row] = field(default_factory=list)

    @property
    def hashes(self) -> Array:
        return np.frombuffer(self.said, np.uint64)

    @property
    def answers(self) -> Array:
        return np.frombuffer(self.answered, np.uint64)

    @property
    def lengths(self) -> Array:
        return np.frombuffer(self.letters, np.uint64)


def read(
    source: Source,
    most: int,
    seed: int,
    examination: Examination | None = None,
    tell: Callable[[int], None] | None = None,
) -> Side:
    """The whole data set, read once; `most` rows of it are kept. tell is told the count, now and then."""
    rng, side = random.Random(seed), Side(source.name, tuple(source.columns.wanted))
    for at, row in enumerate(source.rows()):
        text = words_of(row)
        if plain := normal(text):
            side.said.append(hashed(plain))
            side.letters.append(len(unified(text)))
            if row.prompt:
                side.answered.append(hashed(normal(row.answer)))
            if examination:
                examination.meet(row, plain)
        side.blank += blank(row)
        if at < most:
            side.sample.append(row)
        elif (place := rng.randrange(at + 1)) < most:
            side.sample[place] = row
        if tell and at % 10_000 == 0:
            tell(at)
        side.rows += 1
    rng.shuffle(side.sample)
    return side


def words_of(row: Row) -> str:
    """All that a row says."""
    return f"{row.prompt}\n{row.answer}" if row.prompt else row.answer


def answer_of(row: Row) -> str:
    return row.answer


def blank(row: Row) -> bool:
    """Whether a row says nothing, or nothing after its prompt."""
    return not normal(row.answer)


def number(row: Row) -> int:
    """Where it stands in its data set: the line, or which row it is."""
    return int(row.source.rpartition(":")[2])


def hashed(plain: str) -> int:
    """Eight bytes of a text."""
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest())
