"""How the columns of a record become a row: a document, a prompt with its answer or without one, or a chat."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from selfsown.files.aside import BadRecord, OnBad, listed, refuse
from selfsown.records import Row, SelfsownError
from selfsown.text.talk import Turn, remembered, written_out

Record = dict[str, Any]
Said = tuple[str, str, dict[str, str]]  # prompt, answer, traits


@dataclass(frozen=True)
class Columns:
    """How a record of the source is read: prompt "" is a document, answer "" a prompt that nobody has answered, answer
    a chat where `chat` says so (with a prompt, the chat goes on there).

    more: a column that goes on with the prompt, where it holds anything. known: names under which an answer would
    stand, so that none is passed over. lenient: what holds nothing is a blank text, or an attribute that the row does
    not show, and blank rows are rows, too.
    """

    source: str
    prompt: str
    answer: str
    attributes: tuple[str, ...] = ()
    more: str = ""
    chat: bool = False
    lenient: bool = False
    known: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[str]:
        return list(dict.fromkeys(name for name in (self.prompt, self.more, self.answer, *self.attributes) if name))

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
            yield Row(prompt, answer, target=answer, maker=f"{maker}:{at}", draw=draw, traits=traits)
            draw += 1

    def _blank(self, prompt: str, answer: str) -> str:
        """Why the record makes no row, in words; "" where it makes one. It may lack an answer, but not a prompt."""
        if (answer and (self.chat or not self.prompt)) or (prompt and not prompt.isspace()):
            return ""
        if self.chat or not self.prompt:
            return f"says nothing: its column {self.answer!r} is blank"
        return f"has no prompt: its column {self.prompt!r} is blank" + ", though it has an answer" * bool(answer)

    def read(self, at: int, record: Record) -> Said:
        """What the record says; SelfsownError with its place where it says nothing that fits."""
        traits = self._traits(at, record) if self.attributes else {}
        if self.chat:
            before, answer, system = self._talk(at, record)
            told = {"system": system} if system else {}
            return written_out(before), answer, {**told, **remembered(before), **traits}
        if not self.prompt:
            return "", self._value(at, record, self.answer), traits
        prompt = self._value(at, record, self.prompt)
        if self.more and not missing(added := record.get(self.more)) and added != "":
            prompt = f"{prompt}\n\n{self._value(at, record, self.more)}"
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

    def _talk(self, at: int, record: Record) -> tuple[list[Turn], str, str]:
        """What is asked, answer and system words of a chat: the last assistant turn answers what stands before it."""
        turns = [self._turn(at, turn) for turn in self._turns(at, record)]
        last = max((number for number, (role, _) in enumerate(turns) if role == "assistant"), default=-1)
        if last < 0:
            raise SelfsownError(f"{self.source}:{at} has no assistant turn in {self.answer!r}; nothing answers there")
        system = "\n".join(words for role, words in turns[:last] if role == "system")
        return [(role, words) for role, words in turns[:last] if role != "system"], turns[last][1], system

    def _turns(self, at: int, record: Record) -> list[Any]:
        """All turns: those of a prompt that is a list of them, too, and after them those that answer it."""
        found: list[Any] = []
        for name in filter(None, (self.prompt, self.answer)):
            turns = record.get(name)
            if not isinstance(turns, list):
                kind = "nothing" if missing(turns) else f"a {type(turns).__name__}"
                raise SelfsownError(
                    f"{self.source}:{at} holds {kind} in column {name!r}; a chat is a list of {{role, content}}"
                )
            found += turns
        return found

    def _turn(self, at: int, turn: Any) -> Turn:
        if not isinstance(turn, dict) or not all(isinstance(turn.get(key), str) for key in ("role", "content")):
            raise SelfsownError(
                f"{self.source}:{at} has a turn in {self.answer!r} that is no {{role, content}} of text: {turn!r:.80}"
            )
        return turn["role"], self._value(at, turn, "content")


def missing(value: object) -> bool:
    """Whether a cell is empty: null, or NaN, which is how tables of numbers write it."""
    return value is None or value != value


def _alike(value: str) -> str:
    """Whole numbers, true and false as JSON writes them, whatever wrote the file."""
    if value.lower() in ("true", "false"):
        return value.lower()
    whole = re.fullmatch(r"(-?\d+)\.0+", value)
    return whole[1] if whole else value
