"""Kept rows become a dataset: `export(folder, out)` makes a folder that `datasets.load_dataset(out)` opens."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from selfsown.atomic import write_atomically
from selfsown.export import shards
from selfsown.export.card import Card
from selfsown.export.card_counts import Seeds, Tally
from selfsown.export.destination import free
from selfsown.export.formats import CALLING, FORMATS, Format, Record, Wishes, fitting, named
from selfsown.export.preference_pairs import pairs
from selfsown.export.run_reader import Source, batches, ended, size, source
from selfsown.intake import Intake
from selfsown.preflight.self_judging import grader_inputs, self_judging
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.text.chat import PROMPT_METADATA, tool_definitions

KINDS = ("parquet", "jsonl")


@dataclass(frozen=True)
class Exported:
    """rows: the records that were written, in this format."""

    out: Path
    format: str
    rows: int


def export(
    folder: Path,
    out: Path,
    *,
    format: str = "",
    kind: str = "parquet",
    real: bool = False,
    reasoning: bool = False,
    joint: str | None = None,
) -> Exported:
    """The kept rows of the folder as a dataset in `out`, there whole or not at all.

    format: by default prompt-completion; text where the first row is a document; conversational-prompt-completion where
    some row has a system message, earlier turns or tools. kind: parquet or jsonl. real:
    the real rows to learn from, too. reasoning, joint: as `formats.Wishes` says.
    """
    if kind not in KINDS:
        raise SelfsownError(f"rows cannot be written as {kind!r}; there is: {', '.join(KINDS)}")
    found = source(folder)
    free(out)
    chat, tools = _chats(found, real)
    chosen = named(format) if format else _fitting(found, chat)
    wishes = replace(_wishes(chosen, reasoning, joint), tools=tools and chosen.chat)
    tally = Tally()
    entries = _entries(found, chosen, tally, real)
    first = next(entries, None)
    if first is None or not tally.ends["kept"]:
        raise _nothing(found, tally)
    records = _records(chain([first], entries), chosen, wishes, tally)

    def write(partial: Path) -> None:
        shutil.rmtree(partial, ignore_errors=True)  # what a kill left
        schema = chosen.schema(wishes)
        shards.write(records, schema, partial / "data", kind)
        counts = _seeds(folder), size(folder, "held_out"), Intake.of(RunFolder(folder))
        card = Card(out.resolve().name, found, chosen, kind, schema, tally, *counts, _own_judge(found))
        (partial / "README.md").write_text(card.text(), encoding="utf-8")

    write_atomically(out, write)
    return Exported(out, chosen.name, tally.origins.total())


def _own_judge(found: Source) -> str:
    return self_judging(found.recipe, lambda way: grader_inputs(found.folder, way))


def _chats(found: Source, real: bool) -> tuple[bool, bool]:
    """Whether some row that may be exported has a system message, earlier turns or tools; and whether one has tools,
    or messages with names. Only the traits are read, and those of chats alone are looked into."""
    chat = tools = False
    for path in [*found.parts, *[found.folder / "real.parquet"] * real]:
        for batch in batches(path, ["metadata"]):
            there = set(batch["metadata"].keys.unique().to_pylist())
            if not there.isdisjoint((*PROMPT_METADATA, "completion")):
                chat = True
                tools = tools or any(map(_calls, batch["metadata"].to_pylist()))
    return chat, tools


def _calls(traits: list[tuple[str, str]]) -> bool:
    """Whether the row has tools, or a message that has more than role and content."""
    found = dict(traits)
    messages = found.get("messages", "") + found.get("completion", "")
    return bool(tool_definitions(found)) or any(f'"{name}": ' in messages for name in dict(CALLING))


def _fitting(found: Source, chat: bool) -> Format:
    """What suits the first row; that there is none is said later."""
    rows = _rows(found, ("kept",), Tally())
    first = next(rows, None)
    return fitting(first, chat) if first else named("rows")


def _wishes(chosen: Format, reasoning: bool, joint: str | None) -> Wishes:
    if reasoning and not chosen.thinks:
        there = ", ".join(each.name for each in FORMATS if each.thinks)
        raise SelfsownError(f"format {chosen.name} has no place for reasoning; there is one in: {there}")
    if joint is None:
        return Wishes(reasoning)
    if chosen.name != "text":
        raise SelfsownError(f"format {chosen.name} keeps prompt and answer apart; joint is for the format text")
    return Wishes(reasoning, joint)


def _entries(found: Source, chosen: Format, tally: Tally, real: bool) -> Iterator[tuple[Row, ...]]:
    """What becomes a record each: a row, or a better and a worse one."""
    rows = _rows(found, ("kept", "rejected") if chosen.pairs else ("kept",), tally)
    if real:
        rows = chain(rows, _real(found, tally))
    asked = _asked(rows, chosen) if chosen.asks else rows
    return pairs(asked) if chosen.pairs else ((row,) for row in asked)


def _rows(found: Source, ends: tuple[str, ...], tally: Tally) -> Iterator[Row]:
    for part in found.parts:
        for batch in batches(part):
            tally.met(batch)
            yield from ended(batch, ends)


def _real(found: Source, tally: Tally) -> Iterator[Row]:
    """The real rows that have an answer; those that nobody has answered would teach to answer nothing."""
    for batch in batches(found.folder / "real.parquet"):
        for row in ended(batch, ("",)):
            tally.unanswered += not row.answered
            if row.answered:
                yield row


def _asked(rows: Iterable[Row], chosen: Format) -> Iterator[Row]:
    for row in rows:
        if not row.prompt:
            raise SelfsownError(
                f"{row.origin} row {row.id} is a document: it has no prompt, and format {chosen.name} needs one; "
                "documents fit --format text, or rows"
            )
        yield row


def _records(entries: Iterable[tuple[Row, ...]], chosen: Format, wishes: Wishes, tally: Tally) -> Iterator[Record]:
    for entry in entries:
        tally.exported(entry[0], chosen.left_out(entry[0], wishes))
        yield chosen.record(*entry, wishes)


def _nothing(found: Source, tally: Tally) -> SelfsownError:
    if tally.ends["kept"]:
        return SelfsownError(
            f"no prompt in {found.folder} has a kept answer and a lower graded one; ask for several answers to each, "
            "as with generate: [sample: {n: 4}], and grade them"
        )
    if not found.parts and not found.left_out:
        return SelfsownError(f"no rows are finished in {found.folder}; give its command again, and it goes on")
    left = f" ({'; '.join(found.left_out)})" if found.left_out else ""
    return SelfsownError(
        f"no row was kept in {found.folder}, of {tally.ends.total():,} that count{left}; nothing is written"
    )


def _seeds(folder: Path) -> Seeds:
    found = Seeds()
    for batch in batches(folder / "real.parquet", ["source", "metadata"]):
        found.met(batch)
    return found
