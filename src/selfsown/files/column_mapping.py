"""How the columns of a record become a row: a document, a prompt with its answer or without one, or a chat."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from selfsown.files.bad_records import BadRecord, OnBad, listed, refuse
from selfsown.files.chat_records import Chat, alpaca_traits
from selfsown.records import Row, SelfsownError

Record = dict[str, Any]
Said = tuple[str, str, dict[str, str]]  # prompt, answer, traits


@dataclass(frozen=True)
class Columns:
    """How a record of the source is read: prompt "" is a document, answer "" a prompt that nobody has answered, unless
    `chat` says which columns hold a chat.

    more: a column that goes on with the prompt, where it holds anything. beside: columns with what was said before the
    prompt; None where others than those named count for nothing. known: names under which an answer would stand, so
    that none is passed over. lenient: what holds nothing is a blank text, or an attribute that the row does not show,
    and blank rows are rows, too.
    """

    source: str
    prompt: str
    answer: str
    attributes: tuple[str, ...] = ()
    more: str = ""
    chat: Chat | None = None
    beside: tuple[str, ...] | None = None
    lenient: bool = False
    known: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[str]:
        chat = self.chat.wanted if self.chat else self.beside or ()
        return list(
            dict.fromkeys(name for name in (self.prompt, self.more, self.answer, *chat, *self.attributes) if name)
        )

    def rows(self, records: Iterable[tuple[int, Record]], maker: str, bad: OnBad = refuse) -> Iterator[Row]:
        """The row that each record makes. A bad record, or a blank one, makes none, and is given to `bad`."""
        draw = 0
        for at, record in records:
            try:
                prompt, answer, traits = self.read(at, record)
            except SelfsownError as error:
                bad(BadRecord(self.source, at, str(error).removeprefix(f"{self.source}:{at} ")))
                continue
            if not self.lenient:
                answer = "" if answer.isspace() else answer  # it is not known
                if why := self._blank(prompt, answer):
                    bad(BadRecord(self.source, at, why, blank=True))
                    continue
            yield Row(prompt, answer, target=answer, source=f"{maker}:{at}", sample_index=draw, metadata=traits)
            draw += 1

    def _blank(self, prompt: str, answer: str) -> str:
        """Why the record makes no row, in words; "" where it makes one. It may lack an answer, but not a prompt."""
        if (answer and not self.prompt) or (prompt and not prompt.isspace()):
            return ""
        if not self.prompt:
            return f"says nothing: its column {(self.chat.columns[0] if self.chat else self.answer)!r} is blank"
        return f"has no prompt: its column {self.prompt!r} is blank" + ", though it has an answer" * bool(answer)

    def read(self, at: int, record: Record) -> Said:
        """What the record says; SelfsownError with its place where it says nothing that fits."""
        traits = self._traits(at, record) if self.attributes else {}
        try:
            if self.chat:
                prompt, answer, told = self.chat.read(record)
                return prompt, answer, {**told, **traits}
            if not self.prompt:
                return "", self._value(at, record, self.answer), traits
            prompt = self._value(at, record, self.prompt)
            if self.more and not missing(added := record.get(self.more)) and added != "":
                prompt = f"{prompt}\n\n{self._value(at, record, self.more)}"
            if self.beside is not None:
                prompt, told = alpaca_traits(record, prompt)
                traits = {**told, **traits}
        except ValueError as error:
            raise SelfsownError(f"{self.source}:{at} {error}") from error
        return prompt, self._answer(at, record), traits

    def _answer(self, at: int, record: Record) -> str:
        """The answer, "" where there is none; SelfsownError where it stands under another name than elsewhere."""
        if self.answer and not missing(record.get(self.answer)):
            return self._value(at, record, self.answer)
        if stray := next((name for name in self.known if not missing(record.get(name))), ""):
            there = f"no {self.answer!r}" if self.answer else "the first records have none"
            raise SelfsownError(
                f"{self.source}:{at} has an answer in {stray!r}, and {there}; name the column of answers"
            )
        return ""

    def _traits(self, at: int, record: Record) -> dict[str, str]:
        found = {name: self._value(at, record, name) for name in self.attributes}
        return {name: _alike(value) for name, value in found.items() if value} if self.lenient else found

    def _value(self, at: int, record: Record, name: str) -> str:
        """The text of a column; numbers are written out, whole ones without a point."""
        value = record.get(name)
        if type(value) is str and value.isascii():
            return value
        if missing(value) and self.lenient:
            return ""
        if name not in record:
            raise SelfsownError(f"{self.source}:{at} has no column {name!r}; there is: {listed(record)}")
        if missing(value) or not isinstance(value, str | int | float):
            kind = "nothing" if missing(value) else f"a {type(value).__name__}"
            raise SelfsownError(f"{self.source}:{at} holds {kind} in column {name!r}; it must be text or a number")
        if isinstance(value, float) and math.isinf(value):
            raise SelfsownError(f"{self.source}:{at} holds an infinite number in column {name!r}; leave it out")
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise SelfsownError(f"{self.source}:{at} holds half a character in column {name!r}; mend it") from error
        if isinstance(value, bool):
            return str(value).lower()
        return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def missing(value: object) -> bool:
    """Whether a cell is empty: null, or NaN, which is how tables of numbers write it."""
    return value is None or value != value


def _alike(value: str) -> str:
    """Whole numbers, true and false as JSON writes them, whatever wrote the file."""
    if value.lower() in ("true", "false"):
        return value.lower()
    whole = re.fullmatch(r"(-?\d+)\.0+", value)
    return whole[1] if whole else value
