"""Texts of many rows in a temporary file, so that memory does not grow with their length."""

from __future__ import annotations

import os
from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from tempfile import TemporaryFile
from types import TracebackType
from typing import overload

PAIRS_AT_ONCE = 1000  # read from the file, where all are


class TextPairs(Sequence[tuple[str, str]]):
    """Pairs of texts, of which a subclass has one at a time."""

    @abstractmethod
    def pair(self, place: int) -> tuple[str, str]:
        """The pair at a place from 0."""

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        if isinstance(place, slice):
            return [self.pair(index) for index in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self.pair(place % len(self))


class ReorderedTexts(TextPairs):
    """The pairs at these places, in this order."""

    def __init__(self, pairs: TextPairs, places: Sequence[int]) -> None:
        self._pairs, self._places = pairs, places

    def __len__(self) -> int:
        return len(self._places)

    def pair(self, place: int) -> tuple[str, str]:
        return self._pairs.pair(self._places[place])


class StoredTexts(TextPairs):
    """Pairs of texts, such as prompts and answers, read from the file by their place; 16 bytes of memory a pair."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._file, self._ends = TemporaryFile(), array("Q", [0])  # noqa: SIM115 - closed by __exit__
        for pair in pairs:
            for text in pair:
                self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))
        self._file.flush()

    def __len__(self) -> int:
        return len(self._ends) // 2

    def pair(self, place: int) -> tuple[str, str]:
        start, middle, end = self._ends[2 * place : 2 * place + 3]
        both = os.pread(self._file.fileno(), end - start, start)
        return both[: middle - start].decode("utf-8", "surrogatepass"), both[middle - start :].decode(
            "utf-8", "surrogatepass"
        )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """All pairs in order, PAIRS_AT_ONCE read at a time."""
        for first in range(0, len(self), PAIRS_AT_ONCE):
            ends = self._ends[2 * first : 2 * (first + PAIRS_AT_ONCE) + 1]
            read = os.pread(self._file.fileno(), ends[-1] - ends[0], ends[0])
            texts = [read[start - ends[0] : end - ends[0]] for start, end in pairwise(ends)]
            decoded = [text.decode("utf-8", "surrogatepass") for text in texts]
            yield from zip(decoded[::2], decoded[1::2], strict=True)

    def __enter__(self) -> StoredTexts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
