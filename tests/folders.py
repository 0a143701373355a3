"""Folders for reports: real runs of the pupil, which take no time, and a comparison made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pupil

from selfsown import loop
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
    """Two arms, two seeds, with a course of data efficiency; the scores are those of real runs."""
    histories = {
        (arm, seed): RunFolder(run(folder / arm / f"seed-{seed}", seed=seed, **changes)).generations()
        for arm, changes in {"graded": {}, "replace": {"mix": "replace"}}.items()
        for seed in (0, 1)
    }
    keys = [score.key for score in histories["graded", 0][0].scores]
    arms = [
        {"name": arm, "what": f"the arm {arm}", "changes": ["rollback=false"], "folder": arm}
        | {"cpu_seconds": [1.5, 2.5], "wall_seconds": [1.0, 2.0], "kept": [300, 320]}
        | {"guards": [{"seed": 1, "by": "collapse", "generations": [1, 2]}]}
        | {"scores": {key: _scores(histories, arm, key) for key in keys}}
        for arm in ("graded", "replace")
    ]
    course = {"curve": {"real-1x": [0.2, 0.3], "real-2x": [0.6, 0.7]}, "loop": [0.5, 0.55]}
    crossed = {"ratios": [1.7, 1.6], "mean": 1.65, "low": 1.2, "high": 2.2, "words": "1.6× [1.2, 2.2]"}
    cost = {"prices": {"real_row": 0.09, "cpu_hour": 0.05}, "labels": 1.61, "compute": 0.55, "both": 1.4}
    cost |= {"break_even_real_row": 0.001, "words": ["labels only: plain training costs 1.61 times as much"]}
    rows = {"real-1x": 40, "real-2x": 80}
    efficiency = {"rows": rows, "loop": "graded", "scores": {GOAL: course | crossed}, "cost": cost}
    found = {"recipe": "mine", "about": "a pupil", "goal": GOAL, "seeds": [0, 1], "reference": "graded", "arms": arms}
    found |= {"sentences": ["graded − replace: no proof of a difference"], "efficiency": efficiency}
    (folder / "compare.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def _scores(histories: dict[tuple[str, int], list[Generation]], arm: str, key: str) -> dict[str, Any]:
    first, last = ([_value(histories[arm, seed][at], key) for seed in (0, 1)] for at in (0, -1))
    mean = {"mean": sum(last) / 2, "low": min(last) - 0.1, "high": max(last) + 0.1}
    difference = None if arm == "graded" else {"mean": 0.01, "low": -0.2, "high": 0.22}
    return {"first": first, "last": last, "best": last, **mean, "difference": difference}


def _value(generation: Generation, key: str) -> float:
    score = generation.score(key)
    assert score
    return score.value
