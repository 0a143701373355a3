"""Exports kept rows: `export(folder, out)` writes a dataset that `datasets.load_dataset(out)` opens."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pyarrow
import pyarrow.compute as compute

from selfsown import progress
from selfsown.atomic import write_atomically
from selfsown.calibration.decontamination import Decontamination
from selfsown.errors import suggest
from selfsown.export import shards
from selfsown.export.card import Card
from selfsown.export.card_counts import RowCounts, SourceCounts
from selfsown.export.destination import CARD, DATA, check_destination
from selfsown.export.formats import FORMATS, TOOL_FIELDS, Format, FormatOptions, Record, default_format, get_format
from selfsown.export.preference_pairs import preference_pairs
from selfsown.export.run_reader import ExportSource, count_rows, open_source, read_batches, rows_with_status
from selfsown.intake import Intake
from selfsown.preflight.self_judging import grader_inputs, self_judging
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.text.chat import PROMPT_METADATA, tool_definitions

FILE_FORMATS = ("parquet", "jsonl")
CHAT_KEYS = {*PROMPT_METADATA, "completion"}  # of the metadata of a row that is a chat


@dataclass(frozen=True)
class Exported:
    """rows: the number of records written, in this format."""

    out: Path
    format: str
    rows: int


def export(
    folder: Path,
    out: Path,
    *,
    format: str = "",
    file_format: str = "parquet",
    real: bool = False,
    reasoning: bool = False,
    separator: str | None = None,
) -> Exported:
    """Write the kept rows of the folder as a dataset to `out`, whole or not at all.

    folder: of a run, or of `selfsown make`. format: by default text if all rows are documents, rows if
    some are, conversational-prompt-completion if some row has a system message, earlier turns or tools, otherwise
    prompt-completion. file_format: parquet or jsonl. real: also export the real rows for training. reasoning: add the
    model's reasoning to its messages. separator: between prompt and answer in the format text; a line break by default.
    Raises SelfsownError where an option or the destination is invalid, the folder is damaged, or no row was kept.
    """
    if file_format not in FILE_FORMATS:
        raise SelfsownError(f"unknown file format {file_format!r}{suggest(file_format, FILE_FORMATS)}")
    source = open_source(folder)
    check_destination(out)
    chat, tools = _find_chats(source, real)
    chosen = get_format(format) if format else _default_format(source, chat)
    options = replace(_format_options(chosen, reasoning, separator), tools=tools and chosen.chat)
    schema = chosen.schema(options)
    counts = RowCounts()
    entries = _entries(source, chosen, counts, real)
    if not (first := next(entries, None)) or not counts.statuses["kept"]:
        raise _no_rows_error(source, counts)
    records = _records(chain([first], entries), chosen, options, counts)

    def write(partial: Path) -> None:
        shutil.rmtree(partial, ignore_errors=True)  # left by a killed export
        shards.write_shards(records, schema, partial / DATA, file_format)
        card = _card(out.resolve().name, source, chosen, file_format, schema, counts)
        (partial / CARD).write_text(card.text(), encoding="utf-8")

    write_atomically(out, write)
    return Exported(out, chosen.name, counts.origins.total())


def _card(
    name: str, source: ExportSource, chosen: Format, file_format: str, schema: pyarrow.Schema, counts: RowCounts
) -> Card:
    folder = source.folder
    return Card(
        name=name,
        source=source,
        format=chosen,
        file_format=file_format,
        schema=schema,
        counts=counts,
        sources=_source_counts(folder),
        held_out=count_rows(folder, "held_out"),
        intake=Intake.of(RunFolder(folder)),
        decontamination=Decontamination.of(RunFolder(folder)),
        own_judge=self_judging(source.recipe, lambda method: grader_inputs(folder, method)),
    )


def _find_chats(source: ExportSource, real: bool) -> tuple[bool, bool]:
    """Whether some row has a system message, earlier turns or tools; and whether some row has tools or named messages.

    Only the metadata is read, and only that of chats is parsed.
    """
    chat = tools = False
    paths = [*source.parts, source.folder / "real.parquet"] if real else source.parts
    for path in paths:
        for batch in read_batches(path, ["metadata"]):
            keys = set(batch["metadata"].keys.unique().to_pylist())
            if keys & CHAT_KEYS:
                chat = True
                tools = tools or any(map(_has_tools, batch["metadata"].to_pylist()))
    return chat, tools


def _has_tools(items: list[tuple[str, str]]) -> bool:
    """Whether the metadata has tools, or a message with more fields than role and content."""
    metadata = dict(items)
    messages = metadata.get("messages", "") + metadata.get("completion", "")
    return bool(tool_definitions(metadata)) or any(f'"{name}": ' in messages for name, _ in TOOL_FIELDS)


def _default_format(source: ExportSource, chat: bool) -> Format:
    """The format that fits every kept row."""
    kinds = set[bool]()
    for path in source.parts:
        for batch in read_batches(path, ["prompt", "status"]):
            prompts = batch.filter(compute.equal(batch["status"], "kept"))["prompt"]
            kinds.update(compute.not_equal(prompts, "").unique().to_pylist())
    return default_format(kinds, chat)


def _format_options(chosen: Format, reasoning: bool, separator: str | None) -> FormatOptions:
    if reasoning and not chosen.has_reasoning:
        available = ", ".join(known.name for known in FORMATS if known.has_reasoning)
        raise SelfsownError(f"format {chosen.name} cannot hold reasoning; formats that can: {available}")
    if separator is None:
        return FormatOptions(reasoning)
    if chosen.name != "text":
        raise SelfsownError(f"format {chosen.name} has no separator between prompt and answer; only text has")
    return FormatOptions(reasoning, separator)


def _entries(source: ExportSource, chosen: Format, counts: RowCounts, real: bool) -> Iterator[tuple[Row, ...]]:
    """The rows of each record: one row, or a better and a worse one."""
    statuses = ("kept", "rejected") if chosen.pairs else ("kept",)
    rows = _generated_rows(source, statuses, counts)
    if real:
        rows = chain(rows, _real_rows(source, counts))
    if chosen.needs_prompt:
        rows = _with_prompt(rows, chosen)
    return preference_pairs(rows) if chosen.pairs else ((row,) for row in rows)


def _generated_rows(source: ExportSource, statuses: tuple[str, ...], counts: RowCounts) -> Iterator[Row]:
    for part in source.parts:
        for batch in read_batches(part):
            counts.add_generated(batch)
            yield from rows_with_status(batch, statuses)


def _real_rows(source: ExportSource, counts: RowCounts) -> Iterator[Row]:
    """The real rows that have an answer; a prompt without one would teach to answer nothing."""
    for batch in read_batches(source.folder / "real.parquet"):
        for row in rows_with_status(batch, ("",)):
            counts.unanswered += not row.answered
            if row.answered:
                yield row


def _with_prompt(rows: Iterable[Row], chosen: Format) -> Iterator[Row]:
    """The rows; SelfsownError at the first without a prompt."""
    for row in rows:
        if not row.prompt:
            raise SelfsownError(
                f"{row.origin} row {row.id} is a document without a prompt, but format {chosen.name} needs one; "
                "formats for documents: text, rows"
            )
        yield row


def _records(
    entries: Iterable[tuple[Row, ...]], chosen: Format, options: FormatOptions, counts: RowCounts
) -> Iterator[Record]:
    for entry in progress.track(entries, "writing the data set", unit="rows"):
        counts.add_exported(entry[0], chosen.omissions(entry[0], options))
        yield chosen.record(*entry, options)


def _no_rows_error(source: ExportSource, counts: RowCounts) -> SelfsownError:
    if counts.statuses["kept"]:
        return SelfsownError(
            f"no prompt in {source.folder} has a kept answer and an answer with a lower score; generate several "
            "answers per prompt, for example with generate: [sample: {n: 4}], and grade them"
        )
    if not source.parts and not source.left_out:
        return SelfsownError(f"{source.folder} has no finished rows yet; repeat its command to resume it")
    left_out = f" ({'; '.join(source.left_out)})" if source.left_out else ""
    return SelfsownError(
        f"no row was kept in {source.folder}, of {counts.statuses.total():,} generated{left_out}; nothing is written"
    )


def _source_counts(folder: Path) -> SourceCounts:
    counts = SourceCounts()
    for batch in read_batches(folder / "real.parquet", ["source", "metadata"]):
        counts.add(batch)
    return counts
