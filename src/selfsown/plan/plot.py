"""The plan as a figure: the value of repeated real data, the target, and what synthetic data may add."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from selfsown.errors import SelfsownError
from selfsown.plan.number_units import format_amount
from selfsown.plan.planner import EPOCHS, Plan, SyntheticOption

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
FORMATS = (".png", ".svg", ".pdf")
CURVE_POINTS = 100


def check_path(path: Path) -> None:
    """SelfsownError: no figure can be written to this path, or matplotlib is missing."""
    if path.suffix not in FORMATS:
        raise SelfsownError(f"--plot is {path}; its name must end with {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    if not path.parent.is_dir():
        raise SelfsownError(
            f"--plot is {path}, but there is no folder {path.parent}; create it, or name an existing one"
        )
    if path.is_dir():
        raise SelfsownError(f"--plot is {path}, but it is a folder; name a file in it")
    if not find_spec("matplotlib"):
        raise SelfsownError("--plot needs matplotlib: pip install 'selfsown[report]'")


def draw(plan: Plan, path: Path) -> None:
    """Write the figure as PNG, SVG or PDF, by the path's suffix; a partial file is never left behind."""
    from matplotlib.figure import Figure

    options = [option for option in plan.options if plan.gap and option.max_safe_tokens and option.kind.max_value]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes_row = figure.subplots(
        1, 1 + bool(options), sharey=True, squeeze=False, width_ratios=[5, len(options)] if options else None
    )[0]
    _draw_repeats(plan, axes_row[0])
    if options:
        _draw_options(plan, options, axes_row[1])
    partial = path.with_name(f".{path.name}.partial")
    try:
        figure.savefig(partial, dpi=150, format=path.suffix[1:])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _draw_repeats(plan: Plan, axes: Axes) -> None:
    """Effective tokens by epochs, their limit, the target, and where the curve meets the target."""
    law, real, last = plan.law, plan.real_tokens, EPOCHS[-1]
    limit = law.max_effective_tokens(real)
    curve = [last ** (point / CURVE_POINTS) for point in range(CURVE_POINTS + 1)]
    values = [law.effective_tokens(real, epochs) for epochs in curve]
    axes.plot(curve, values, color=BLUE, label="epochs over the real data")
    axes.plot(curve, [real * epochs for epochs in curve], color=GREY, ls=":", label="as many new real tokens")
    axes.axhline(limit, color=BLUE, lw=0.8, ls="--")
    axes.annotate("maximum of repeats", (1.05, limit), va="bottom", color=BLUE, fontsize=9)
    axes.axhline(plan.target, color=ORANGE)
    target = f"target: {format_amount(plan.target)}"
    axes.annotate(target, (last, plan.target), va="bottom", ha="right", fontsize=9)
    marked = {plan.epochs, plan.repeats_only.epochs} if plan.repeats_only.epochs <= last else {plan.epochs}
    for epochs in marked:
        point = (epochs, law.effective_tokens(real, epochs))
        axes.plot([point[0]], [point[1]], "o", color=BLUE)
        label = f"{epochs:.3g} epochs"
        axes.annotate(label, point, (4, -12), textcoords="offset points", color=BLUE, fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="epochs over the real data", ylabel="effective tokens")
    axes.set_xticks(EPOCHS, [str(epochs) for epochs in EPOCHS])
    axes.minorticks_off()
    axes.set_ylim(real / 1.5, 3 * max(plan.target, limit))
    axes.legend(frameon=False, fontsize=9, loc="lower right")


def _draw_options(plan: Plan, options: list[SyntheticOption], axes: Axes) -> None:
    """For each kind: what the largest safe amount adds to the planned epochs, at its lowest and highest value."""
    for index, option in enumerate(options):
        values = (option.kind.min_value, option.kind.max_value)
        low, high = (plan.effective_tokens + option.max_safe_tokens * value for value in values)
        axes.bar(index, max(high - low, 0.02 * high), 0.6, low, color=GREEN)
    axes.axhline(plan.target, color=ORANGE)
    axes.set_xticks(range(len(options)), [option.kind.name for option in options], fontsize=9, rotation=30)
    axes.set_xlim(-0.6, len(options) - 0.4)
    axes.set_xlabel(f"{plan.epochs:.3g} epochs and the largest\nsafe amount of this kind", fontsize=9)
    axes.tick_params(axis="y", which="both", left=False)
