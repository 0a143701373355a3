"""What a recipe sets of its own student's optimizer and another student does not take over, as a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from selfsown.recipe import loader
from selfsown.recipe.changes import OPTIMIZER_OPTIONS, method_name
from selfsown.recipe.keys import TRAIN_KEYS
from selfsown.recipe.recipe import Recipe
from selfsown.records import JsonObject


def other_student(recipe: Recipe) -> Iterator[str]:
    """A sentence where `--set student…` names a student of another kind than the recipe as it is written."""
    if not recipe.arguments:
        return
    values = loader.parse_yaml(*loader.read_source(recipe.arguments[0]))
    student = method_name(values.get("student"))
    left_out = sorted(OPTIMIZER_OPTIONS & {*_training_options(values)})
    if student not in ("", recipe.student.method) and left_out:
        yield (
            f"what the recipe sets of {' and '.join(left_out)} suits the student {student} and is left out; "
            f"{recipe.student.method} has its own defaults, and --set train.{recipe.train[0].method}.learning_rate=… "
            "sets another rate"
        )


def _training_options(values: JsonObject) -> Iterator[str]:
    for key in TRAIN_KEYS:
        steps = values.get(key)
        for step in steps if isinstance(steps, list) else [steps]:
            for chosen in step.values() if isinstance(step, dict) else ():
                yield from chosen or ()
