"""The history of a row, read from the run folder: its grades, status and parents, down to real rows."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Mapping
from pathlib import Path

from selfsown.errors import RunFolderError
from selfsown.intake import SET_ASIDE
from selfsown.records import Generation, Row
from selfsown.run_folder import PREVIEW, RunFolder, generation_dir
from selfsown.stages import CHANGES_KEY
from selfsown.terminal.preview import escape_hidden
from selfsown.text.chat import PROMPT_METADATA, Conversation, message_text
from selfsown.text.excerpt import excerpt

SHOWN_AS_TURNS = (*PROMPT_METADATA, "completion")
FIRST_TURNS, LAST_TURNS = 3, 8  # of a conversation
TURN_CHARS = 300  # of a message


def story(folder: Path, prefix: str) -> str:
    """The history of the row whose id begins with the prefix. RunFolderError where there is none, or several."""
    store = RunFolder(folder)
    history = store.generations()
    names = [
        "real",
        "held_out",
        SET_ASIDE,
        PREVIEW,
        "rows",
        *(f"{generation_dir(number)}/rows" for number in range(1, len(history) + 1)),
    ]
    rows = {row.id: row for name in names for row in store.rows(name) or []}
    held_out = {row.id for row in store.rows("held_out") or []}
    row = _row_of(rows, prefix.strip().lower(), folder)
    lines = _described(row, rows, held_out)
    children = [child for child in rows.values() if row.id in child.parents]
    for child in children[:5]:
        lines.append(f"└ became {child.id}, by {child.method}: {_text(child)} ({child.status})")
    if len(children) > 5:
        lines.append(f"└ and {len(children) - 5} more")
    for generation in history[row.generation :][:1]:
        event = "an alarm was raised on its generation" if generation.accepted else "its generation was rolled back"
        lines += [f"{event} by {verdict.guard}: {verdict.reason}" for verdict in generation.rejections]
        if not generation.accepted:
            lines.append("no accepted model has learned from it")
    if row.generation and history:
        lines += _models_before(row.generation, {generation.number: generation for generation in history}, store)
    return escape_hidden("\n".join(lines))


def _row_of(rows: Mapping[str, Row], prefix: str, folder: Path) -> Row:
    """The one row whose id begins so; RunFolderError where there is none, or where there are several."""
    if prefix in rows:
        return rows[prefix]
    matches = [row for row_id, row in rows.items() if row_id.startswith(prefix)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = ", ".join(row.id for row in matches[:3])
        raise RunFolderError(
            f"{len(matches)} rows of {folder} begin with {prefix!r}, such as {shown}; give more digits of the id"
        )
    made = any(row.origin == "synthetic" for row in rows.values())
    example = next((row.id for row in rows.values() if row.status == "kept"), "")
    where = f"the page that selfsown report {shlex.quote(str(folder))} writes has them" + (
        f", such as {example}" if example else ""
    )
    nothing = "it has no synthetic rows yet; make or run makes them"
    raise RunFolderError(f"{folder} has no row {prefix!r}; {where if made else nothing}")


def _described(row: Row, rows: Mapping[str, Row], held_out: set[str], indent: str = "") -> list[str]:
    """The row, its grades and its status, then its parents, indented."""
    kind = "held-out real row" if row.id in held_out else f"{row.origin} row"
    kind = f"{kind} that was set aside" if row.origin == "real" and row.status else kind
    turns = _turns(row)
    lines = [f"{kind} {row.id}: {row.answer!r}" if turns else f"{kind} {row.id}: {_text(row)}", *turns]
    hidden = {CHANGES_KEY, *(SHOWN_AS_TURNS if turns else ())}
    metadata = [f"level {row.level}"] if row.level else []
    metadata += [f"{name} {value}" for name, value in sorted(row.metadata.items()) if name not in hidden]
    if metadata:
        lines.append(f"  metadata: {', '.join(metadata)}")
    if row.origin == "real":
        lines.append(f"  comes from {row.source or 'the real data'}")
        if CHANGES_KEY in row.metadata:
            lines.append(f"  prepared: {row.metadata[CHANGES_KEY]}")
    else:
        lines.append(
            f"  made in generation {row.generation} by {row.method}, written by {row.source}, sample {row.sample_index}"
        )
    for grade in row.grades:
        lines.append(f"  graded {grade.score:g} by {grade.grader} ({grade.evidence}): {grade.reason}")
    if row.origin == "real" and row.status:
        lines.append(f"  set aside by {row.reason}")
    elif row.status:
        lines.append(f"  status: {row.status}" + (f": {row.reason}" if row.reason else ""))
    for parent in row.parents:
        lines.append("  made from:")
        if parent in rows:
            lines += _described(rows[parent], rows, held_out, indent="    ")
        else:
            lines.append(f"row {parent}, not in this run")
    return [textwrap.indent(line, indent) for line in lines]


def _turns(row: Row) -> list[str]:
    """The tools and messages before the answer, a line each, where these are more than one message of the user."""
    prompt = row.full_prompt
    if not isinstance(prompt, Conversation):
        return []
    names = [tool.get("function", tool).get("name", "?") for tool in json.loads(prompt.tools or "[]")]
    tools = [f"  tools: {', '.join(map(str, names))}"] if names else []
    lines = [f"  {message['role']}: {excerpt(message_text(message), TURN_CHARS)}" for message in prompt.messages]
    left_out = len(lines) - FIRST_TURNS - LAST_TURNS
    if left_out > 1:
        lines[FIRST_TURNS:-LAST_TURNS] = [f"  … {left_out} more messages"]
    return ["  the conversation before it:", *tools, *lines]


def _models_before(number: int, history: Mapping[int, Generation], store: RunFolder) -> list[str]:
    """The model that wrote in this generation, and what it and its parents had learned from, back to real rows."""
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
