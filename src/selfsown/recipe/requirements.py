"""What the keys of a recipe require of one another.

A method declares what it needs in its file, as `REQUIRES = {"verifiable"}`; `METHOD_CHECKS` lists what there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from selfsown.errors import RecipeError, closest, suggest
from selfsown.files.remote import is_remote
from selfsown.recipe.keys import RecipeKeys
from selfsown.recipe.steps import Step
from selfsown.tasks import Task

MAX_STOPPING_SHARE = 0.5
NAME_A_JUDGE = "--set 'judge={endpoint: {url: …, model: …}}'"


def check(recipe: RecipeKeys) -> None:
    """RecipeError where keys contradict one another, or a method needs what the recipe does not have."""
    task: Task = recipe.real()
    for step in recipe.steps():
        for need in sorted(step.requires):
            if need not in METHOD_CHECKS:
                raise RecipeError(f"{step.name}: REQUIRES names {need!r}{suggest(need, METHOD_CHECKS)}")
            if problem := METHOD_CHECKS[need](recipe, step, task):
                raise RecipeError(_missing_file(recipe) or problem)
    _check_numbers(recipe, task)
    _check_models(recipe)
    _check_early_stopping(recipe)
    _check_engine(recipe)
    graders = [step.method for step in recipe.grade]
    for name in recipe.grader_requirements or {}:
        if name not in graders:
            raise RecipeError(f"grader_requirements: {name!r} is no grader of this recipe{suggest(name, graders)}")


def _missing_file(recipe: RecipeKeys) -> str:
    """A missing file of real rows is the only error that is reported."""
    path = recipe.real.options.get("path")
    if recipe.real.method != "file" or not isinstance(path, str) or is_remote(path) or Path(path).expanduser().exists():
        return ""
    beside = Path(path).expanduser().parent
    near = closest(Path(path).name, (file.name for file in beside.iterdir()) if beside.is_dir() else ())
    return f"real: there is no file {path}" + (f"; did you mean {str(beside / near)!r}?" if near else "")


def _check_numbers(recipe: RecipeKeys, task: Task) -> None:
    if recipe.level > task.top_level:
        raise RecipeError(f"level is {recipe.level}, but the hardest level of {task.name} is {task.top_level}")
    for key in ("seed", "max_train_rows", "prompts_per_generation", "chunk_rows", "level", "generations", "patience"):
        minimum = 1 if key == "patience" else 0
        if getattr(recipe, key) < minimum:
            raise RecipeError(f"{key} is {getattr(recipe, key)}; it must be {minimum} or more")
    by_level = any("level" in step.options.get("by", ()) for step in recipe.evaluate if step.method == "accuracy")
    if 0 < recipe.level < task.top_level and not by_level:
        raise RecipeError(
            f"level is {recipe.level}, below the hardest ({task.top_level}), and nothing measures when to raise it: "
            "evaluate: [accuracy: {by: [level]}]"
        )
    if not math.isfinite(recipe.held_out) or (recipe.held_out > 1 and recipe.held_out != int(recipe.held_out)):
        raise RecipeError(f"held_out is {recipe.held_out}; it must be a number of rows, or a share below 1")
    if recipe.held_out < 0 or (recipe.trains and not recipe.held_out):
        raise RecipeError(
            f"held_out is {recipe.held_out}; rows must be held out for measuring: a number of rows, or a share below 1"
        )


def _check_engine(recipe: RecipeKeys) -> None:
    if not recipe.engine:
        return
    for role in ("teacher", "judge"):
        step = getattr(recipe, role)
        if recipe.engine.method != "threads" and step and step.option("batch"):
            raise RecipeError(
                f"{role}.{step.method}: batch sends the requests of all rows together, from one machine: leave out "
                "batch, or engine"
            )


def _check_early_stopping(recipe: RecipeKeys) -> None:
    for step in (*recipe.train, recipe.base_train):
        share = step.option("early_stopping") if step else None
        if not step or not isinstance(share, float) or not share:
            continue
        if share > MAX_STOPPING_SHARE:
            raise RecipeError(
                f"{step.name}: early_stopping is {share:g}, the share of the real rows that is not trained on; it must "
                f"be {MAX_STOPPING_SHARE:g} or less, such as 0.05"
            )
        if step.option("average_last"):
            raise RecipeError(
                f"{step.name}: early_stopping returns the best weights, so average_last has no effect; leave one out"
            )


def _check_models(recipe: RecipeKeys) -> None:
    """Which models can learn, teach and judge."""
    student = recipe.student
    if student.is_remote:
        raise RecipeError(
            f"student.{student.method}: a model behind a server cannot be trained; use it as the teacher or judge: "
            f"--set 'teacher={{{student.method}: …}}', with another student, such as tiny"
        )
    unlearnable = [step.name for step in recipe.train if step.requires & {"preference_pairs", "grader"}]
    if recipe.control and unlearnable:
        raise RecipeError(
            f"control: true trains on real rows alone, from which {unlearnable[0]} learns nothing: leave it out; "
            "compare runs other controls"
        )
    for role in ("teacher", "judge"):
        model: Step | None = getattr(recipe, role)
        for option in model.role_options if model else ():
            if model and not model.options.get(option):
                raise RecipeError(
                    f"{role}.{model.method} needs {option}: a new {model.method} model has learned nothing; "
                    "name a saved one"
                )
    judge = recipe.judge or (None if recipe.trains else recipe.teacher)
    panel = next((step for step in recipe.grade if step.options.get("judges")), None)
    if panel and not (judge and judge.is_remote):
        raise RecipeError(
            f"{panel.name}.judges names models of the judge's server, and the judge is not behind a server; "
            f"name one: {NAME_A_JUDGE}"
        )


def _verifiable(recipe: RecipeKeys, step: Step, task: Task) -> str:
    if task.verifiable:
        return ""
    return (
        f"{step.name} needs a task that checks answers; {task.name} does not: "
        "use self_consistency, exact_match or rules"
    )


def _forms(recipe: RecipeKeys, step: Step, task: Task) -> str:
    if task.forms:
        return ""
    return f"{step.name} needs a task that states a problem in several forms; {task.name} does not: leave it out"


def _local_teacher(recipe: RecipeKeys, step: Step, task: Task) -> str:
    if recipe.teacher and not recipe.teacher.is_remote:
        return ""
    return (
        f"{step.name} needs a teacher whose probabilities can be read: "
        "--set 'teacher={tiny: {folder: …}}' names a saved model"
    )


def _grader(recipe: RecipeKeys, step: Step, task: Task) -> str:
    return (
        ""
        if recipe.grade
        else f"{step.name} learns from grades, and no grader is named: add one, such as grade: [verify]"
    )


def _two_solvers(recipe: RecipeKeys, step: Step, task: Task) -> str:
    if sum((bool(recipe.teacher), bool(recipe.judge), recipe.trains)) > 1:
        return ""
    return f"{step.name} compares two solvers, and the recipe has one model; name another as the judge: {NAME_A_JUDGE}"


def _preference_pairs(recipe: RecipeKeys, step: Step, task: Task) -> str:
    return ""  # whether real rows are pairs shows in the dry run; new rows may become pairs later


METHOD_CHECKS: dict[str, Callable[[RecipeKeys, Step, Task], str]] = {
    "verifiable": _verifiable,  # the task checks answers
    "forms": _forms,  # the task states a problem in several forms
    "local_teacher": _local_teacher,  # a teacher whose probabilities can be read
    "grader": _grader,  # at least one grader
    "two_solvers": _two_solvers,  # two models
    "preference_pairs": _preference_pairs,  # rows with a rejected answer
}
