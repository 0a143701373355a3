"""Rows to search and filter on a page: each with its texts, grades, reason and id."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import escape

from selfsown.html.formatting import count, integer
from selfsown.html.row_counts import STATUSES, cause, quotas
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
    shown = _thinned([_shown_row(row, named) for row in rows], MAX_ROWS)
    limit = _text_limit(shown)
    size = _size(shown, limit)
    if size > MAX_BYTES:
        shown = _thinned(shown, len(shown) * MAX_BYTES // size)
    is_cut = any(len(text) > limit for row in shown for _, text in row.parts)
    sentence = _sentence(len(shown), total, limit if is_cut else 0)
    return RowBrowser(shlex.quote(folder), sentence, [_cut(row, limit) for row in shown], _filters(shown))


def _thinned(rows: Sequence[ShownRow], limit: int) -> list[ShownRow]:
    """About `limit` of the rows in their order, the first ones of each method and outcome."""
    strata = Counter(map(_stratum, rows))
    left = quotas(strata, limit)
    thinned = []
    for row in rows:
        if left[_stratum(row)] > 0:
            left[_stratum(row)] -= 1
            thinned.append(row)
    return thinned


def _stratum(row: ShownRow) -> tuple[str, str, str, int]:
    return row.method, row.status, row.cause, row.generation


def _sentence(shown: int, total: int, limit: int) -> str:
    sentence = (
        f"All {count(total, 'row')}."
        if shown == total
        else (f"{integer(shown)} of {count(total, 'row')}: drawn at random, with rows of every reason.")
    )
    return f"{sentence} Texts are cut at {integer(limit)} characters." if limit else sentence


def _text_limit(rows: Sequence[ShownRow]) -> int:
    """The most characters of a text with which all these rows fit on a page."""
    return next((limit for limit in TEXT_LIMITS if _size(rows, limit) <= MAX_BYTES), TEXT_LIMITS[-1])


def _size(rows: Sequence[ShownRow], limit: int) -> int:
    """About how many bytes the rows take with their texts cut at the limit."""
    size = 0
    for row in rows:
        cut = _cut(row, limit)
        texts = [*cut.line, cut.reason, cut.grades, *(text for _, text in cut.parts), *(mark[-1] for mark in cut.marks)]
        size += BYTES_PER_ROW + sum(len(escape(text).encode("utf-8", "replace")) for text in texts)
    return size


def _cut(row: ShownRow, limit: int) -> ShownRow:
    """The row with its texts cut."""
    parts = [(name, text if len(text) <= limit else f"{text[:limit]}…") for name, text in row.parts]
    marks = [(grader, score, evidence, reason[:limit]) for grader, score, evidence, reason in row.marks]
    return replace(row, parts=parts, marks=marks)


def _shown_row(row: Row, named: Mapping[str, set[str]]) -> ShownRow:
    line = [excerpt(text, LINE_CHARS) for text in ([row.prompt, row.answer] if row.prompt else [row.answer])]
    attributes = [f"{name}={value}" for name, value in _values(row) if value in named.get(name, ())]
    return ShownRow(
        id=row.id,
        status=row.status,
        cause=cause(row.status, row.reason),
        reason=excerpt(row.reason, LINE_CHARS),
        method=excerpt(row.method or "unknown", MAX_VALUE_CHARS),
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
    values_of: dict[str, set[str]] = {}
    for row in rows:
        for name, value in _values(row):
            values_of.setdefault(name, set()).add(value)
    return {
        name: values for name, values in values_of.items() if 1 < len(values) <= MAX_VALUES and all(map(_short, values))
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
