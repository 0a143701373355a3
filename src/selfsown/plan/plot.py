"""The plan as a picture: what passes over the real data are worth, the target, and what synthetic data may add."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selfsown.plan.number_units import written
from selfsown.plan.planner import EPOCHS, Option, Plan
from selfsown.records import SelfsownError

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
ENDINGS = (".png", ".svg", ".pdf")


def fits(path: Path) -> None:
    """SelfsownError where nothing can be drawn there, before anything is computed."""
    if path.suffix not in ENDINGS:
        raise SelfsownError(f"--plot is {path}; its name must end with {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    if not path.parent.is_dir():
        raise SelfsownError(
            f"--plot is {path}, and there is no folder {path.parent}; make it, or name one that is there"
        )
    if path.is_dir():
        raise SelfsownError(f"--plot is {path}, and that is a folder; name a file in it")
    if not find_spec("matplotlib"):
        raise SelfsownError("--plot needs matplotlib: pip install 'selfsown[report]'")


def draw(plan: Plan, path: Path) -> None:
    """Write it as PNG, SVG or PDF, by the path's ending, whole or not at all; it takes matplotlib."""
    from matplotlib.figure import Figure

    options = [option for option in plan.options if plan.gap and option.most and option.source.high]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    repeats, *beside = figure.subplots(
        1, 1 + bool(options), sharey=True, squeeze=False, width_ratios=[5, len(options)] if options else None
    )[0]
    _repeats(plan, repeats)
    for axes in beside:
        _options(plan, options, axes)
    partial = path.with_name(f".{path.name}.partial")
    try:
        figure.savefig(partial, dpi=150, format=path.suffix[1:])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _repeats(plan: Plan, axes: Any) -> None:
    """The worth of more and more passes, the ceiling, the target, and where the one meets the other."""
    law, real, last = plan.law, plan.real, EPOCHS[-1]
    passes = [last ** (at / 100) for at in range(101)]
    axes.plot(passes, [law.worth(real, each) for each in passes], color=BLUE, label="passes over the real data")
    axes.plot(passes, [real * each for each in passes], color=GREY, ls=":", label="as many new real tokens")
    axes.axhline(law.ceiling(real), color=BLUE, lw=0.8, ls="--")
    axes.annotate("the ceiling of repeats", (1.05, law.ceiling(real)), va="bottom", color=BLUE, fontsize=9)
    axes.axhline(plan.target, color=ORANGE)
    axes.annotate(f"target: {written(plan.target)}", (last, plan.target), va="bottom", ha="right", fontsize=9)
    for at in {plan.epochs, plan.again.passes} if plan.again.passes <= last else {plan.epochs}:
        axes.plot([at], [law.worth(real, at)], "o", color=BLUE)
        axes.annotate(
            f"{at:.3g} passes", (at, law.worth(real, at)), (4, -12), textcoords="offset points", color=BLUE, fontsize=9
        )
    axes.set(xscale="log", yscale="log", xlabel="passes over the real data", ylabel="worth, in new real tokens")
    axes.set_xticks(EPOCHS, [str(each) for each in EPOCHS])
    axes.minorticks_off()
    axes.set_ylim(real / 1.5, 3 * max(plan.target, law.ceiling(real)))
    axes.legend(frameon=False, fontsize=9, loc="lower right")


def _options(plan: Plan, options: list[Option], axes: Any) -> None:
    """For each kind, what as much of it as is safe would add to the few passes, from its least worth to its best."""
    for at, option in enumerate(options):
        low, high = (plan.worth + option.most * worth for worth in (option.source.low, option.source.high))
        axes.bar(at, max(high - low, 0.02 * high), 0.6, low, color=GREEN)
    axes.axhline(plan.target, color=ORANGE)
    axes.set_xticks(range(len(options)), [option.source.name for option in options], fontsize=9, rotation=30)
    axes.set_xlim(-0.6, len(options) - 0.4)
    axes.set_xlabel(f"{plan.epochs:.3g} passes, and as much\nas is safe of this kind", fontsize=9)
    axes.tick_params(axis="y", which="both", left=False)
