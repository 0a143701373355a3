"""What a page shows: figures made of drawings, each with a table of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Table:
    """Columns by name, and lines of as many cells; the first cell of a line names it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True)
class Panel:
    """One drawing under a heading; `wide` is the same drawn for a broad screen."""

    title: str
    svg: Markup
    wide: Markup | None = None


@dataclass(frozen=True)
class Figure:
    """Panels that belong together, what they show in words, and their numbers."""

    caption: str
    panels: Sequence[Panel]
    table: Table
