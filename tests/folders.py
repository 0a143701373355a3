"""Folders for reports: real runs of the pupil, which take no time, and a comparison made of them."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pupil

from selfsown import loop
from selfsown.compare.results import (
    ArmResult,
    ComparisonResult,
    CostComparison,
    DataEfficiency,
    EfficiencyScore,
    Estimate,
    GuardAlarms,
    PairedDifference,
    Proof,
    RowRatio,
    ScoreSummary,
    Uplift,
)
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation
from selfsown.run_folder import RunFolder

GOAL = "accuracy[form=induction]"


def run(folder: Path, **changes: Any) -> Path:
    """A finished run of the pupil in this folder."""
    beside = folder.parent / f"{folder.name}-recipe"
    beside.mkdir(parents=True)
    shutil.copy(pupil.__file__, beside)
    measured = [{"accuracy": {"by": ["form"]}}, "loss"]
    recipe = {**pupil.RECIPE, "name": "mine", "evaluate": measured, "goal": GOAL, "generations": 2}
    recipe |= {"curate": ["min_score", "decontaminate"], **changes}
    loop.run(Recipe.of(recipe, beside), folder)
    return folder


def comparison(folder: Path) -> Path:
    """Two arms, two seeds, with data efficiency; the scores are those of real runs."""
    histories = {
        (arm, seed): RunFolder(run(folder / arm / f"seed-{seed}", seed=seed, **changes)).generations()
        for arm, changes in {"graded": {}, "replace": {"mix": "replace"}}.items()
        for seed in (0, 1)
    }
    keys = [score.key for score in histories["graded", 0][0].scores]
    arms = [
        ArmResult(
            name=arm,
            description=f"the arm {arm}",
            changes=["rollback=false"],
            folder=arm,
            cpu_seconds=[1.5, 2.5],
            wall_seconds=[1.0, 2.0],
            unmetered=[0, 0],
            model_usd=[0.0, 0.0],
            made=[400, 400],
            kept=[300, 320],
            scores={key: _scores(histories, arm, key) for key in keys},
            guards=[GuardAlarms(1, "collapse", [1, 2])],
        )
        for arm in ("graded", "replace")
    ]
    curve = {"real-1x": [0.2, 0.3], "real-2x": [0.6, 0.7]}
    ratio = RowRatio([1.7, 1.6], ["", ""], 1.65, 1.2, 2.2, "1.6× [1.2, 2.2]")
    cost = CostComparison(
        prices={"real_row": 0.09, "cpu_hour": 0.05},
        sentences=["labels only: plain training costs 1.61 times as much"],
        label_ratio=1.61,
        compute_ratio=0.55,
        total_ratio=1.4,
        break_even_real_row=0.001,
    )
    efficiency = DataEfficiency(
        rows={"real-1x": 40, "real-2x": 80},
        held_out=20,
        loop="graded",
        scores={GOAL: EfficiencyScore(**asdict(ratio), curve=curve, loop=[0.5, 0.55])},
        cost=cost,
        claim=None,
    )
    sentences = ["graded − replace: no significant difference"]
    result = ComparisonResult("mine", "a pupil", GOAL, [0, 1], "graded", arms, sentences, efficiency)
    result.write(folder / "compare.json")
    return folder


def proof(folder: Path) -> Path:
    """The folder of a proof: a comparison with a verdict on the goal and on each of its strata."""
    path = comparison(folder) / "compare.json"
    result = ComparisonResult.read(path)
    arms = [result.arms[0], replace(result.arms[1], name="real")]
    best = PairedDifference(0.02, low=-0.1, high=0.14, std=0.02, p_value=0.4)
    gap = Uplift(0.03, low=-0.09, high=0.15, std=0.02, p_value=0.3, direction="higher", against_best=best)
    verdict = Proof(
        goal=GOAL,
        seeds=2,
        verdict="inconclusive",
        difference=gap,
        strata={GOAL: gap, "accuracy[form=deduction]": replace(gap, verdict="better")},
        control=None,
        headline="Inconclusive: no evidence that the synthetic rows help the recipe 'mine'.",
        sentences=[
            "0.5 with synthetic rows",
            f"Better in accuracy[form=deduction], not in {GOAL} (Holm's correction).",
        ],
    )
    replace(result, arms=arms, data_efficiency=None, proof=verdict).write(path)
    return folder


def _scores(histories: dict[tuple[str, int], list[Generation]], arm: str, key: str) -> ScoreSummary:
    first, last = ([_value(histories[arm, seed][at], key) for seed in (0, 1)] for at in (0, -1))
    return ScoreSummary(
        mean=sum(last) / 2,
        low=min(last) - 0.1,
        high=max(last) + 0.1,
        first=first,
        last=last,
        best=last,
        difference=None if arm == "graded" else Estimate(0.01, -0.2, 0.22),
    )


def _value(generation: Generation, key: str) -> float:
    score = generation.score(key)
    assert score
    return score.value
