"""What the arms of a seed have in common: a large model trains generation 0, and samples from it, only once."""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.compare.child_processes import ArmRun
from selfsown.recipe.recipe import DEFAULTS, Recipe
from selfsown.records import JsonObject
from selfsown.run_folder import RunFolder

LATER_KEYS = {  # they change nothing before generation 1
    *("description", "generate", "generate_with", "grade", "curate", "init_from", "generations", "level_up_accuracy"),
    *("guard", "rollback", "patience", "control", "keep_models", "max_failure_rate"),
}


def share_start(run: ArmRun, runs: Sequence[ArmRun]) -> None:
    """Copy generation 0 from a run of the same seed that began alike, with what its model wrote there.

    Only for students with trainers of their own (`hf`), of which training and sampling take minutes. No reply that was
    paid for is copied.
    """
    recipe = Recipe.load(run.source, run.changes)
    donor = next((other for other in runs if other.seed == run.seed and _began_alike(other, recipe)), None)
    if not recipe.student.objectives or donor is None or (run.folder / "generation-00").exists():
        return
    run.add_cost(0.0, 0.0, unmetered=0)  # before the folder, which would pass for a run of unknown cost
    source = RunFolder(donor.folder)
    with RunFolder.locked(run.folder, recipe.dump(), recipe.steps()) as target:
        target.copy_start(source)


def _began_alike(run: ArmRun, recipe: Recipe) -> bool:
    """Whether the run has ended generation 0, still has its weights, and began as this recipe does."""
    if not all((run.folder / "generation-00" / name).exists() for name in ("generation.json", "model")):
        return False
    return _beginning(RunFolder(run.folder).recipe()) == _beginning(recipe.dump())


def _beginning(values: JsonObject) -> JsonObject:
    later = LATER_KEYS | ({"train"} if values.get("base_train") else set())
    return {key: value for key, value in values.items() if key not in later and value != DEFAULTS.get(key)}
