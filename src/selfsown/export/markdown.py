"""Pieces of a page in Markdown; text of rows and recipes stands in it as it is and cannot change the page."""

from __future__ import annotations

import re
from collections.abc import Sequence

CELL = 120  # characters


def plain(text: str) -> str:
    """One line, every sign that Markdown or HTML would act on made harmless."""
    line = " ".join(text.split())
    line = line if len(line) <= CELL else line[: CELL - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]<>|#~$&!])", r"\\\1", line)


def code(text: str) -> str:
    """A name in code, which no table is broken by."""
    line = " ".join(text.split()).replace("`", "'").replace("|", "¦")
    return f"`{line if len(line) <= CELL else line[: CELL - 1] + '…'}`"


def fenced(language: str, text: str) -> str:
    """A block of code, whatever stands in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(heads) - 1)] if _numbers(lines) else ["---"] * len(heads)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, marks, *lines))


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _numbers(lines: Sequence[Sequence[str]]) -> bool:
    return all(re.fullmatch(r"[\d,]+", cell) for line in lines for cell in line[1:])
