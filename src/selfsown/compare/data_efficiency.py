"""How many real rows plain training needs to do as well as the loop, and what either costs.

Everything that must be decided is decided against the loop: plain training is given the best generation of
its run and the best of all smaller sizes, the loop its last generation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml

from selfsown.files.user_rows import UserRows
from selfsown.holdout import split
from selfsown.intake import prepared_rows
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.stats.intervals import student


@dataclass(frozen=True)
class Crossing:
    """ratio: real rows of plain training to those of the loop. beyond: the curve ends before it gets there,
    or begins above; the ratio is then the largest or the smallest size that was tried."""

    ratio: float
    beyond: Literal["", "above", "below"] = ""


def crossing(multiples: Sequence[float], scores: Sequence[float], level: float) -> Crossing:
    """Where the curve through (log rows, best score so far) first reaches the level; higher is better."""
    best = scores[0]
    if best > level:
        return Crossing(multiples[0], "below")
    if best == level:
        return Crossing(multiples[0])
    for at in range(1, len(multiples)):
        if scores[at] >= level:
            part = (level - best) / (scores[at] - best)
            left, right = math.log(multiples[at - 1]), math.log(multiples[at])
            return Crossing(math.exp(left + part * (right - left)))
        best = max(best, scores[at])
    return Crossing(multiples[-1], "above")


def summary(found: Sequence[Crossing], largest: float) -> dict[str, Any]:
    """Over the seeds: the mean in log space with its interval, where every seed's crossing was seen."""
    summed: dict[str, Any] = {"ratios": [None if each.beyond == "above" else each.ratio for each in found]}
    summed |= {"beyond": [each.beyond for each in found], "mean": None, "low": None, "high": None}
    least, above = min(each.ratio for each in found), sum(each.beyond == "above" for each in found)
    below = sum(each.beyond == "below" for each in found)
    of = f"of {len(found)} seeds"
    if below:
        words = f"less than {least:g}×" + (f" in {below} {of}" if below < len(found) else "")
    elif above == len(found):
        words = f"more than {largest:g}×"
    elif above:
        words = f"at least {least:.1f}× (more than {largest:g}× in {above} {of})"
    else:
        logs = [math.log(each.ratio) for each in found]
        summed["mean"] = math.exp(sum(logs) / len(logs))
        words = f"{summed['mean']:.1f}× (one seed)"
        if len(found) > 1:
            summed["low"], summed["high"] = map(math.exp, student(logs))
            words = f"{summed['mean']:.1f}× [{summed['low']:.1f}, {summed['high']:.1f}]"
    return summed | {"words": words}


def multiples_of(wanted: Sequence[str]) -> list[float]:
    """ "1x,2x,16x" as numbers, in order."""
    words = [word.strip() for each in wanted for word in each.split(",") if word.strip()]
    for word in words:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?x", word) or not float(word[:-1]):
            raise SelfsownError(f"--real-rows {word!r} is no multiple; write such as 1x,2x,4x,8x,16x")
    return sorted({float(word[:-1]) for word in words})


def sizes(recipe: Recipe, multiples: Sequence[float], seeds: Sequence[int]) -> tuple[int, int, list[str]]:
    """Rows that the recipe learns from, rows held out, and the changes by which there are real rows enough."""
    world = recipe.real()
    sides = [
        split(list(prepared_rows(replace(recipe, seed=seed), world)), recipe.held_out, seed, world.name)
        for seed in seeds
    ]
    there, held_out = min(len(rest) for rest, _ in sides), len(sides[0][1])
    n = recipe.max_train_rows or there
    most = math.ceil(multiples[-1] * n)
    if most <= there:
        return n, held_out, [f"max_train_rows={n}"]
    if isinstance(world, UserRows) or not hasattr(world, "rows"):
        raise SelfsownError(
            f"{world.name} leaves {there:,} rows to learn from, {there / n:g} times the {n:,} of the recipe; "
            f"{multiples[-1]:g}x is asked for: ask for less, bring more rows, or set max_train_rows={int(there / multiples[-1])}"
        )
    rows = f"real.{recipe.real.method}.rows={held_out + most}"
    return n, held_out, [rows, f"held_out={held_out}", f"max_train_rows={n}"]


@dataclass(frozen=True)
class Side:
    """What one side used: real rows, to learn from and held out, seconds of CPU, dollars for models behind servers."""

    rows: float
    cpu_seconds: float
    models: float = 0.0

    def usd(self, prices: Mapping[str, float]) -> float:
        computing = self.cpu_seconds / 3600 * prices["cpu_hour"]
        return self.rows * prices["real_row"] + computing + self.models * prices.get("models", 1.0)


def cost(plain: Side, loop: Side, prices: Mapping[str, float]) -> dict[str, Any]:
    """How many times as much plain training costs, in three ratios that are never mixed."""
    spared, hour = plain.rows - loop.rows, prices["cpu_hour"] / 3600
    more = (loop.cpu_seconds - plain.cpu_seconds) * hour + loop.models - plain.models
    even = more / spared if spared > 0 else None
    longer, room = (
        (loop.cpu_seconds - plain.cpu_seconds) / 3600,
        spared * prices["real_row"] + plain.models - loop.models,
    )
    total = loop.usd(prices)
    return {
        "prices": dict(prices),
        "plain": asdict(plain),
        "loop": asdict(loop),
        "labels": plain.rows / loop.rows,
        "compute": plain.cpu_seconds / loop.cpu_seconds if loop.cpu_seconds else None,
        "both": plain.usd(prices) / total if total else None,
        "sensitivity": sensitivity(plain, loop, prices),
        "break_even_real_row": None if even is None else max(0.0, even),
        "break_even_cpu_hour": room / longer if longer > 0 and room > 0 else None,
    }


def sensitivity(plain: Side, loop: Side, prices: Mapping[str, float]) -> dict[str, list[float]]:
    """The ratio of all costs where one price is half as high, and where it is one and a half times as high."""
    charged = {"models": 1.0, **prices}
    found = {}
    for name in charged:
        ways = [{**charged, name: charged[name] * part} for part in (0.5, 1.5)]
        found[name] = [plain.usd(way) / loop.usd(way) for way in ways if loop.usd(way)]
    return found


def between(multiples: Sequence[float], values: Sequence[float], at: float) -> float:
    """The value at a multiple, on straight lines over the logarithm; beyond the ends, the end's."""
    for left in range(len(multiples) - 1):
        low, high = multiples[left], multiples[left + 1]
        if low <= at <= high:
            part = math.log(at / low) / math.log(high / low)
            return values[left] + part * (values[left + 1] - values[left])
    return values[0] if at < multiples[0] else values[-1]


def prices_of(folder: Path, file: Path | None) -> dict[str, float]:
    """The prices in use: those of `file`, or of FOLDER/prices.yaml, or ours."""
    path = file or folder / "prices.yaml"
    try:
        ours = file is None and not path.exists()
        found = yaml.safe_load(ready_prices() if ours else path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SelfsownError(f"{path} cannot be read: {error}; it holds prices in YAML, see docs/compare.md") from error
    return {name: _price(path, found, name) for name in ("real_row", "cpu_hour")}


def ready_prices() -> str:
    """Ours, as YAML: a comparison's folder gets a copy to be edited."""
    return resources.files("selfsown.compare").joinpath("prices.yaml").read_text("utf-8")


def _price(path: Path, found: Any, name: str) -> float:
    usd = found.get(name, {}) if isinstance(found, dict) else {}
    usd = usd.get("usd") if isinstance(usd, dict) else usd
    if not isinstance(usd, int | float) or isinstance(usd, bool) or not 0 <= usd < math.inf:
        raise SelfsownError(f"{path}: {name}.usd is {usd!r}; it must be a number of US dollars, nought or more")
    return float(usd)
