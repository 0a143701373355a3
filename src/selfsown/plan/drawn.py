"""The plan as a picture: what passes over the real data are worth, the target, and what synthetic data may add."""

from __future__ import annotations

from pathlib import Path

from selfsown.plan.amounts import written
from selfsown.plan.plan import Plan
from selfsown.records import SelfsownError

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#666666"


def draw(plan: Plan, path: Path) -> None:
    """Write it as PNG, SVG or PDF, by the path's ending; it takes matplotlib ('selfsown[report]')."""
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise SelfsownError(f"--plot is {path}; its name must end with .png, .svg or .pdf")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SelfsownError("--plot needs matplotlib: pip install 'selfsown[report]'") from error
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    epochs = [10 ** (at / 50) for at in range(101)]
    axes.plot(epochs, [plan.law.worth(plan.real, e) for e in epochs], color=BLUE, label="passes over the real data")
    axes.plot(epochs, [plan.real * e for e in epochs], color=GREY, ls=":", label="as many new real tokens")
    axes.axhline(plan.law.ceiling(plan.real), color=BLUE, lw=0.8, ls="--")
    axes.annotate("the ceiling of repeats", (1.05, plan.law.ceiling(plan.real)), va="bottom", color=BLUE, fontsize=9)
    axes.axhline(plan.target, color=ORANGE)
    axes.annotate(f"target: {written(plan.target)}", (95, plan.target), va="bottom", ha="right", fontsize=9)
    for at, option in enumerate(option for option in plan.options if option.most and option.source.high):
        low, high = (plan.worth + option.most * worth for worth in (option.source.low, option.source.high))
        where = plan.epochs * 1.25 ** (at + 1)
        axes.plot(
            [where, where],
            [low, high],
            lw=6,
            solid_capstyle="butt",
            label=f"{plan.epochs:.3g} passes and {option.source.name}, while safe",
        )
    axes.set(xscale="log", yscale="log", xlabel="passes over the real data", ylabel="worth, in new real tokens")
    axes.set_ylim(plan.real / 1.5, 3 * max(plan.target, plan.law.ceiling(plan.real)))
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    figure.savefig(path, dpi=150)
