"""Which columns of a record make a row: named by the recipe, or by the names that are usual.

What is usual: prompt and answer, prompt and completion, question and answer, instruction (with input) and
output, messages (a chat), text (a document).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.records import Row, SelfsownError
from selfsown.text.talk import Turn, remembered, written_out

PAIRS = (("prompt", "answer"), ("prompt", "completion"), ("question", "answer"), ("instruction", "output"))
Record = dict[str, Any]
Said = tuple[str, str, dict[str, str]]  # prompt, answer, traits


@dataclass(frozen=True)
class Columns:
    """How a record of the source is read: prompt "" is a document, answer a chat where `chat` says so.

    more: a column that goes on with the prompt, where it holds anything. lenient: what holds nothing is a blank text,
    or an attribute that the row does not show, and blank rows are rows, too.
    """

    source: str
    prompt: str
    answer: str
    attributes: tuple[str, ...] = ()
    more: str = ""
    chat: bool = False
    lenient: bool = False

    @property
    def wanted(self) -> list[str]:
        return list(dict.fromkeys(name for name in (self.prompt, self.more, self.answer, *self.attributes) if name))

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
        if self.chat:
            before, answer, system = self._talk(at, record)
            told = {"system": system} if system else {}
            return written_out(before), answer, {**told, **remembered(before), **traits}
        prompt = self._value(at, record, self.prompt) if self.prompt else ""
        if self.more and record.get(self.more) not in (None, ""):
            prompt = f"{prompt}\n\n{self._value(at, record, self.more)}"
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

    def _talk(self, at: int, record: Record) -> tuple[list[Turn], str, str]:
        """What is asked, answer and system words of a chat: the last assistant turn answers what stands before it."""
        turns = [self._turn(at, turn) for turn in self._turns(at, record)]
        last = max((number for number, (role, _) in enumerate(turns) if role == "assistant"), default=-1)
        if last < 0:
            raise SelfsownError(f"{self.source}:{at} has no assistant turn in {self.answer!r}; nothing answers there")
        system = "\n".join(words for role, words in turns[:last] if role == "system")
        return [(role, words) for role, words in turns[:last] if role != "system"], turns[last][1], system

    def _turns(self, at: int, record: Record) -> list[Any]:
        turns = record.get(self.answer)
        if not isinstance(turns, list):
            kind = "nothing" if turns is None else f"a {type(turns).__name__}"
            raise SelfsownError(
                f"{self.source}:{at} holds {kind} in column {self.answer!r}; a chat is a list of {{role, content}}"
            )
        return turns

    def _turn(self, at: int, turn: Any) -> Turn:
        if not isinstance(turn, dict) or not all(isinstance(turn.get(key), str) for key in ("role", "content")):
            raise SelfsownError(
                f"{self.source}:{at} has a turn in {self.answer!r} that is no {{role, content}} of text: {turn!r:.80}"
            )
        return turn["role"], self._value(at, turn, "content")


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
    for prompt, answer in PAIRS:
        if prompt in first and answer in first:
            more = "input" if prompt == "instruction" and "input" in first else ""
            return Columns(source, prompt, answer, attributes, more)
    if "messages" in first:
        return Columns(source, "", "messages", attributes, chat=True)
    if "text" in first:
        return Columns(source, "", "text", attributes)
    there = ", ".join(map(str, first))
    raise SelfsownError(f"{source} has no column 'text', nor 'prompt' and 'answer'; say which to use of: {there}")
