"""Which columns of a record make a row: named by the recipe, or by the names that are usual.

What is usual: prompt and answer, prompt and completion, question and answer, instruction (with input) and
output, a chat in one of the shapes of `files.chats`, text (a document).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.files.chats import ALPACA, Chat, alpaca_traits, prompted, talk_of
from selfsown.records import Row, SelfsownError

PAIRS = (("prompt", "answer"), ("prompt", "completion"), ("question", "answer"), ("instruction", "output"))
Record = dict[str, Any]
Said = tuple[str, str, dict[str, str]]  # prompt, answer, traits


@dataclass(frozen=True)
class Columns:
    """How a record of the source is read: prompt "" is a document, unless `chat` says which columns hold a chat.

    more: a column that goes on with the prompt, where it holds anything. beside: those of ALPACA that the first record
    has; None where the user named the columns, and others count for nothing. lenient: what holds nothing is a blank
    text, or an attribute that the row does not show, and blank rows are rows, too.
    """

    source: str
    prompt: str
    answer: str
    attributes: tuple[str, ...] = ()
    more: str = ""
    chat: Chat | None = None
    beside: tuple[str, ...] | None = None
    lenient: bool = False

    @property
    def wanted(self) -> list[str]:
        chat = self.chat.wanted if self.chat else self.beside or ()
        return list(
            dict.fromkeys(name for name in (self.prompt, self.more, self.answer, *chat, *self.attributes) if name)
        )

    def rows(self, records: Iterable[tuple[int, Record]], maker: str) -> Iterator[Row]:
        """The row that each record makes; a blank one makes none, as a blank line."""
        draw = 0
        for at, record in records:
            prompt, answer, traits = self.read(at, record)
            if self.lenient or (prompt or answer).strip():
                yield Row(prompt, answer, target=answer, maker=f"{maker}:{at}", draw=draw, traits=traits)
                draw += 1

    def read(self, at: int, record: Record) -> Said:
        """What the record says; SelfsownError with its place where it says nothing that fits."""
        traits = self._traits(at, record) if self.attributes else {}
        try:
            if self.chat:
                prompt, answer, told = self.chat.read(record)
                return prompt, answer, {**told, **traits}
            prompt = self._value(at, record, self.prompt) if self.prompt else ""
            if self.more and record.get(self.more) not in (None, ""):
                prompt = f"{prompt}\n\n{self._value(at, record, self.more)}"
            if self.beside is not None:
                prompt, told = alpaca_traits(record, prompt)
                traits = {**told, **traits}
        except ValueError as error:
            raise SelfsownError(f"{self.source}:{at} {error}") from error
        return prompt, self._value(at, record, self.answer), traits

    def _traits(self, at: int, record: Record) -> dict[str, str]:
        found = {name: self._value(at, record, name) for name in self.attributes}
        return {name: _alike(value) for name, value in found.items() if value} if self.lenient else found

    def _value(self, at: int, record: Record, name: str) -> str:
        """The text of a column; numbers are written out, whole ones without a point."""
        value = record.get(name)
        if type(value) is str and value.isascii():
            return value
        if value is None and self.lenient:
            return ""
        if name not in record:
            there = ", ".join(map(str, record)) or "none"
            raise SelfsownError(f"{self.source}:{at} has no column {name!r}; there is: {there}")
        if not isinstance(value, str | int | float):
            kind = "nothing" if value is None else f"a {type(value).__name__}"
            raise SelfsownError(f"{self.source}:{at} holds {kind} in column {name!r}; it must be text or a number")
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise SelfsownError(f"{self.source}:{at} holds half a character in column {name!r}; mend it") from error
        if isinstance(value, bool):
            return str(value).lower()
        return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _alike(value: str) -> str:
    """Whole numbers, true and false as JSON writes them, whatever wrote the file."""
    if value.lower() in ("true", "false"):
        return value.lower()
    whole = re.fullmatch(r"(-?\d+)\.0+", value)
    return whole[1] if whole else value


def columns_of(source: str, first: Record, named: Sequence[str], attributes: tuple[str, ...]) -> Columns:
    """How to read records such as the first. named: the recipe's columns text, prompt and answer, "" where it says
    nothing."""
    text, prompt, answer = named
    if prompt or answer:
        if not (prompt and answer):
            raise SelfsownError(f"{source}: prompt and answer go together; name both columns, or text alone")
        return Columns(source, prompt, answer, attributes)
    if text:
        return Columns(source, "", text, attributes)
    if chat := prompted(first):
        return Columns(source, "", "", attributes, chat=chat)
    for prompt, answer in PAIRS:
        if prompt in first and answer in first:
            alpaca = prompt == "instruction"
            more = "input" if alpaca and "input" in first else ""
            beside = tuple(name for name in ALPACA if name in first) if alpaca else None
            return Columns(source, prompt, answer, attributes, more, beside=beside)
    if chat := talk_of(first):
        return Columns(source, "", "", attributes, chat=chat)
    if "text" in first:
        return Columns(source, "", "text", attributes)
    there = ", ".join(map(str, first))
    raise SelfsownError(f"{source} has no column 'text', nor 'prompt' and 'answer'; say which to use of: {there}")
