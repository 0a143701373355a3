"""Attack the graders of a recipe on its real rows, or one grader on rows of examples."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from selfsown import progress
from selfsown.attack.attack import attack_grader
from selfsown.attack.example_rows import example_rows
from selfsown.attack.problem import CodeKeys
from selfsown.attack.results import Attack, GraderAttack
from selfsown.attack.subject import DEFAULT_MIN_SCORE, Subject
from selfsown.attack.trl_reward import grades, load_reward
from selfsown.calibration.requirements import identity
from selfsown.calibration.role_models import min_score_of, role_models, stop_models, training_rows
from selfsown.errors import DataError, RecipeError, suggest
from selfsown.models import Model, StepAware
from selfsown.recipe.inputs import GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Function, Step, parameters, step
from selfsown.records import Grade, JsonObject, Row
from selfsown.run_folder import RunFolder
from selfsown.stages import ROLE_MODELS, check_price, derive_seed
from selfsown.tasks import Task
from selfsown.tasks.programs import Task as NoTask
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY

MAX_MODEL_ROWS = 5  # for a grader that asks a model: each row is some hundred requests
LEDGER_PREFIX = "attack."  # of the steps under which graders ask models here
FILE = "attack.json"
NOT_ATTACKED = {  # methods that do not say whether one answer is right
    "novelty": "it compares rows with real ones, and judges no answer",
    "rules": "it checks a form that right and wrong answers have alike",
    "self_consistency": "it compares answers with each other; attack what it votes on",
    "pairwise": "it compares answers with each other",
    "panel": "it asks several models; attack the judge of each",
    "solver_gap": "it compares models with each other",
    "roundtrip": "it asks a model for the prompt of an answer",
    "code_roundtrip": "it asks a model for the prompt of an answer",
}


def attack_recipe(
    recipe: Recipe, folder: Path | None = None, grader: str = "", max_rows: int = 20, seed: int = 0
) -> Attack:
    """Attack each grader of the recipe, or the one of this name, on its real rows; write attack.json if a folder is
    given.

    Replies of a judge are kept in the folder, so that a second attack does not pay for them again. Raises RecipeError
    if there is no such grader, or a judge is attacked without a folder, and DataError if no real row has an answer.
    """
    steps = _named(recipe, grader)
    task, real = recipe.real(), training_rows(recipe)
    known = _known(real, task)
    if not known:
        raise DataError("no real row has a known answer to attack graders with; --grader NAME brings rows of its own")
    rows = random.Random(seed).sample(known, min(max_rows, len(known)))
    with _models(recipe, folder, steps, real) as models:
        graders = []
        for grader_step in progress.track(steps, "attacking"):
            subject = _subject(recipe, grader_step, task, real, models)
            tried = rows[:MAX_MODEL_ROWS] if subject.asks_model else rows
            attacked = attack_grader(subject, tried, task, seed)
            graders.append(replace(attacked, identity=identity(recipe, grader_step)))
        result = Attack("real rows of the recipe", len(rows), seed, graders)
    if folder:
        with RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=not recipe.trains) as store:
            store.write_json("attack", result.to_json())
    return result


def attack_one(
    grader: str | Function, max_rows: int = 40, seed: int = 0, min_score: float = DEFAULT_MIN_SCORE
) -> Attack:
    """Attack one grader on rows of examples: a method, a file with a function `grade`, such a function, or
    FILE:FUNCTION of a reward function for TRL. Raises RecipeError where it does not load, or needs a recipe."""
    subject = _single(grader, min_score)
    rows = example_rows(seed)[:max_rows] if max_rows < len(example_rows(seed)) else example_rows(seed)
    return Attack("rows of examples", len(rows), seed, [attack_grader(subject, rows, None, seed)])


def quick_attack(recipe: Recipe, task: Task, real: Sequence[Row], max_rows: int = 2) -> Iterator[GraderAttack]:
    """The attack of each grader that asks no model, on a few rows: before a run that optimises against it."""
    known = _known(real, task)
    rows = random.Random(0).sample(known, min(max_rows, len(known)))
    for grader_step in recipe.grade:
        subject = _subject(recipe, grader_step, task, real, {})
        if rows and not subject.asks_model:
            yield attack_grader(subject, rows, task)


def _known(real: Sequence[Row], task: Task) -> list[Row]:
    """The rows whose right answer is known, as their target: given, or found right by the task."""
    rows = []
    for row in real:
        if row.target or CONSTRAINTS_KEY in row.metadata:
            rows.append(row)
        elif task.verifiable and row.answered and task.check(row, row.answer).score >= 1:
            rows.append(replace(row, target=row.answer))
    return rows


def _named(recipe: Recipe, grader: str) -> list[Step]:
    if not recipe.grade:
        raise RecipeError(f"{recipe.name} has no grader, so there is nothing to attack")
    names = [grader_step.method for grader_step in recipe.grade]
    if grader and grader not in names:
        raise RecipeError(f"{recipe.name} has no grader {grader!r}{suggest(grader, names)}")
    return [grader_step for grader_step in recipe.grade if grader in ("", grader_step.method)]


def _roles(grader: Step) -> list[str]:
    return [role for role in ROLE_MODELS if grader.takes(role)]


@contextmanager
def _models(
    recipe: Recipe, folder: Path | None, steps: Sequence[Step], real: Sequence[Row]
) -> Iterator[Mapping[str, Model]]:
    """The models that the graders ask, with the folder's journal; none where no grader asks one."""
    if not any(_roles(grader_step) for grader_step in steps if grader_step.method not in NOT_ATTACKED):
        yield {}
        return
    if not folder:
        raise RecipeError(f"a grader asks a model, whose replies need a folder: {recipe.command('attack', 'FOLDER')}")
    for role in ROLE_MODELS:
        if model := getattr(recipe, role):
            check_price(recipe, role, model(rows=[], seed=0))
    with RunFolder.locked(folder, recipe.dump(), recipe.steps(), remake=not recipe.trains) as store:
        models = role_models(recipe, store, real)
        progress.spend(store.journal.meter)
        try:
            yield models
        finally:
            stop_models(models.values())


def _subject(recipe: Recipe, grader: Step, task: Task, real: Sequence[Row], models: Mapping[str, Model]) -> Subject:
    """A grader of the recipe as a subject, with the models that it asks."""
    roles, reason = _roles(grader), NOT_ATTACKED.get(grader.method, "")
    if not reason and (missing := [role for role in roles if role not in models]):
        reason = f"it asks the {missing[0]}, which is the student and not trained yet; name another model"
    named: JsonObject = {
        role: model.for_step(LEDGER_PREFIX + grader.method) if isinstance(model, StepAware) else model
        for role, model in models.items()
    }
    inputs = GradeInputs(task=task, real=real, seed=derive_seed(recipe.seed, "attack"), **named)
    return Subject(
        grader.name,
        lambda rows: grader.collect(Grade, replace(inputs, rows=rows)),
        min_score_of(recipe),
        _keys(grader),
        bool(roles),
        reason,
    )


def _keys(grader: Step) -> CodeKeys:
    return CodeKeys(
        grader.option("tests") or "tests",
        grader.option("entry_point") or "",
        bool(grader.option("answer_continues_prompt")),
    )


def _single(grader: str | Function, min_score: float) -> Subject:
    path, colon, name = grader.rpartition(":") if isinstance(grader, str) else ("", "", "")
    if colon and path.endswith(".py"):
        function = load_reward(f"{path}:{name}")
        return Subject(f"{Path(path).name}:{name}", lambda rows: grades(function, rows), min_score)
    method = step("grade", grader)
    if method.method in NOT_ATTACKED:
        return Subject(method.name, lambda rows: [], unmeasured=NOT_ATTACKED[method.method])
    needs = [name for name in ("judge", "teacher", "task") if name in parameters(method.function)]
    if needs:
        raise RecipeError(
            f"{method.name} asks for the {needs[0]} of a recipe: selfsown attack RECIPE --grader {grader}"
        )
    inputs = GradeInputs(task=NoTask(), real=[])
    return Subject(
        method.name,
        lambda rows: method.collect(Grade, replace(inputs, rows=rows)),
        min_score,
        _keys(method),
    )
