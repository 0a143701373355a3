"""The elements of a page: tables, and figures of drawings with a table of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup


@dataclass(frozen=True)
class Table:
    """Column names, and rows of as many cells; the first cell of a row names it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True)
class Panel:
    """One drawing under a heading; `wide` is the same drawing for a wide screen."""

    title: str
    svg: Markup
    wide: Markup | None = None


@dataclass(frozen=True)
class Figure:
    """Panels that belong together, with a caption and a table of their numbers."""

    caption: str
    panels: Sequence[Panel]
    table: Table


class Fact(NamedTuple):
    """A number in large type, with its name and a note."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Opening:
    """What every page begins with, and the folder and description that its end names.

    facts: the first in the largest type.
    """

    name: str
    description: str
    folder: str
    headline: str
    sentences: Sequence[str]
    facts: Sequence[Fact]
    limitations: Sequence[str]


class Bar(NamedTuple):
    """A number as a bar. segments: (share of the width, colour variable of the page) of each part of it."""

    label: str
    text: str
    segments: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Bars:
    """Numbers of one unit as bars, which is also a table of them."""

    caption: str
    label: str
    unit: str
    bars: Sequence[Bar]
