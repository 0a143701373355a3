"""Generations with scores as a test wants them, and the folder of a run that consists of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from rich.console import Console

from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Score, Verdict
from selfsown.run_folder import CONTROL, RunFolder, generation_dir
from selfsown.terminal.run_progress import RunProgress

Better = Literal["higher", "lower", "neither"]
COUNTS = {"made": 100, "kept": 60, "rejected": 40, "failed": 0}


def score(value: float, better: Better = "higher", key: str = "accuracy", half: float = 0.02, n: int = 500) -> Score:
    """half: of its 95 % interval."""
    return Score(key, value, n, value - half, value + half, direction=better)


def generation(
    number: int,
    test: float,
    validation: float | None = None,
    *,
    better: Better = "higher",
    real: float = 0.5,
    parent: int | None = None,
    **more: Any,
) -> Generation:
    """real: the share of the draws; validation: as on test rows where nothing else is given; more: of Generation."""
    chosen = test if validation is None else validation
    before = max(0, number - 1) if parent is None else parent
    more = {"counts": COUNTS if real < 1 else {}, "validation_scores": (score(chosen, better),), **more}
    more = {"scores": (score(test, better),), **more}
    return Generation(number, before, 1, real_share=real, **more)


def history(*tests: float, better: Better = "higher", real: float = 0.5) -> list[Generation]:
    """Accepted ones with these scores on test rows, and the same on validation rows."""
    return [generation(at, each, better=better, real=real if at else 1.0) for at, each in enumerate(tests)]


def refused(found: Generation, by: str = "progress") -> Generation:
    """The same, rolled back."""
    return replace(found, verdicts=(Verdict(False, "it did worse", by),))


def folder(
    at: Path, generations: Sequence[Generation], control: Sequence[Generation], finished: bool = True, **recipe: Any
) -> Path:
    """What a run of them leaves, but for models and rows."""
    at.mkdir(parents=True)
    planned = max(len(generations) - 1, 1) + (not finished)
    said = {
        "name": "mine",
        "description": "a test",
        "goal": "accuracy",
        "generations": planned,
        "guard": ["regression"],
    }
    (at / "recipe.yaml").write_text(yaml.safe_dump(said | recipe), encoding="utf-8")
    store = RunFolder(at)
    for each in generations:
        store.write_generation(each)
    for each in control:
        store.write_json(f"{CONTROL}/{generation_dir(each.number)}/generation", asdict(each))
    if finished:
        store.write_json("result", {"best": 0, "goal": "accuracy", "stuck": False})
    return at


def terminal(generations: Sequence[Generation], control: Sequence[Generation], start: str = "previous") -> str:
    """What a person sees at the end of the run."""
    recipe = Recipe.load(
        "first", ["goal=accuracy", f"generations={max(len(generations) - 1, 1)}", f"init_from={start}"]
    )
    out = io.StringIO()
    RunProgress(recipe, Console(file=out, width=200)).end_of_run(generations, control, Path("here"))
    return out.getvalue()
