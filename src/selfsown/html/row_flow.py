"""Where the rows went: who made them, and how each ended, as bands whose width is their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from selfsown.html import svg
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import cut, percent, visible, whole
from selfsown.html.run_data import Fate, Made, Run

Slot = tuple[str, int, str]  # what is written beside a band, its rows, its colour
MOST = 6  # more bands than this on one side cannot be told apart
HEAD, BODY, LINES, GAP, BAR, SIDE = 26.0, 200.0, 34.0, 12.0, 9.0, 172.0


def figure(run: Run) -> Figure | None:
    """The whole run as a drawing, each generation as a line of the table; nothing where no row was made."""
    fates: Counter[Fate] = sum((made.fates() for made in run.made), Counter())
    ways: Counter[str] = Counter()
    for made in run.made:
        for (way, _), n in made.flows.items():
            ways[way] += n
    total, ends = sum(fates.values()), _ends(fates)
    if not total:
        return None
    told = f"{whole(total)} rows made: " + ", ".join(f"{whole(n)} {name}" for name, n, _ in ends)
    sources = [(f"made by {way}", n, svg.GREY) for way, n in _most(ways)]
    height = HEAD + max(_height(slots, total) for slots in (sources, ends))
    title = "where the rows went"
    slim = svg.Sheet("flow", title, told, 340, int(height), svg.Margins(0, 0, 0, 0))
    wide = svg.Sheet("flow-wide", title, told, 900, int(height), svg.Margins(0, 0, 0, 0))
    panel = Panel("", svg.drawn(slim, _bands([], ends, slim)), svg.drawn(wide, _bands(sources, ends, wide)))
    caption = "Every row that the model wrote, and how it ended. The height of a band is its number of rows."
    return Figure(caption, [panel], _table(run, fates))


def sums(run: Run) -> tuple[str, bool]:
    """In equals out, in figures; and whether the rows on disk are as many as the generations counted."""
    parts = {end: sum(made.ended(end) for made in run.made) for end in ("kept", "rejected", "failed")}
    total = sum(made.total for made in run.made)
    counted = {g.number: g.counts for g in run.history if g.number}
    same = all(
        made.total == counted[made.number].get("made")
        and all(made.ended(end) == counted[made.number].get(end) for end in parts)
        for made in run.made
        if made.number in counted
    )
    said = f"{whole(total)} made = " + " + ".join(f"{whole(n)} {end}" for end, n in parts.items())
    return said, same and sum(parts.values()) == total


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent, largest first; the rest as one."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(n for _, n in ranked[MOST:])
    return [*ranked[:MOST], *([("others", rest)] if rest else [])]


def _ends(fates: Mapping[Fate, int]) -> list[Slot]:
    rejected = {by: n for (end, by), n in fates.items() if end == "rejected"}
    kept, failed = fates.get(("kept", ""), 0), fates.get(("failed", ""), 0)
    slots = [("kept", kept, svg.BLUE), *((f"rejected by {by}", n, svg.ORANGE) for by, n in _most(rejected))]
    return [slot for slot in [*slots, ("failed", failed, svg.GREY)] if slot[1]]


def _table(run: Run, fates: Mapping[Fate, int]) -> Table:
    """A line for each generation and one for all; a column for each way to end."""
    names = [by for by, _ in _most({by: n for (end, by), n in fates.items() if end == "rejected"})]
    head = ["generation", "made", "kept", *(f"rejected by {by}" for by in names), "failed"]
    rows = [[str(made.number), *map(whole, _line(made, names))] for made in run.made]
    totals = [sum(line) for line in zip(*(_line(made, names) for made in run.made), strict=True)]
    return Table(head, [*rows, ["all", *map(whole, totals)]], "Rows by generation and by how they ended")


def _line(made: Made, names: Sequence[str]) -> list[int]:
    fates = made.fates()
    named = [fates[("rejected", name)] for name in names if name != "others"]
    others = [made.ended("rejected") - sum(named)] if "others" in names else []
    return [made.total, made.ended("kept"), *named, *others, made.ended("failed")]


def _rooms(slots: Sequence[Slot], scale: float) -> list[float]:
    """The height that each needs: its band's, or that of the two lines beside it."""
    return [max(n * scale, LINES) for _, n, _ in slots]


def _height(slots: Sequence[Slot], total: int) -> float:
    return sum(_rooms(slots, BODY / total)) + GAP * (len(slots) - 1) + 4


def _bands(sources: Sequence[Slot], ends: Sequence[Slot], sheet: svg.Sheet) -> Callable[[Axes], None]:
    """Sources flow into one bar, and the bar into how rows ended; without sources the bar stands at the left."""

    def draw(axes: Axes) -> None:
        wide, high = sheet.width, sheet.height
        axes.set_xlim(0, wide)
        axes.set_ylim(high, 0)
        axes.axis("off")
        total = sum(n for _, n, _ in ends)
        scale, middle = BODY / total, (wide * 0.4 if sources else 2.0)
        top = HEAD + (high - HEAD - BODY) / 2
        axes.add_patch(Rectangle((middle, top), BAR, BODY, color=svg.INK, linewidth=0))
        axes.text(middle if sources else 0, top - 8, f"made {whole(total)}", va="bottom", color=svg.INK, weight="bold")
        _side(axes, sources, (2.0 + BAR, middle), scale, "left")
        _side(axes, ends, (middle + BAR, wide - SIDE), scale, "right")

    return draw


def _side(axes: Axes, slots: Sequence[Slot], span: tuple[float, float], scale: float, side: str) -> None:
    high, total = axes.get_ylim()[0], sum(n for _, n, _ in slots)
    rooms = _rooms(slots, scale)
    at = HEAD + (high - HEAD - sum(rooms) - GAP * (len(rooms) - 1)) / 2
    inner = HEAD + (high - HEAD - BODY) / 2
    for (name, n, colour), room in zip(slots, rooms, strict=True):
        thick = n * scale
        outer = at + (room - thick) / 2
        left, right = (outer, inner) if side == "left" else (inner, outer)
        axes.add_patch(_band(span, left, right, max(thick, 0.6), colour))
        edge = span[0] - BAR if side == "left" else span[1]
        axes.add_patch(Rectangle((edge, outer), BAR, max(thick, 1.2), color=colour, linewidth=0))
        x = edge + BAR + 8
        axes.text(x, at + room / 2 - 1, visible(cut(name, 24)), va="bottom", color=svg.INK)
        axes.text(x, at + room / 2 + 1, f"{whole(n)} · {percent(n, total)}", va="top", color=svg.MUTED)
        at, inner = at + room + GAP, inner + thick


def _band(span: tuple[float, float], left: float, right: float, thick: float, colour: str) -> PathPatch:
    """Two curves that leave and arrive level."""
    (start, stop), bend = span, (span[0] + span[1]) / 2
    points = [(start, left), (bend, left), (bend, right), (stop, right), (stop, right + thick)]
    points += [(bend, right + thick), (bend, left + thick), (start, left + thick), (start, left)]
    curve = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
    curve += [Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.CLOSEPOLY]
    return PathPatch(Path(points, curve), facecolor=colour, alpha=0.28, linewidth=0)
