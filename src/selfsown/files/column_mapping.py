"""How the columns of a record become a row: a document, a prompt with or without its answer, or a chat; or several
rows, the turns of an agent.

A text is the cell of one column, or a template over several, in which a missing cell is an empty text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfsown.errors import DataError
from selfsown.files.atif import trajectory_rows
from selfsown.files.bad_records import BadRecord, OnBad, column_list, raise_bad
from selfsown.files.chat_records import Chat, PromptAnswerMetadata, instruction_prompt
from selfsown.files.record_fields import Record as Record
from selfsown.files.record_fields import checked_text
from selfsown.records import Row
from selfsown.templates import RECORD, TemplateError, compiled, is_template, render

MAX_WHOLE_FLOAT = 1e15  # a float with a whole value below it is written without a point


@dataclass(frozen=True)
class Columns:
    """The columns of a source. Without a prompt, a row is a document; without an answer, a prompt alone.

    prompt, answer, system: a column or a template; of a document, the answer is its text.
    metadata: columns that a row carries where the record has them.
    more: a column that continues the prompt, where it has text.
    chat: the columns of a chat, instead of prompt and answer.
    trajectory: the columns of an agent's trajectory in ATIF, instead of these; each of its turns is a row.
    context: columns with what precedes an instruction; None where only the named columns count.
    known: other usual names of answers, so that an answer under another name is an error and not ignored.
    note: which column was chosen, and as what, where the name alone did not say it.
    lenient: a missing text is blank, a missing attribute is absent, and blank rows are rows.
    """

    source: str
    prompt: str
    answer: str
    attributes: tuple[str, ...] = ()
    more: str = ""
    chat: Chat | None = None
    trajectory: tuple[str, ...] = ()
    context: tuple[str, ...] | None = None
    lenient: bool = False
    known: tuple[str, ...] = ()
    system: str = ""
    metadata: tuple[str, ...] = ()
    note: str = ""

    @property
    def column_names(self) -> list[str]:
        """All columns to read; none where a template may use any of them."""
        whole = self.chat.column_names if self.chat else self.trajectory or self.context or ()
        names = [*whole, *self.attributes, *self.metadata]
        for text in (self.prompt, self.more, self.answer, self.system):
            if is_template(text):
                if compiled(text).uses_record:
                    return []
                names += sorted(compiled(text).names)
            elif text:
                names.append(text)
        return list(dict.fromkeys(names))

    def rows(self, records: Iterable[tuple[int, Record]], source: str, bad: OnBad = raise_bad) -> Iterator[Row]:
        """The row of each record, of a trajectory its turns; `bad` is called with each bad or blank record instead.

        source: the name in the rows' `source`, such as "rows.jsonl" in "rows.jsonl:12".
        """
        if self.trajectory:
            yield from self._turns(records, source, bad)
            return
        sample_index = 0
        for line, record in records:
            try:
                prompt, answer, metadata = self.read(line, record)
            except DataError as error:
                bad(self._bad(line, error))
                continue
            if not self.lenient:
                answer = "" if answer.isspace() else answer  # unknown
                if reason := self._blank_reason(prompt, answer):
                    bad(BadRecord(self.source, line, reason, blank=True))
                    continue
            place = f"{source}:{line}"
            yield Row(prompt, answer, target=answer, source=place, sample_index=sample_index, metadata=metadata)
            sample_index += 1

    def _turns(self, records: Iterable[tuple[int, Record]], source: str, bad: OnBad) -> Iterator[Row]:
        """The turns of each trajectory; `bad` is called with each one that is broken."""
        sample_index = 0
        for line, record in records:
            try:
                shared = self._shared(line, record)
                turns = trajectory_rows(record)
            except (DataError, ValueError, TemplateError, RecursionError) as error:
                bad(self._bad(line, error))
                continue
            for row in turns:
                metadata = {**row.metadata, **shared}
                place = f"{source}:{line}"
                yield row.replace_fields(target=row.answer, source=place, sample_index=sample_index, metadata=metadata)
                sample_index += 1

    def _bad(self, line: int, error: Exception) -> BadRecord:
        return BadRecord(self.source, line, str(error).removeprefix(f"{self.source}:{line} "))

    def _blank_reason(self, prompt: str, answer: str) -> str:
        """Why the record makes no row; "" where it makes one. A row may lack an answer, but not its prompt."""
        if (answer and not self.prompt) or (prompt and not prompt.isspace()):
            return ""
        if not self.prompt:
            return f"has no text: {_place(self.chat.columns[0] if self.chat else self.answer)} is blank"
        reason = f"has no prompt: {_place(self.prompt)} is blank"
        return f"{reason}, though it has an answer" if answer else reason

    def read(self, line: int, record: Record) -> PromptAnswerMetadata:
        """Prompt, answer and metadata of a record. DataError, with its line: a value does not fit."""
        try:
            metadata = self._shared(line, record)
            if self.chat:
                prompt, answer, chat_metadata = self.chat.read(record)
                return prompt, answer, {**chat_metadata, **metadata}
            if not self.prompt:
                return "", self._text(line, record, self.answer), metadata
            prompt = self._text(line, record, self.prompt)
            if self.more and not is_missing(added := record.get(self.more)) and added != "":
                prompt = f"{prompt}\n\n{self._value(line, record, self.more)}"
            if self.context is not None:
                prompt, chat_metadata = instruction_prompt(record, prompt)
                metadata = {**chat_metadata, **metadata}
            return prompt, self._answer(line, record), metadata
        except (ValueError, TemplateError) as error:
            raise DataError(f"{self.source}:{line} {error}") from error

    def _shared(self, line: int, record: Record) -> dict[str, str]:
        """The metadata of every row of the record: attributes, and the system message that the recipe names."""
        metadata = self._attributes(line, record) if self.attributes or self.metadata else {}
        if self.system and (system := self._text(line, record, self.system)).strip():
            return {"system": system, **metadata}
        return metadata

    def _answer(self, line: int, record: Record) -> str:
        """The answer, "" where there is none. DataError: it is in another column than in the other records."""
        if is_template(self.answer):
            return self._text(line, record, self.answer)
        if self.answer and not is_missing(record.get(self.answer)):
            return self._value(line, record, self.answer)
        if stray := next((name for name in self.known if not is_missing(record.get(name))), ""):
            others = f"none in {self.answer!r}" if self.answer else "the first records have none"
            raise DataError(f"{self.source}:{line} has an answer in {stray!r}, but {others}; name the answer column")
        return ""

    def _attributes(self, line: int, record: Record) -> dict[str, str]:
        values = {name: self._value(line, record, name) for name in self.attributes}
        for name in self.metadata:
            value = record.get(name)
            if not is_missing(value):
                is_text = isinstance(value, str | int | float)
                values[name] = self._value(line, record, name) if is_text else json.dumps(value, default=str)
        return {name: _canonical(value) for name, value in values.items() if value} if self.lenient else values

    def _text(self, line: int, record: Record, text: str) -> str:
        """The cell of a column; or a template with the record's cells, where null and what is missing are empty.

        ValueError, or TemplateError: it does not fit.
        """
        if not is_template(text):
            return self._value(line, record, text)
        cells = {name: "" if is_missing(value) else value for name, value in record.items()}
        return checked_text(render(text, {**cells, RECORD: cells}), "template")

    def _value(self, line: int, record: Record, name: str) -> str:
        """The text of a column; a number is written out, a whole one without a point."""
        value = record.get(name)
        if type(value) is str and value.isascii():
            return value
        if is_missing(value) and self.lenient:
            return ""
        place = f"{self.source}:{line}"
        if name not in record:
            raise DataError(f"{place} has no column {name!r}; available: {column_list(record)}")
        if is_missing(value) or not isinstance(value, str | int | float):
            kind = "no value" if is_missing(value) else f"a {type(value).__name__}"
            raise DataError(f"{place} has {kind} in column {name!r}; it must be text or a number")
        if isinstance(value, float) and math.isinf(value):
            raise DataError(f"{place} has an infinite number in column {name!r}; remove it")
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{place} has an unpaired surrogate in column {name!r}; fix its encoding") from error
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float) and value.is_integer() and abs(value) < MAX_WHOLE_FLOAT:
            return str(int(value))
        return str(value)


def _place(text: str) -> str:
    return f"its template {text!r}" if is_template(text) else f"its column {text!r}"


def is_missing(value: object) -> bool:
    """Whether a cell is empty: null, or NaN, as numeric tables write it."""
    return value is None or value != value


def _canonical(value: str) -> str:
    """Whole numbers, true and false as JSON writes them, so that files of all formats agree."""
    if value.lower() in ("true", "false"):
        return value.lower()
    whole = re.fullmatch(r"(-?\d+)\.0+", value)
    return whole[1] if whole else value
