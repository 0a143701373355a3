"""Markdown elements; text of rows and recipes is escaped, so that it cannot change the page."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_CELL_CHARS = 120


def escape(text: str) -> str:
    """One line, with every character that has a meaning in Markdown or HTML escaped."""
    line = " ".join(text.split())
    line = line if len(line) <= MAX_CELL_CHARS else line[: MAX_CELL_CHARS - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<>|#~$&!])", r"\\\1", line)


def code(text: str) -> str:
    """A name as inline code that does not break a table."""
    line = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return f"`{line if len(line) <= MAX_CELL_CHARS else line[: MAX_CELL_CHARS - 1] + '…'}`"


def code_block(language: str, text: str) -> str:
    """A fenced code block, with a fence longer than any in the text."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    alignment = "---:" if _all_numbers(rows) else "---"
    rule = ["---", *[alignment] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def bullet_list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _all_numbers(rows: Sequence[Sequence[str]]) -> bool:
    return all(re.fullmatch(r"[\d,]+", cell) for row in rows for cell in row[1:])
