"""How many real rows plain training needs to match the loop, and what each of the two costs.

Every choice favours plain training: it is given the best generation of its run and the best of all smaller sizes, the
loop its last generation.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from selfsown.compare import findings
from selfsown.compare.cost_claim import PALMYRA_NOTE, evaluate_claim
from selfsown.compare.costs import compare_costs
from selfsown.compare.crossover import find_crossover, interpolate, summarize
from selfsown.compare.experiment import Experiment
from selfsown.compare.results import ArmResult, ClaimResult, CostComparison, DataEfficiency, EfficiencyScore, SideCost
from selfsown.history import related_scores
from selfsown.records import Generation
from selfsown.scores import Direction, distance, less_is_better
from selfsown.stats.intervals import student

Arms = Mapping[str, ArmResult]


def measure_efficiency(
    experiment: Experiment,
    arms: Arms,
    histories: Mapping[str, Sequence[Sequence[Generation]]],
    prices: dict[str, float],
) -> DataEfficiency:
    """For the goal and its related scores: the real rows that plain training needs to match the loop, and the cost.

    histories: per arm, the generations of each seed. prices: US dollars for `real_row` and `cpu_hour`.
    """
    goal = experiment.recipe.goal
    generation_0 = histories[experiment.reference][0][0]
    keys = [key for key in related_scores(generation_0, goal) if key in arms[experiment.reference].scores]
    directions = {score.key: score.direction for score in generation_0.scores}
    scores = {key: _efficiency_score(experiment, arms, key, directions[key]) for key in keys}
    cost = _cost(experiment, scores[goal], arms, prices)
    claim = None
    if experiment.claim:
        priced = bool(cost.total_ratio) or "below" in scores[goal].beyond
        claim = _claim(experiment, scores[goal], arms, prices, priced)
        cost = replace(cost, sentences=[*cost.sentences, claim.summary, PALMYRA_NOTE])
    return DataEfficiency(
        rows={name: round(multiple * experiment.rows) for multiple, name in experiment.multiples.items()},
        held_out=experiment.held_out,
        loop=experiment.reference,
        scores=scores,
        cost=cost,
        claim=claim,
    )


def _efficiency_score(experiment: Experiment, arms: Arms, key: str, direction: Direction) -> EfficiencyScore:
    """The best generation of each size, the last one of the loop, and their crossover, seed by seed."""
    sign = -1 if less_is_better(direction) else 1
    curve = {name: arms[name].scores[key].best for name in experiment.multiples.values()}
    loop = arms[experiment.reference].scores[key].last
    sizes = list(experiment.multiples)
    crossovers = [
        find_crossover(
            sizes,
            [sign * distance(values[index], direction) for values in curve.values()],
            sign * distance(level, direction),
        )
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
