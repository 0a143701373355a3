"""Drawings as inline SVG, whose colours are CSS variables of the page, so that they fit its light and dark theme."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import matplotlib
import matplotlib.style
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfsown.html.formatting import visible

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it would report that it builds a cache

# Placeholder colours, which become CSS variables of page.css in the finished drawing.
INK, MUTED, RULE, PAPER = "#010101", "#010102", "#010103", "#010104"
BLUE, ORANGE, GREY, GREEN, PURPLE = "#010105", "#010106", "#010107", "#010108", "#010109"
VARIABLES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper", BLUE: "blue", ORANGE: "orange"}
VARIABLES |= {GREY: "grey", GREEN: "green", PURPLE: "purple"}
MATPLOTLIB_STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same text widths on every machine
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
    """Pixels around the axes for labels."""

    left: float = 44
    right: float = 14
    top: float = 16
    bottom: float = 36


@dataclass(frozen=True)
class Canvas:
    """The id and title of a drawing, its description for screen readers, and its size in CSS pixels."""

    name: str
    title: str
    description: str
    width: int = 320
    height: int = 210
    margins: Margins = field(default_factory=Margins)


def draw_svg(canvas: Canvas, draw: Callable[[Axes], None]) -> Markup:
    """What `draw` draws on the axes, as an SVG element for a page."""
    style = {**MATPLOTLIB_STYLE, "svg.hashsalt": canvas.name}  # unique ids: a page has many drawings
    with matplotlib.style.context(["default", style]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has more glyphs
        figure = Figure(figsize=(canvas.width / 72, canvas.height / 72))
        margins = canvas.margins
        width = canvas.width - margins.left - margins.right
        height = canvas.height - margins.top - margins.bottom
        left = margins.left / canvas.width
        bottom = margins.bottom / canvas.height
        draw(figure.add_axes((left, bottom, width / canvas.width, height / canvas.height)))
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _svg_element(out.getvalue(), canvas)


def draw_label(
    axes: Axes,
    text: str,
    point: tuple[float, float],
    offset: tuple[float, float],
    *,
    colour: str = INK,
    horizontal: Literal["left", "center", "right"] = "left",
    vertical: Literal["bottom", "center", "top"] = "bottom",
) -> None:
    """Text beside a point, `offset` pixels away; horizontal and vertical say which part of the text lies there."""
    axes.annotate(
        visible(text), point, offset, textcoords="offset points", ha=horizontal, va=vertical, color=colour, zorder=5
    )


def _svg_element(text: str, canvas: Canvas) -> Markup:
    """The body of the SVG, without metadata, fonts and unused ids, under a new root element with title and text."""
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    used = set(re.findall(r"#([\w-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in used else "", body)
    body = re.sub(r"\n\s*", "\n", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    head = (
        f'<svg viewBox="0 0 {canvas.width} {canvas.height}" width="{canvas.width}" height="{canvas.height}" role="img" '
        f'aria-labelledby="{canvas.name}-title {canvas.name}-desc">'
        f'<title id="{canvas.name}-title">{escape(visible(canvas.title))}</title>'
        f'<desc id="{canvas.name}-desc">{escape(visible(canvas.description))}</desc>'
    )
    return Markup(head + body.strip())
