"""What a comparison shows: each arm's scores over the seeds, against the reference, in numbers and in words."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from selfsown.compare import cost_claim
from selfsown.compare.child_processes import Run
from selfsown.compare.data_efficiency import Side, between, cost, crossing, summary
from selfsown.compare.experiment import Plan
from selfsown.history import best_of
from selfsown.records import Generation
from selfsown.run_folder import RunFolder
from selfsown.stats.intervals import student
from selfsown.terminal.run_progress import sisters
from selfsown.usage.ledger import recipe_prices, total, usage_entries

History = list[Generation]
ROWS = ("made", "kept")  # of the student's own, over all generations of a run


def outcome(plan: Plan, runs: Sequence[Run], prices: Mapping[str, float]) -> dict[str, Any]:
    """Everything that compare.json holds."""
    histories = {(each.arm, each.seed): RunFolder(each.folder).generations() for each in runs}
    courses = {arm.name: [histories[arm.name, seed] for seed in plan.seeds] for arm in plan.arms}
    keys = _common(list(histories.values()))
    costs = {arm.name: [_spent(each) for each in runs if each.arm == arm.name] for arm in plan.arms}
    arms = [
        {"name": arm.name, "what": arm.what, "changes": list(arm.changes), "folder": arm.folder}
        | {name: [each[name] for each in costs[arm.name]] for name in ("cpu_seconds", "wall_seconds", "lost", "models")}
        | {"scores": {key: _scores(courses[arm.name], courses[plan.reference], key) for key in keys}}
        | {"guards": _guards(plan.seeds, courses[arm.name])}
        | {end: [sum(each.counts.get(end, 0) for each in history) for history in courses[arm.name]] for end in ROWS}
        for arm in plan.arms
    ]
    found = {
        "recipe": plan.recipe.name,
        "description": plan.recipe.description,
        "goal": plan.recipe.goal,
        "seeds": plan.seeds,
    }
    found |= {"reference": plan.reference, "arms": arms, "sentences": _sentences(plan, arms, courses)}
    return found | {"efficiency": _efficiency(plan, courses, costs, prices) if plan.multiples else None}


def _spent(run: Run) -> dict[str, Any]:
    """What the run took; models: dollars for those behind servers, None where their price is not known."""
    recipe = RunFolder(run.folder).recipe()
    return {**run.cost(), "models": total(usage_entries(run.folder / "replies.sqlite", recipe_prices(recipe))).usd}


def last(history: Sequence[Generation]) -> Generation:
    """The newest that stands: without rollback the last, unless its training went astray."""
    return next(generation for generation in reversed(history) if generation.accepted)


def _common(histories: Sequence[History]) -> list[str]:
    """The scores that were measured at the beginning and at the end of every run."""
    ends = [generation for history in histories for generation in (history[0], last(history))]
    return [score.key for score in ends[0].scores if all(generation.score(score.key) for generation in ends)]


def _of(generation: Generation, key: str) -> float:
    """Over all held-out rows: no arm is rolled back, and its last generation is compared, so nothing was chosen."""
    value = generation.pooled(key)
    assert value is not None
    return value


def _lower(generation: Generation, key: str) -> bool:
    """Whether less of it is better."""
    score = generation.score(key)
    return bool(score and score.direction == "lower")


def _best(history: History, key: str) -> float:
    """What stopping in time would have given: each half of the held-out rows chooses the generation that the other half
    measures, so that neither flatters what it chose."""
    turned = [replace(each, scores=each.validation_scores, validation_scores=each.scores) for each in history]
    found = [score for side in (history, turned) if (score := best_of(side, key).score(key))]
    return sum(score.n * score.value for score in found) / sum(score.n for score in found)


def _scores(courses: Sequence[History], reference: Sequence[History], key: str) -> dict[str, Any]:
    """The difference is the reference's score less this arm's, seed by seed."""
    ends = [_of(last(history), key) for history in courses]
    others = [_of(last(history), key) for history in reference]
    gaps = None if reference is courses else _mean([b - a for a, b in zip(ends, others, strict=True)])
    firsts = [_of(history[0], key) for history in courses]
    found = {"first": firsts, "last": ends, "best": [_best(history, key) for history in courses]}
    return found | _mean(ends) | {"difference": gaps}


def _mean(values: Sequence[float]) -> dict[str, float | None]:
    low, high = student(values) if len(values) > 1 else (None, None)
    return {"mean": statistics.fmean(values), "low": low, "high": high}


def _guards(seeds: Sequence[int], courses: Sequence[History]) -> list[dict[str, Any]]:
    """Which guards spoke, in which generations of which seed."""
    found = []
    for seed, history in zip(seeds, courses, strict=True):
        for by in dict.fromkeys(verdict.guard for generation in history for verdict in generation.rejections):
            spoke = [each.number for each in history if by in {verdict.guard for verdict in each.rejections}]
            found.append({"seed": seed, "by": by, "generations": spoke})
    return found


def _sentences(plan: Plan, arms: Sequence[dict[str, Any]], courses: Mapping[str, Sequence[History]]) -> list[str]:
    """One for each arm but the reference."""
    lower = _lower(courses[plan.reference][0][0], plan.recipe.goal)
    found = []
    for arm in arms:
        gap = arm["scores"][plan.recipe.goal]["difference"]
        if gap is None:
            continue
        said = f"{plan.reference} − {arm['name']}: {gap['mean']:+.3f}"
        if gap["low"] is None:
            found.append(f"{said}, one seed, so no interval and no proof of a difference")
            continue
        if gap["low"] == gap["high"]:
            found.append(f"{said} in every seed alike, a spread of nothing: no proof of a difference")
            continue
        better = gap["high"] < 0 if lower else gap["low"] > 0
        worse = gap["low"] > 0 if lower else gap["high"] < 0
        verdict = "better" if better else "worse" if worse else "no proof of a difference"
        found.append(f"{said} [{gap['low']:+.3f}, {gap['high']:+.3f}] over {len(plan.seeds)} seeds: {verdict}")
    return found


def _efficiency(
    plan: Plan,
    courses: Mapping[str, Sequence[History]],
    costs: Mapping[str, Sequence[Mapping[str, float | None]]],
    prices: Mapping[str, float],
) -> dict[str, Any]:
    """The real rows that plain training needs to reach the loop, in the goal and in its sisters, and what they cost."""
    measured = set(_common([history for course in courses.values() for history in course]))
    keys = [key for key in sisters(courses[plan.reference][0][0], plan.recipe.goal) if key in measured]
    scores = {key: _curve(plan, courses, key) for key in keys}
    rows = {name: round(multiple * plan.rows) for multiple, name in plan.multiples.items()}
    goal = scores[plan.recipe.goal]
    spent = _cost(plan, goal, costs, prices)
    priced = bool(spent["both"]) or "below" in goal["beyond"]
    claimed = cost_claim.judged(plan.claim, *_claimed(plan, goal, costs, prices), priced) if plan.claim else None
    if claimed:
        spent["words"] += [claimed["words"], cost_claim.NOTE]
    return {
        "rows": rows,
        "held_out": plan.held_out,
        "loop": plan.reference,
        "scores": scores,
        "cost": spent,
        "claim": claimed,
    }


def _curve(plan: Plan, courses: Mapping[str, Sequence[History]], key: str) -> dict[str, Any]:
    """One score: each size's best generation, the loop's last, and where they cross, seed by seed."""
    sign = -1 if _lower(courses[plan.reference][0][0], key) else 1
    curve = {name: [_best(history, key) for history in courses[name]] for name in plan.multiples.values()}
    loop = [_of(last(history), key) for history in courses[plan.reference]]
    sizes = list(plan.multiples)
    found = [
        crossing(sizes, [sign * values[at] for values in curve.values()], sign * level) for at, level in enumerate(loop)
    ]
    return {"curve": curve, "loop": loop} | summary(found, sizes[-1])


def _cost(
    plan: Plan,
    goal: Mapping[str, Any],
    costs: Mapping[str, Sequence[Mapping[str, float | None]]],
    prices: Mapping[str, float],
) -> dict[str, Any]:
    """What plain training costs at the crossing against the loop; held-out rows are charged to both."""
    none = dict.fromkeys(("plain", "loop", "labels", "compute", "both", "sensitivity"))
    none |= dict.fromkeys(("break_even_real_row", "break_even_cpu_hour"))
    if "below" in goal["beyond"]:
        words = [f"no cost is compared: {plan.reference} did not pass the smallest size in every seed"]
        return {"prices": dict(prices)} | none | {"words": words}
    sizes = list(plan.multiples)
    ratio = goal["mean"] or min(sizes[-1] if ratio is None else ratio for ratio in goal["ratios"])
    mean = {name: [_mean_of(costs[name], what) for what in ("cpu_seconds", "models")] for name in costs}
    if None in [value for values in mean.values() for value in values]:
        words = ["no cost is compared: what the models behind servers cost is not known; say price in the recipe"]
        return {"prices": dict(prices)} | none | {"words": words}
    found = cost(*_sides(plan, ratio, mean), prices)
    return found | {"words": _cost_words(found, "" if goal["mean"] else "at least ")}


def _mean_of(costs: Sequence[Mapping[str, float | None]], what: str) -> float | None:
    values = [each[what] for each in costs]
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None


def _sides(plan: Plan, ratio: float, spent: Mapping[str, Sequence[Any]]) -> tuple[Side, Side]:
    """Plain training at so many times the rows, and the loop; spent: CPU seconds and dollars for models, by arm."""
    sizes, loop = list(plan.multiples), spent[plan.reference]
    taken = [between(sizes, [spent[name][at] for name in plan.multiples.values()], ratio) for at in (0, 1)]
    return Side(ratio * plan.rows + plan.held_out, *taken), Side(plan.rows + plan.held_out, *loop)


def _claimed(
    plan: Plan,
    goal: Mapping[str, Any],
    costs: Mapping[str, Sequence[Mapping[str, float | None]]],
    prices: Mapping[str, float],
) -> tuple[list[float | None], tuple[float, float] | None]:
    """All costs of plain training to the loop's, seed by seed; and the interval of the difference between the loop and
    the size that scores nearest to it."""
    found: list[float | None] = []
    for at, (ratio, beyond) in enumerate(zip(goal["ratios"], goal["beyond"], strict=True)):
        spent = {name: [costs[name][at][what] for what in ("cpu_seconds", "models")] for name in costs}
        known = not beyond and all(value is not None for values in spent.values() for value in values)
        plain, loop = _sides(plan, ratio, spent) if known else (None, None)
        found.append(plain.usd(prices) / loop.usd(prices) if plain and loop and loop.usd(prices) else None)
    gaps = [[one - other for one, other in zip(goal["loop"], values, strict=True)] for values in goal["curve"].values()]
    nearest = min(gaps, key=lambda gap: abs(statistics.fmean(gap)))
    return found, student(nearest) if len(nearest) > 1 else None


def _cost_words(found: Mapping[str, Any], least: str) -> list[str]:
    plain, loop = found["plain"], found["loop"]
    rows = f"{plain['rows']:,.0f} real rows, held-out ones among them, against {loop['rows']:,.0f}"
    words = [f"labels only: plain training costs {least}{found['labels']:.2f} times as much ({rows})"]
    if found["compute"] is not None:
        spent = f"{plain['cpu_seconds']:,.0f} CPU seconds against {loop['cpu_seconds']:,.0f}"
        words.append(f"compute only: {found['compute']:.2f} times as much ({spent})")
    if found["both"] is not None:
        at = f"a real row at {found['prices']['real_row']:g} USD, a CPU hour at {found['prices']['cpu_hour']:g} USD"
        words.append(f"both: {least}{found['both']:.2f} times as much ({at})")
        spread = [ratio for ratios in found["sensitivity"].values() for ratio in ratios]
        words.append(f"each price half or one and a half times as high: {least}{min(spread):.2f} to {max(spread):.2f}")
    even = found["break_even_real_row"]
    if even is None:
        words.append("plain training needs no more real rows than the loop: no price of a row speaks for the loop")
    elif even:
        hour = found["break_even_cpu_hour"]
        other = f", or a CPU hour less than {Decimal(f'{hour:.2g}'):f} USD" if hour else ""
        row = Decimal(f"{even:.2g}")
        words.append(f"the loop is the cheaper one wherever a real row costs more than {row:f} USD{other}")
    else:
        words.append(
            "the loop is the cheaper one at any price of a real row: it needs fewer rows and no more computing"
        )
    return words
