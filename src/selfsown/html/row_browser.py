"""Rows to search and filter on a page: each with its texts, grades, reason and id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import escape

from selfsown.html.formatting import count, integer
from selfsown.html.row_counts import STATUSES, cause
from selfsown.records import Row
from selfsown.stages import CHANGES_KEY
from selfsown.text.chat import (
    ANSWER_METADATA,
    PROMPT_METADATA,
    answer_message,
    message_text,
    prompt_messages,
    tool_definitions,
)
from selfsown.text.excerpt import excerpt

MAX_ROWS = 2_000  # on a page
MAX_BYTES = 2_600_000  # of their texts on a page
TEXT_LIMITS = (4_000, 2_000, 1_000, 500, 250)  # characters of a text; the first with which all rows fit
BYTES_PER_ROW = 700  # of markup
LINE_CHARS = 200  # of a text where only its beginning is shown
MAX_VALUES = 20  # of an attribute
MAX_VALUE_CHARS = 40
NOT_ATTRIBUTES = {*PROMPT_METADATA, *ANSWER_METADATA, CHANGES_KEY}


@dataclass(frozen=True)
class ShownRow:
    """A row as a page shows it.

    line: the beginnings of prompt and answer. grades: each in a few words. parts: (name, text) of all that was asked
    and answered, as far as the line does not show it. marks: (grader, score, evidence, reason). attributes: as
    "name=value".
    """

    id: str
    status: str
    cause: str
    reason: str
    method: str
    source: str
    generation: int
    attributes: Sequence[str]
    line: Sequence[str]
    grades: str
    parts: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Filter:
    """A choice among values, each with its number of rows; groups: by attribute, or one without a name."""

    id: str
    label: str
    groups: Sequence[tuple[str, Sequence[tuple[str, str, int]]]]


@dataclass(frozen=True)
class RowBrowser:
    """folder: as `selfsown explain` takes it. sentence: how many of how many rows these are, and what is cut."""

    folder: str
    sentence: str
    rows: Sequence[ShownRow]
    filters: Sequence[Filter]


def row_browser(rows: Sequence[Row], total: int, folder: str) -> RowBrowser | None:
    """These rows of `total`, at most MAX_ROWS of them, as many as fit; None without rows."""
    if not rows:
        return None
    named = _attributes(rows)
    shown = [_shown_row(row, named) for row in rows[:MAX_ROWS]]
    limit = _text_limit(shown)
    cut, fitting = list[ShownRow](), 0
    for row in shown:
        short, size = _cut(row, limit)
        fitting += size
        if fitting > MAX_BYTES and cut:
            break
        cut.append(short)
    is_cut = any(len(text) > limit for row in shown for _, text in row.parts)
    return RowBrowser(folder, _sentence(len(cut), total, limit if is_cut else 0), cut, _filters(cut))


def _sentence(shown: int, total: int, limit: int) -> str:
    sentence = (
        f"All {count(total, 'row')}."
        if shown == total
        else (f"{integer(shown)} of {count(total, 'row')}: drawn at random, with rows of every reason.")
    )
    return f"{sentence} Texts are cut at {integer(limit)} characters." if limit else sentence


def _text_limit(rows: Sequence[ShownRow]) -> int:
    """The most characters of a text with which all these rows fit on a page."""
    for limit in TEXT_LIMITS[:-1]:
        if sum(_cut(row, limit)[1] for row in rows) <= MAX_BYTES:
            return limit
    return TEXT_LIMITS[-1]


def _cut(row: ShownRow, limit: int) -> tuple[ShownRow, int]:
    """The row with its texts cut, and about how many bytes it takes."""
    parts = [(name, text if len(text) <= limit else f"{text[:limit]}…") for name, text in row.parts]
    marks = [(grader, score, evidence, reason[:limit]) for grader, score, evidence, reason in row.marks]
    texts = [*row.line, row.reason, row.grades, *(text for _, text in parts), *(mark[-1] for mark in marks)]
    size = BYTES_PER_ROW + sum(len(escape(text).encode("utf-8", "replace")) for text in texts)
    return ShownRow(**{**vars(row), "parts": parts, "marks": marks}), size


def _shown_row(row: Row, named: Mapping[str, set[str]]) -> ShownRow:
    line = [excerpt(text, LINE_CHARS) for text in ([row.prompt, row.answer] if row.prompt else [row.answer])]
    attributes = [f"{name}={value}" for name, value in _values(row) if value in named.get(name, ())]
    return ShownRow(
        id=row.id,
        status=row.status,
        cause=cause(row.status, row.reason),
        reason=excerpt(row.reason, LINE_CHARS),
        method=row.method or "unknown",
        source=excerpt(row.source or "unknown", LINE_CHARS),
        generation=row.generation,
        attributes=attributes,
        line=line,
        grades=", ".join(f"{grade.grader} {grade.score:.3g}" for grade in row.grades if grade.evidence != "none"),
        parts=list(_parts(row, line, set(named))),
        marks=[(grade.grader, f"{grade.score:.3g}", grade.evidence, grade.reason) for grade in row.grades],
    )


def _parts(row: Row, line: Sequence[str], attributes: set[str]) -> Iterator[tuple[str, str]]:
    """All that the line does not show: messages, tools, texts that it cuts, reasoning, and other metadata."""
    messages = prompt_messages(row.prompt, row.metadata)
    if tools := tool_definitions(row.metadata):
        yield "tools", tools
    if len(messages) > 1:
        yield from ((str(message["role"]), message_text(message)) for message in messages)
    elif row.prompt and line[0] != row.prompt:
        yield "prompt", row.prompt
    if row.metadata.get("reasoning"):
        yield "reasoning", row.metadata["reasoning"]
    answer = message_text(answer_message(row.answer, row.metadata))
    if line[-1] != answer or len(messages) > 1:
        yield "answer", answer
    if row.target and row.target != row.answer:
        yield "known answer", row.target
    if row.reason and excerpt(row.reason, LINE_CHARS) != row.reason:
        yield "reason", row.reason
    for name, value in row.metadata.items():
        if value and name not in attributes and name not in (*PROMPT_METADATA, "reasoning", "completion"):
            yield name, value


def _values(row: Row) -> Iterator[tuple[str, str]]:
    """(name, value) of what may be an attribute."""
    if row.level:
        yield "level", str(row.level)
    for name, value in row.metadata.items():
        if name not in NOT_ATTRIBUTES and not (name == "level" and row.level):
            yield name, value


def _attributes(rows: Iterable[Row]) -> dict[str, set[str]]:
    """The values of each metadata entry that has few and short ones, and more than one."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in _values(row):
            found.setdefault(name, set()).add(value)
    return {
        name: values for name, values in found.items() if 1 < len(values) <= MAX_VALUES and all(map(_short, values))
    }


def _short(value: str) -> bool:
    return 0 < len(value) <= MAX_VALUE_CHARS and value.isprintable()


def _filters(rows: Sequence[ShownRow]) -> list[Filter]:
    """The choices that narrow these rows: those with more than one value."""
    statuses = Counter(row.status for row in rows)
    simple = {
        ("status", "Status"): Counter({status: statuses[status] for status in STATUSES if statuses[status]}),
        ("cause", "Reason"): Counter(row.cause for row in rows if row.cause),
        ("method", "Method"): Counter(row.method for row in rows),
        ("generation", "Generation"): Counter(str(row.generation) for row in sorted(rows, key=_generation)),
    }
    filters = []
    for (name, label), counts in simple.items():
        if len(counts) > 1 or (name == "cause" and counts):
            ranked = counts.most_common() if name in ("cause", "method") else counts.items()
            filters.append(Filter(name, label, [("", [(value, excerpt(value, 60), n) for value, n in ranked])]))
    attributes = Counter(attribute for row in rows for attribute in row.attributes)
    groups: dict[str, list[tuple[str, str, int]]] = {}
    for attribute, number in sorted(attributes.items()):
        name, _, value = attribute.partition("=")
        groups.setdefault(name, []).append((attribute, value, number))
    return [*filters, *([Filter("attribute", "Attribute", list(groups.items()))] if groups else [])]


def _generation(row: ShownRow) -> int:
    return row.generation
