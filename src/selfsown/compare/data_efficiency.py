"""How many real rows plain training needs to match the loop, and what each of the two costs.

Every choice favours plain training: it is given the best generation of its run and the best of all smaller sizes, the
loop its last generation.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import yaml

from selfsown.files.user_rows import UserRows
from selfsown.holdout import split
from selfsown.intake import prepared_rows
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.stats.intervals import student

Arms = Mapping[str, ArmResult]


def measure_efficiency(
    experiment: Experiment,
    arms: Arms,
    histories: Mapping[str, Sequence[Sequence[Generation]]],
    prices: dict[str, float],
) -> DataEfficiency:
    """For the goal and its related scores: the real rows that plain training needs to match the loop, and the cost.


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


def _efficiency_score(experiment: Experiment, arms: Arms, key: str, lower_is_better: bool) -> EfficiencyScore:
    """The best generation of each size, the last one of the loop, and their crossover, seed by seed."""
    sign = -1 if lower_is_better else 1
    curve = {name: arms[name].scores[key].best for name in experiment.multiples.values()}
    loop = arms[experiment.reference].scores[key].last
    sizes = list(experiment.multiples)
    crossovers = [
        find_crossover(sizes, [sign * values[index] for values in curve.values()], sign * level)
        for index, level in enumerate(loop)
    ]
    return EfficiencyScore(**asdict(summarize(crossovers, sizes[-1])), curve=curve, loop=loop)


def _cost(experiment: Experiment, goal: EfficiencyScore, arms: Arms, prices: dict[str, float]) -> CostComparison:
    """Plain training at the crossover against the loop; held-out rows are charged to both."""
    if "below" in goal.beyond:
        reason = f"no cost comparison: {experiment.reference} did not exceed the smallest size in every seed"
        return CostComparison(dict(prices), [reason])
    cpu_seconds = {name: statistics.fmean(arm.cpu_seconds) for name, arm in arms.items()}
    model_usd: dict[str, float] = {}
    for name, arm in arms.items():
        known = [usd for usd in arm.model_usd if usd is not None]
        if len(known) < len(arm.model_usd):
            reason = "no cost comparison: the price of a model behind a server is unknown; set price in the recipe"
            return CostComparison(dict(prices), [reason])
        model_usd[name] = statistics.fmean(known)
    largest = list(experiment.multiples)[-1]
    ratio = goal.mean or min(largest if ratio is None else ratio for ratio in goal.ratios)
    cost = compare_costs(*_sides(experiment, ratio, cpu_seconds, model_usd), prices)
    return replace(cost, sentences=findings.costs(cost, "" if goal.mean else "at least "))


def _sides(
    experiment: Experiment, ratio: float, cpu_seconds: Mapping[str, float], model_usd: Mapping[str, float]
) -> tuple[SideCost, SideCost]:
    """Plain training on `ratio` times the rows, and the loop; cpu_seconds, model_usd: by arm."""
    sizes = list(experiment.multiples)
    names = list(experiment.multiples.values())
    plain = SideCost(
        rows=ratio * experiment.rows + experiment.held_out,
        cpu_seconds=interpolate(sizes, [cpu_seconds[name] for name in names], ratio),
        model_usd=interpolate(sizes, [model_usd[name] for name in names], ratio),
    )
    loop = experiment.reference
    return plain, SideCost(experiment.rows + experiment.held_out, cpu_seconds[loop], model_usd[loop])


def _claim(
    experiment: Experiment, goal: EfficiencyScore, arms: Arms, prices: dict[str, float], priced: bool
) -> ClaimResult:
    """The claim against the cost ratio of each seed, and the score difference at the closest size."""
    ratios = [_cost_ratio(experiment, goal, arms, prices, index) for index in range(len(goal.loop))]
    gaps = [[ours - theirs for ours, theirs in zip(goal.loop, values, strict=True)] for values in goal.curve.values()]
    closest = min(gaps, key=lambda gap: abs(statistics.fmean(gap)))
    return evaluate_claim(experiment.claim, ratios, student(closest) if len(closest) > 1 else None, priced)


def _cost_ratio(
    experiment: Experiment, goal: EfficiencyScore, arms: Arms, prices: dict[str, float], index: int
) -> float | None:
    """The total cost of plain training relative to the loop in one seed; None without a crossover or a known price."""
    ratio = goal.ratios[index]
    model_usd = {name: usd for name, arm in arms.items() if (usd := arm.model_usd[index]) is not None}
    if ratio is None or goal.beyond[index] or len(model_usd) < len(arms):
        return None
    cpu_seconds = {name: arm.cpu_seconds[index] for name, arm in arms.items()}
    plain, loop = _sides(experiment, ratio, cpu_seconds, model_usd)
    return plain.usd(prices) / loop.usd(prices) if loop.usd(prices) else None
