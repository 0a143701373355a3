"""The whole story of a row, read from the run folder: what became of it, who made it of what, down to real rows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from selfsown.intake import SET_ASIDE
from selfsown.records import Generation, Row, SelfsownError
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stages import CHANGES_KEY


def story(folder: Path, wanted: str) -> str:
    """The story of the row whose id begins with `wanted`; SelfsownError if that is none or several."""
    store = RunFolder(folder)
    history = store.generations()
    names = [
        "real",
        "held_out",
        SET_ASIDE,
        "rows",
        *(f"{generation_dir(at)}/rows" for at in range(1, len(history) + 1)),
    ]
    rows = {row.id: row for name in names for row in store.rows(name) or []}
    held_out = {row.id for row in store.rows("held_out") or []}
    found = [row for at, row in rows.items() if at.startswith(wanted)]
    if not found:
        raise SelfsownError(f"{folder} has no row {wanted!r}; ids stand in its real.parquet and in each rows.parquet")
    if len(found) > 1:
        shown = ", ".join(row.id for row in found[:3])
        raise SelfsownError(
            f"{len(found)} rows of {folder} begin with {wanted!r}, such as {shown}; give more of the id"
        )
    lines = _tell(found[0], rows, held_out)
    children = [row for row in rows.values() if found[0].id in row.parents]
    for child in children[:5]:
        lines.append(f"└ became {child.id}, by {child.method}: {_text(child)} ({child.status})")
    if len(children) > 5:
        lines.append(f"└ and {len(children) - 5} more")
    for generation in history[found[0].generation :][:1]:
        said = "an alarm was raised on its generation" if generation.accepted else "its generation was rolled back"
        lines += [f"{said} by {verdict.guard}: {verdict.reason}" for verdict in generation.rejections]
        lines += [] if generation.accepted else ["no model that stands has learned from it"]
    if found[0].generation and history:
        lines += _lineage(found[0].generation, {generation.number: generation for generation in history}, store)
    return "\n".join(lines)


def _tell(row: Row, rows: Mapping[str, Row], held_out: set[str], inside: bool = False) -> list[str]:
    """The row, its grades and its end, then its parents, further in."""
    kind = "held-out real row" if row.id in held_out else f"{row.origin} row"
    kind = f"{kind} that was set aside" if row.origin == "real" and row.status else kind
    lines = [f"{kind} {row.id}: {_text(row)}"]
    traits = [f"level {row.level}"] * bool(row.level) + [
        f"{name} {value}" for name, value in sorted(row.metadata.items()) if name != CHANGES_KEY
    ]
    if traits:
        lines.append(f"  it is: {', '.join(traits)}")
    if row.origin == "real":
        lines.append(f"  comes from {row.source or 'the real data'}")
        lines += [f"  prepared: {row.metadata[CHANGES_KEY]}"] if CHANGES_KEY in row.metadata else []
    else:
        lines.append(
            f"  made in generation {row.generation} by {row.method}, written by {row.source}, draw {row.sample_index}"
        )
    for grade in row.grades:
        lines.append(f"  graded {grade.score:g} by {grade.grader} ({grade.evidence}): {grade.reason}")
    if row.origin == "real" and row.status:
        lines.append(f"  set aside by {row.reason}")
    elif row.status:
        lines.append(f"  ended {row.status}" + (f": {row.reason}" if row.reason else ""))
    for parent in row.parents:
        lines.append("  it came from:")
        lines += (
            _tell(rows[parent], rows, held_out, inside=True) if parent in rows else [f"row {parent}, not in this run"]
        )
    return [textwrap.indent(line, "    " * inside) for line in lines]


def _lineage(number: int, history: Mapping[int, Generation], store: RunFolder) -> list[str]:
    """Which model wrote in this generation, and what that model had learned from, back to real rows alone."""
    real = len(store.rows("real") or [])
    lines = [f"the model that wrote in generation {number}:"]
    parent = history[number].parent if number in history else number - 1
    while parent > 0:
        generation = history[parent]
        kept = generation.counts.get("kept", 0)
        share = f"{100 * generation.real_share:.0f} % of the draws real"
        lines.append(
            f"  generation {parent} learned from {kept:,} new kept rows, earlier ones and {real:,} real rows ({share})"
        )
        parent = generation.parent
    return [*lines, f"  generation 0 learned from {real:,} real rows alone"]


def _text(row: Row) -> str:
    return f"{row.prompt!r} → {row.answer!r}" if row.prompt else repr(row.answer)
