"""What a recipe's graders need to be measured before a run: real rows, models by role, and the score that passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfsown.holdout import split_stream
from selfsown.intake import Intake, prepared_rows, split_real_rows
from selfsown.models import Model, RemoteModel
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import parameters
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.stages import ROLE_MODELS, derive_seed

DEFAULT_MIN_SCORE = 0.5  # of a recipe that does not curate by score


def training_rows(recipe: Recipe) -> list[Row]:
    """The real rows that are not held out, as `run` or `make` would use them."""
    task = recipe.real()
    if recipe.trains:
        return split_real_rows(recipe, task, Intake())[0]
    rows = split_stream(lambda: prepared_rows(recipe, task), recipe.held_out, recipe.seed, task.name)
    return [row for held_out, row in rows if not held_out]


def role_models(recipe: Recipe, store: RunFolder, real: Sequence[Row]) -> dict[str, Model]:
    """The models of the recipe by role; without training, the teacher is the judge if the recipe names none."""
    models: dict[str, Model] = {
        role: step(rows=real, seed=derive_seed(recipe.seed, "calibrate", role), journal=store.journal, role=role)
        for role in ROLE_MODELS
        if (step := getattr(recipe, role))
    }
    if "judge" not in models and "teacher" in models and not recipe.trains:
        models["judge"] = models["teacher"]
    return models


def stop_models(models: Iterable[Model]) -> None:
    """Send no more requests."""
    for model in models:
        if isinstance(model, RemoteModel):
            model.cancel()


def min_score_of(recipe: Recipe) -> float:
    """The score from which the recipe keeps a row."""
    for step in recipe.curate:
        if step.method == "min_score":
            return float(step.options.get("min_score", parameters(step.function)["min_score"].default))
    return DEFAULT_MIN_SCORE
