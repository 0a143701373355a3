"""Drawings as inline SVG: one drawing serves light and dark, because its colours are the page's own variables."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import matplotlib
import matplotlib.style
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfsown.html.formatting import visible

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it builds a cache, and need not say so

# Colours that stand for a variable of style.css until the drawing is finished.
INK, MUTED, RULE, PAPER = "#010101", "#010102", "#010103", "#010104"
BLUE, ORANGE, GREY, GREEN, PURPLE = "#010105", "#010106", "#010107", "#010108", "#010109"
VARIABLES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", BLUE: "blue", ORANGE: "orange"}
VARIABLES |= {GREY: "grey", GREEN: "green", PURPLE: "purple"}
STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same measures on every machine
    "font.size": 11.5,
    "svg.fonttype": "none",
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.unicode_minus": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Margins:
    """Room around the axes for what is written there."""

    left: float = 44
    right: float = 14
    top: float = 16
    bottom: float = 36


@dataclass(frozen=True)
class Sheet:
    """What a drawing is called, what it says to who cannot see it, and its size in CSS pixels."""

    name: str
    title: str
    told: str
    width: int = 320
    height: int = 210
    margins: Margins = field(default_factory=Margins)


def drawn(sheet: Sheet, draw: Callable[[Axes], None]) -> Markup:
    """What `draw` draws, as an element to stand in a page."""
    style = {**STYLE, "svg.hashsalt": sheet.name}  # ids of its own: many drawings stand in one page
    with matplotlib.style.context(["default", style]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has more letters
        figure = Figure(figsize=(sheet.width / 72, sheet.height / 72))
        around = sheet.margins
        wide, high = sheet.width - around.left - around.right, sheet.height - around.top - around.bottom
        place = (around.left / sheet.width, around.bottom / sheet.height, wide / sheet.width, high / sheet.height)
        draw(figure.add_axes(place))
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _element(out.getvalue(), sheet)


def label(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    shift: tuple[float, float],
    *,
    colour: str = INK,
    across: Literal["left", "center", "right"] = "left",
    along: Literal["bottom", "center", "top"] = "bottom",
) -> None:
    """Text beside a point, so many pixels away; the anchor of the text is `across` and `along`."""
    place = {"textcoords": "offset points", "ha": across, "va": along}
    axes.annotate(visible(text), at, shift, color=colour, zorder=5, **cast(Any, place))


def _element(text: str, sheet: Sheet) -> Markup:
    """The body of the SVG without what a page has no use for, under a head of ours."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    used = set(re.findall(r"#([\w-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", body)
    body = re.sub(r"\n\s*", "\n", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    head = (
        f'<svg viewBox="0 0 {sheet.width} {sheet.height}" width="{sheet.width}" height="{sheet.height}" role="img" '
        f'aria-labelledby="{sheet.name}-title {sheet.name}-desc">'
        f'<title id="{sheet.name}-title">{escape(visible(sheet.title))}</title>'
        f'<desc id="{sheet.name}-desc">{escape(visible(sheet.told))}</desc>'
    )
    return Markup(head + body.strip())
