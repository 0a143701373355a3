"""What the page of a comparison holds, from its sentences down to what real rows cost."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfsown.html import arms, data_efficiency, formatting, run_data
from selfsown.html.comparison_data import Comparison, comparison
from selfsown.html.elements import Table


def content(folder: Path) -> dict[str, Any]:
    """What the template `compare.html` is filled with."""
    with run_data.understood(folder / "compare.json"):
        compared = comparison(folder)
        found = compared.found
        return {
            "name": found["recipe"],
            "description": found["description"],
            "folder": folder.name,
            "headline": _headline(compared),
            "sentences": _sentences(found) or [f"One arm alone was run: {compared.reference}."],
            "facts": _facts(compared),
            "unknown": _unknown(compared),
            "scores": arms.scores(compared),
            "others": arms.others(compared),
            "strata": arms.strata(compared),
            "standing": arms.standing(compared),
            "courses": [each for key in (compared.goal, "diversity") if (each := arms.course(compared, key))],
            "guards": None if "proof" in found else _guards(compared),
            "arms": _arms(compared),
            **(data_efficiency.content(compared) if found["efficiency"] else {}),
        }


def _sentences(found: Mapping[str, Any]) -> list[str]:
    """What a proof says, where there is one; otherwise each arm's difference."""
    return list(found["proof"]["sentences"] if "proof" in found else found["sentences"])


def _headline(compared: Comparison) -> str:
    if proof := compared.found.get("proof"):
        return str(proof["headline"])
    others = [arm for arm in compared.arms if arm["name"] != compared.reference]
    if len(compared.found["seeds"]) == 1:
        return "One seed proves no difference."
    if not others:
        return (
            f"Plain training needs {_ratio(compared)} the real rows."
            if compared.found["efficiency"]
            else "One arm alone."
        )
    outcomes = [compared.outcome(arm) for arm in others]
    better, worse, reference = outcomes.count("better"), outcomes.count("worse"), formatting.opened(compared.reference)
    if better == len(others):
        return f"{reference} did better than every other arm."
    if better:
        told = f", and worse than {worse}" if worse else ""
        return f"{reference} did better than {better} of {len(others)} other arms{told}."
    if worse:
        return f"{reference} did worse than {worse} of {len(others)} other arms."
    return f"No proof that {compared.reference} did better than any other arm."


def _facts(compared: Comparison) -> list[tuple[str, str, str]]:
    found = compared.found
    goal = next(arm for arm in found["arms"] if arm["name"] == compared.reference)["scores"][compared.goal]
    seconds = sum(sum(arm["cpu_seconds"]) for arm in found["arms"])
    start, seeds = statistics.fmean(goal["first"]), len(found["seeds"])
    if proof := found.get("proof"):
        gap = proof["difference"]
        note = f"{formatting.interval(gap['low'], gap['high'])} to real rows alone at equal steps, {seeds} seeds"
        facts = [(f"{formatting.named(compared.goal)}, difference", f"{gap['mean']:+.3f}", note)]
    else:
        note = f"{compared.reference}, mean of {formatting.count(seeds, 'seed')} {formatting.interval(goal['low'], goal['high'])}"
        note += f"; {formatting.number(start)} in generation 0"
        facts = [(formatting.named(compared.goal), formatting.number(goal["mean"]), note)]
    if found["efficiency"]:
        facts.append(("real rows that plain training needs", _ratio(compared), "for the same score, against the loop"))
    runs = len(found["arms"]) * seeds
    facts.append(
        ("runs", str(runs), f"{formatting.count(len(found['arms']), 'arm')}, {formatting.count(seeds, 'seed')}")
    )
    return [*facts, ("processor time", formatting.duration(seconds), "of all runs together")]


def _ratio(compared: Comparison) -> str:
    """In the goal, as it is said everywhere."""
    return str(compared.found["efficiency"]["scores"][compared.goal]["words"])


def _unknown(compared: Comparison) -> list[str]:
    seeds, arms = len(compared.found["seeds"]), len(compared.arms)
    said = [
        f"Intervals are over {formatting.count(seeds, 'seed')} (Student’s t, paired by seed), so they are wide."
        if seeds > 1
        else "One seed gives no interval over seeds; whether a difference is more than chance is not known."
    ]
    if arms > 2:
        said.append(
            f"{arms - 1} arms are compared with one: the more comparisons, the likelier one stands out by chance."
        )
    guards = "No guard is run" if "proof" in compared.found else "Guards only raise an alarm here"
    said.append(
        f"Every arm runs to its end and the last generation is compared. {guards}; with rollback an arm may end "
        "otherwise."
    )
    return [*said, "All rows come from one source. Nothing is said about other data, or about larger models."]


def _guards(compared: Comparison) -> list[str]:
    """Which guards spoke, a sentence for each arm and guard."""
    told: dict[str, list[str]] = {}
    for arm in compared.arms:
        for said in arm["guards"]:
            numbers = formatting.listed([str(number) for number in said["generations"]])
            where = f"generation{'s' * (len(said['generations']) > 1)} {numbers} of seed {said['seed']}"
            told.setdefault(f"{arm['name']}: {said['by']} spoke in ", []).append(where)
    return [f"{who}{'; '.join(where)}" for who, where in told.items()]


def _arms(compared: Comparison) -> Table:
    rows = [[arm["name"], arm["what"], "; ".join(arm["changes"])] for arm in compared.found["arms"]]
    return Table(["arm", "what it is", "changes to the recipe"], rows, "Every arm, and how it differs from the recipe")
