"""The audit as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from selfsown.audit import findings
from selfsown.audit.audit import Audit
from selfsown.audit.conclusion import headline, log_odds_note, ranked, signal_label
from selfsown.audit.examples import RowGroup
from selfsown.audit.scan import row_number
from selfsown.html import svg, template
from selfsown.html.elements import Fact, Figure, Opening, Panel, Table
from selfsown.html.formatting import percent, truncate, visible
from selfsown.records import Signal

MAX_CHARS_SHOWN = 300  # of a row
MAX_ROW_NUMBERS = 5  # of a group of duplicates
WIDTHS = (340, 900)  # pixels of the figure on narrow and wide screens
MAX_NAME_CHARS = 40  # of a signal in the figure
AXIS_LIMITS = (4.0, 12.0)  # of the figure to the left and right, in tolerances


def write(audit: Audit, path: Path) -> Path:
    """Write the page. SelfsownError: it cannot be written."""
    content = {
        "opening": _opening(audit),
        "real": audit.real.name,
        "power": _power(audit),
        "differences": _differences(audit) if audit.signals else None,
        "shares": _all_shares(audit),
        "duplicates": _duplicates(audit),
        "copies": _copies(audit),
        "matches": _matches(audit),
        "phrases": _phrases(audit),
        "method": findings.method(audit),
    }
    return template.write_page(path, "audit.html", content)


def _opening(audit: Audit) -> Opening:
    return Opening(
        name=audit.synthetic.name,
        description="",
        folder="",
        headline=headline(audit),
        sentences=[*findings.sentences(audit), *(audit.dropped.sentences if audit.dropped else ())],
        facts=_facts(audit),
        limitations=findings.limitations(audit),
    )


def _facts(audit: Audit) -> list[Fact]:
    synthetic, real = audit.synthetic, audit.real
    names = ", ".join(signal_label(alarm) for alarm in ranked(audit) if alarm.is_alarm)
    facts = (
        [Fact("checks with an alarm", f"{len(audit.alarms)} of {len(audit.signals)}", names)] if audit.signals else []
    )
    facts += [
        Fact("synthetic rows", f"{synthetic.row_count:,}", synthetic.name),
        Fact("real rows", f"{real.row_count:,}", real.name),
    ]
    if synthetic.blank_count or real.blank_count:
        facts.append(Fact("blank rows", f"{synthetic.blank_count:,}", f"real: {real.blank_count:,}"))
    ours, theirs = map(percent, audit.duplicate_rates)
    facts.append(Fact("exact duplicates", ours, f"of all rows; real: {theirs}"))
    return [*facts, Fact("exact copies of real rows", percent(audit.copy_rate), "of all rows")]


def _power(audit: Audit) -> Table | None:
    rows = [[row.check, row.mde, row.tolerance, f"{row.rows_needed:,}"] for row in findings.power_table(audit)]
    head = ["check", "MDE at 80 % power", "tolerance", "rows needed per side"]
    return (
        Table(head, rows, "Checks that lack the power to detect a difference above their tolerance") if rows else None
    )


def _differences(audit: Audit) -> Figure:
    signals = ranked(audit)
    label = "; ".join(
        f"{signal_label(signal)}: {signal.value / signal.tolerance:+.2f} times the tolerance" for signal in signals
    )
    margins, height = svg.Margins(8, 14, 6, 36), 50 + 40 * len(signals)
    sheets = [svg.Canvas(f"differences-{width}", "Differences", label, width, height, margins) for width in WIDTHS]
    narrow, wide = (svg.draw_svg(sheet, _dots(signals)) for sheet in sheets)
    head = ["signal", "family", "difference", "95 % interval", "tolerance", "p", "result", "MDE at 80 % power"]
    rows = [
        [
            signal_label(signal),
            signal.family,
            f"{signal.value:+.3f}",
            f"[{signal.low:+.3f}, {signal.high:+.3f}]",
            f"{signal.tolerance:g}",
            findings.p_value(audit, signal),
            findings.result(audit, signal),
            f"{signal.mde:.3f}",
        ]
        for signal in signals
    ]
    notes = ("A filled mark is an alarm: a significant difference above its tolerance.", log_odds_note(signals))
    return Figure(
        " ".join(filter(None, notes)),
        [Panel("", narrow, wide)],
        Table(head, rows, "Every signal. 0.1 is 10 %, 10 points, or 0.1 of log-odds"),
    )


def _dots(signals: Sequence[Signal]) -> Callable[[Axes], None]:
    """One row per signal: its name, its value and its interval, as multiples of its tolerance."""

    def draw(axes: Axes) -> None:
        limit = max(2.0, *(abs(signal.value / signal.tolerance) * 1.1 for signal in signals))
        axes.set_xlim(-min(limit, AXIS_LIMITS[0]), min(limit, AXIS_LIMITS[1]))
        axes.set_ylim(len(signals) - 0.25, -0.75)
        rows = range(len(signals))
        for edge, style in ((-1, (0, (4, 3))), (0, "solid"), (1, (0, (4, 3)))):  # with gaps, where the names are
            starts, ends = [row - 0.15 for row in rows], [row + 0.4 for row in rows]
            axes.vlines([edge] * len(signals), starts, ends, color=svg.MUTED, linewidth=1, linestyle=style)
        for index, signal in enumerate(signals):
            _draw_signal(axes, index, signal)
        axes.set_xlabel("multiples of the tolerance")
        axes.set_yticks([])
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)

    return draw


def _draw_signal(axes: Axes, index: int, signal: Signal) -> None:
    left, right = axes.get_xlim()
    low, value, high = (
        max(left, min(right, number / signal.tolerance)) for number in (signal.low, signal.value, signal.high)
    )
    multiple = signal.value / signal.tolerance
    beyond = value != multiple
    # The number of a mark at the edge stands after the name, where nothing else is drawn.
    name = truncate(signal_label(signal), MAX_NAME_CHARS) + (f"  {multiple:+.1f}" if beyond else "")
    axes.annotate(visible(name), (0, index - 0.36), xycoords=axes.get_yaxis_transform(), va="center")
    color = svg.ORANGE if signal.is_alarm else svg.BLUE
    face = color if signal.is_alarm else svg.PAPER
    axes.plot([low, high], [index, index], "-", color=color)
    marker = ("<" if multiple < left else ">") if beyond else "o"
    axes.plot([value], [index], marker, markersize=7, color=color, markerfacecolor=face, clip_on=not beyond)


def _all_shares(audit: Audit) -> list[Table]:
    named = {**audit.attribute_shares, "forms": audit.form_shares}
    return [_shares(name, shares) for name, shares in named.items() if shares]


def _shares(name: str, shares: Mapping[str, tuple[float, float]]) -> Table:
    rows = [
        [visible(value), percent(ours), percent(theirs), f"{100 * (ours - theirs):+.1f}"]
        for value, (ours, theirs) in sorted(shares.items(), key=lambda item: -abs(item[1][0] - item[1][1]))
    ]
    return Table(["value", "synthetic", "real", "points"], rows, f"Shares of {name}")


def _duplicates(audit: Audit) -> Table | None:
    rows = [
        [f"{group.count:,}", _row_numbers(group), truncate(group.text, MAX_CHARS_SHOWN) or "(empty)"]
        for group in audit.duplicate_groups
    ]
    return (
        Table(["count", "rows", "example"], rows, "Near duplicates among the sampled synthetic rows") if rows else None
    )


def _copies(audit: Audit) -> Table | None:
    rows = [[_row_numbers(group), truncate(group.text, MAX_CHARS_SHOWN) or "(empty)"] for group in audit.copied_rows]
    caption = "Synthetic rows that are copies or near copies of a real row, or whose answer is one of a real answer"
    return Table(["row", "synthetic row"], rows, caption) if rows else None


def _row_numbers(group: RowGroup) -> str:
    more = " …" if group.count > MAX_ROW_NUMBERS else ""
    return ", ".join(map(str, group.row_numbers[:MAX_ROW_NUMBERS])) + more


def _matches(audit: Audit) -> Table | None:
    matches = audit.benchmarks.examples if audit.benchmarks else []
    rows = [
        [
            str(row_number(match.row)),
            match.benchmark,
            truncate(match.question, MAX_CHARS_SHOWN),
            truncate(match.evidence, MAX_CHARS_SHOWN),
        ]
        for match in matches
    ]
    head = ["row", "benchmark", "question", "shared words, or how it was reworded"]
    return Table(head, rows, "The first matches") if rows else None


def _phrases(audit: Audit) -> Table | None:
    rows = [
        [
            visible(phrase.words),
            f"{phrase.synthetic:,}",
            f"{phrase.real:,}",
            str(phrase.row),
            truncate(phrase.example, MAX_CHARS_SHOWN),
        ]
        for phrase in audit.phrases
    ]
    head = ["phrase", "synthetic rows", "real rows", "row", "example"]
    return Table(head, rows, "Number of sampled rows that contain each phrase") if rows else None
