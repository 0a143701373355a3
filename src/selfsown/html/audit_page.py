"""The audit as a page: one file that loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.axes import Axes

from selfsown.audit import findings
from selfsown.audit.audit import Audit, Group
from selfsown.audit.scan import number
from selfsown.html import svg, template
from selfsown.html.elements import Figure, Panel, Table
from selfsown.html.formatting import percent, truncate, visible
from selfsown.records import Signal

SHOWN = 300  # characters of a row
COPIES = "copies of real rows"  # the signal


def write(found: Audit, path: Path) -> Path:
    """The page at this path; SelfsownError where it cannot be written."""
    content = {
        "name": found.synthetic.name,
        "real": found.real.name,
        "folder": "",
        "headline": findings.headline(found),
        "sentences": findings.sentences(found),
        "facts": _facts(found),
        "unknown": findings.unknown(found),
        "drifts": _drifts(found) if found.signals else None,
        "shares": [_shares(name, of) for name, of in {**found.shares, "forms": found.forms}.items() if of],
        "near": _near(found),
        "copied": _copied(found),
        "hits": _hits(found),
        "phrases": _phrases(found),
        "method": findings.method(found),
    }
    return template.write_page(path, "audit.html", content)


def _facts(found: Audit) -> list[tuple[str, str, str]]:
    facts = [("synthetic rows", f"{found.synthetic.rows:,}", found.synthetic.name)]
    facts.append(("real rows", f"{found.real.rows:,}", found.real.name))
    if found.synthetic.blank or found.real.blank:
        facts.append(("blank rows", f"{found.synthetic.blank:,}", f"of real rows {found.real.blank:,}"))
    facts.append(("said more than once", percent(found.repeats[0]), f"of real rows {percent(found.repeats[1])}"))
    nearly = f"; of the sample {percent(found.so[COPIES][0])}, at least nearly" if COPIES in found.so else ""
    return [*facts, ("copies of real rows", percent(found.copies), f"letter case and spaces aside{nearly}")]


def _drifts(found: Audit) -> Figure:
    signals = list(found.signals)
    said = "; ".join(f"{each.name}: {each.value / each.tolerance:+.2f} times what is borne" for each in signals)
    around, high = svg.Margins(8, 14, 6, 36), 50 + 40 * len(signals)
    slim, wide = (svg.Canvas(f"drifts-{width}", "Differences", said, width, high, around) for width in (340, 900))
    head = ["signal", "family", "difference", "95 % interval", "borne", "p", "alarm", "smallest seen"]
    rows = [
        [
            each.name,
            each.family,
            f"{each.value:+.3f}",
            f"[{each.low:+.3f}, {each.high:+.3f}]",
            f"{each.tolerance:g}",
            f"{each.p:.3g}",
            "yes" if each.is_alarm else "no",
            f"{each.mde:.3f}",
        ]
        for each in signals
    ]
    return Figure(
        "A filled mark is an alarm: more than chance, and more than is borne.",
        [Panel("", *(svg.draw_svg(sheet, _dots(signals)) for sheet in (slim, wide)))],
        Table(head, rows, "Every signal. 0.1 is 10 %, 10 points, or 0.1 of log-odds"),
    )


def _dots(signals: list[Signal]) -> Callable[[Axes], None]:
    """A line a signal, its name above it, as a multiple of what is borne."""

    def draw(axes: Axes) -> None:
        far = max(2.0, *(abs(each.value / each.tolerance) * 1.1 for each in signals))
        axes.set_xlim(-min(far, 4), min(far, 12))
        axes.set_ylim(len(signals) - 0.25, -0.75)
        for edge in (-1, 1):
            axes.axvline(edge, color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.axvline(0, color=svg.MUTED, linewidth=1)
        left, right = axes.get_xlim()
        for at, each in enumerate(signals):
            colour = svg.ORANGE if each.is_alarm else svg.BLUE
            low, value, high = (max(left, min(right, v / each.tolerance)) for v in (each.low, each.value, each.high))
            axes.annotate(visible(each.name), (0, at - 0.36), xycoords=axes.get_yaxis_transform(), va="center")
            axes.plot([low, high], [at, at], "-", color=colour)
            times = each.value / each.tolerance
            beyond = 0 if value == times else 1 if times > right else -1
            face = colour if each.is_alarm else svg.PAPER
            axes.plot(
                [value], [at], "<o>"[beyond + 1], markersize=7, color=colour, markerfacecolor=face, clip_on=not beyond
            )
            if beyond:  # the edge of the drawing: an arrow, and how far it is
                side = "right" if beyond > 0 else "left"
                axes.annotate(f"{times:+.1f}", (value, at - 0.36), ha=side, va="center")
        axes.set_xlabel("times what is borne")
        axes.set_yticks([])
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _shares(name: str, of: Mapping[str, tuple[float, float]]) -> Table:
    rows = [
        [visible(value), percent(ours), percent(theirs), f"{100 * (ours - theirs):+.1f}"]
        for value, (ours, theirs) in sorted(of.items(), key=lambda each: -each[1][1])
    ]
    return Table(["value", "synthetic", "real", "points"], rows, f"Shares of {name}")


def _near(found: Audit) -> Table | None:
    rows = [[f"{each.rows:,}", _numbers(each), truncate(each.text, SHOWN)] for each in found.near]
    head = ["how many", "rows", "one of them"]
    return Table(head, rows, "Synthetic rows of the sample that say nearly the same") if rows else None


def _copied(found: Audit) -> Table | None:
    rows = [[_numbers(each), truncate(each.text, SHOWN)] for each in found.copied]
    caption = "Synthetic rows that say, at least nearly, what a real row says, or answer so"
    return Table(["row", "synthetic row"], rows, caption) if rows else None


def _numbers(group: Group) -> str:
    return ", ".join(map(str, group.numbers)) + (" …" if group.rows > len(group.numbers) else "")


def _hits(found: Audit) -> Table | None:
    hits = found.examination.shown if found.examination else []
    rows = [
        [str(number(hit.row)), hit.examination, truncate(hit.question, SHOWN), truncate(hit.run, SHOWN)] for hit in hits
    ]
    head = ["row", "examination", "question", "what both say"]
    return Table(head, rows, "The first that were found") if rows else None


def _phrases(found: Audit) -> Table | None:
    rows = [
        [visible(each.words), f"{each.synthetic:,}", f"{each.real:,}", str(each.row), truncate(each.example, SHOWN)]
        for each in found.phrases
    ]
    head = ["phrase", "synthetic rows", "real rows", "row", "an example"]
    return Table(head, rows, "In how many rows of the sample each phrase stands") if rows else None
