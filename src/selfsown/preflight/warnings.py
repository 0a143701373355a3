"""Warnings before a run: what a recipe lacks of the measures that keep a loop from collapsing, and what its real rows
hold that nothing treats. They stop nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from selfsown.files.user_rows import UserRows
from selfsown.intake import prepared_rows
from selfsown.preflight.other_student import other_student
from selfsown.preflight.repeated_rows import expected_repeats
from selfsown.preflight.self_judging import self_judging
from selfsown.preflight.training_needs import training_needs
from selfsown.recipe.recipe import SERVERS, Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Row
from selfsown.rewriting import texts
from selfsown.stages import LARGE_CHUNK_ROWS, ROLE_MODELS
from selfsown.text.personal_data import find_personal_data

MIN_REAL_SHARE = 1 / 3
VERIFIERS = ("verify", "exact_match", "unit_tests", "math_equal", "json_schema")
DRIFT_GUARDS = ("monitor", "bias", "collapse")
MAX_ROWS_SCANNED = 1_000  # real rows that are searched for personal data and answers
MIN_MONITOR_MODELS, MIN_MONITOR_TEXTS = 3, 500  # of a monitor; with fewer it sees only what is large
VARIETY_METHODS = ("resample_to_real", "k_center", "dedup_near")


def recipe_warnings(recipe: Recipe) -> Iterator[str]:
    """One sentence a warning: what is missing, its consequence, and the remedy."""
    if recipe.trains:
        yield from expected_repeats(recipe)
    if not recipe.generate:
        return
    if recipe.trains:
        yield from _of_the_mix(recipe)
        yield from _of_guards(recipe)
        yield from _of_engine(recipe)
    yield from _of_temperature(recipe)
    if recipe.trains and not any(step.method in VARIETY_METHODS for step in recipe.curate):
        yield (
            "no step resamples rows toward real ones (curate: resample_to_real) or spreads them (curate: k_center): "
            "grading keeps rows correct, not varied"
        )
    yield from _of_attributes(recipe)


def data_warnings(recipe: Recipe) -> Iterator[str]:
    """Personal data that a model behind a server may be sent. Only the first rows are scanned: all may take minutes."""
    remote = [role for role in ROLE_MODELS if (step := getattr(recipe, role)) and step.method in SERVERS]
    if not (recipe.generate and remote) or any(step.method == "pii" for step in recipe.prepare):
        return
    rows = _first_rows(recipe)
    if matches := sum(any(find_personal_data(text) for _, text in texts(row)) for row in rows):
        yield (
            f"{matches:,} of the first {len(rows):,} real rows hold personal data, such as an e-mail address, which "
            f"the {' and the '.join(remote)} may be sent: prepare: [pii: {{redact: true}}] replaces it, "
            "prepare: [pii] sets such rows aside"
        )


def notes(recipe: Recipe) -> Iterator[str]:
    """What to know before the results are read, a sentence each: who judges, and answers that are not used."""
    yield from other_student(recipe)
    yield from training_needs(recipe)
    functions = {step.method: step.function for step in recipe.grade}
    if own := self_judging(recipe.dump(), lambda method: parameters(functions[method])):
        yield f"{own}; to measure how well: {recipe.command('calibrate')}"
    examples = [step.name for step in recipe.generate if getattr(step.module, "PREFERS", "") == "prompts"]
    if examples and len(examples) == len(recipe.generate) and not any(row.prompt for row in _first_rows(recipe)):
        yield f"{' and '.join(examples)} shows real prompts as examples; these real rows have none, so none is used"
    graded = any(step.method in VERIFIERS or _own(step) for step in recipe.grade)
    if not recipe.trains and not graded and recipe.generate and all(s.method == "sample" for s in recipe.generate):
        rows = _first_rows(recipe)
        if answers := sum(bool(row.prompt and row.target) for row in rows):
            graders = ", ".join(["exact_match", *(step.method for step in recipe.grade)])
            yield (
                f"{answers:,} of the first {len(rows):,} real rows have an answer, which this recipe does not use: "
                f"--set 'grade=[{graders}]' compares new answers with it, and export --real adds these rows"
            )


def _first_rows(recipe: Recipe) -> list[Row]:
    return list(islice(prepared_rows(recipe, recipe.real()), MAX_ROWS_SCANNED))


def _of_engine(recipe: Recipe) -> Iterator[str]:
    if recipe.engine and not recipe.chunk_rows:
        yield (
            f"engine: {recipe.engine.method} divides the calls of generators and graders, and in a run each has up to "
            f"{LARGE_CHUNK_ROWS:,} rows: fewer are the work of one: chunk_rows: 512"
        )


def _of_guards(recipe: Recipe) -> Iterator[str]:
    if not recipe.guard:
        yield "no guard: guard: [monitor] rolls back generations that become less varied, more biased or less accurate"
    elif not recipe.rollback:
        yield "rollback: false: guards raise alarms, and no generation is rolled back"
    if (
        recipe.guard
        and not _unwatched(recipe)
        and not any(step.method in DRIFT_GUARDS or _own(step) for step in recipe.guard)
    ):
        yield "no guard measures the variety and bias of the model: guard: [..., monitor]"
    measured = [*recipe.evaluate]
    if any(step.method == "collapse" for step in recipe.guard) and not any(
        step.method == "diversity" or _own(step) for step in measured
    ):
        yield "guard.collapse needs the score diversity, which is not measured: evaluate: [..., diversity]"
    for step in recipe.guard:
        models, texts = step.option("baseline_models"), step.option("count")
        if step.method == "monitor" and (models < MIN_MONITOR_MODELS or texts < MIN_MONITOR_TEXTS):
            yield (
                f"{step.name} with baseline_models: {models} and count: {texts} detects only large changes, if any; "
                f"it needs {MIN_MONITOR_MODELS} and {MIN_MONITOR_TEXTS} or more"
            )


def _of_attributes(recipe: Recipe) -> Iterator[str]:
    carried = _carried(recipe)
    quotas = {name for step in recipe.curate if step.method == "balance" for name in step.option("attributes")}
    if free := [name for name in carried if name not in quotas]:
        yield (
            f"the real rows have attributes ({', '.join(free)}), and no quota keeps their shares: "
            "curate: [..., balance: {attributes: [...]}]"
        )
    if idle := [name for name in _declared(recipe) if name in quotas and name not in carried]:
        yield f"curate.balance has no effect on {', '.join(idle)}: rows of {_generators(recipe)} have no attributes"
    if recipe.trains and (unseen := _unwatched(recipe)):
        patterns = ", ".join(f"{name}: {{VALUE: 'PATTERN', ...}}" for name in unseen)
        yield (
            f"no guard measures {', '.join(unseen)} in unconditional samples, which have no attributes; "
            f"patterns find them: guard: [monitor: {{attributes: {{{patterns}}}}}]"
        )


def _declared(recipe: Recipe) -> Sequence[str]:
    """Columns of the real rows on which bias is measured."""
    return recipe.real.option("attributes") or ()


def _carried(recipe: Recipe) -> list[str]:
    """Those that new rows have, too: from the real row that a generator works on, or set by the generator."""
    if not isinstance(recipe.real(), UserRows):
        return [*_declared(recipe)]
    kept = any("rows" in parameters(step.function) or _own(step) for step in recipe.generate)
    generated = {name for step in recipe.generate for name in step.option("attributes") or ()}
    return [name for name in _declared(recipe) if kept or name in generated]


def _unwatched(recipe: Recipe) -> list[str]:
    """Declared attributes that no guard measures.

    A monitor measures unconditional samples, in which attributes of a user's file are found by patterns alone.
    """
    seen = set[str]()
    for step in recipe.guard:
        named = step.option("attributes") or ()
        if step.method == "bias":
            seen |= {*_carried(recipe)} & {*named}
        elif isinstance(named, Mapping):
            seen |= {name for name, patterns in named.items() if patterns}
        elif not isinstance(recipe.real(), UserRows):
            seen |= {part for name in named for part in name.split("+")}
    return [name for name in _declared(recipe) if name not in seen]


def _generators(recipe: Recipe) -> str:
    return " and ".join(dict.fromkeys(step.method for step in recipe.generate))


def _own(step: Step) -> bool:
    """Whether it is a custom method, about which nothing is known."""
    return "." in step.method


def _of_the_mix(recipe: Recipe) -> Iterator[str]:
    share = recipe.mix.option("real_share")
    if recipe.mix.method == "replace" and not share:
        yield "the mix drops real rows, which leads to collapse: mix: accumulate keeps them"
        return
    if share is not None and share < MIN_REAL_SHARE - 1e-9:
        yield (
            f"real rows may fall to {100 * share:.0f} % of training draws; below a third, group shares drift several "
            "times as far as with real rows alone: mix: {accumulate: {real_share: 0.34}}"
        )


def _of_temperature(recipe: Recipe) -> Iterator[str]:
    verified = any(step.method in VERIFIERS or step.method.endswith(".py") for step in recipe.grade)
    for step in recipe.generate:
        temperature = step.option("temperature")
        if temperature is None:
            continue
        if recipe.trains and temperature < 1:
            yield (
                f"{step.name} samples at temperature {temperature:g}: below 1, what is common becomes more common each "
                "generation (0.60 becomes 0.76 in ten at 0.9)"
            )
        elif recipe.trains and not verified:
            yield (
                f"{step.name} samples at temperature {temperature:g}, and no grader compares with known answers "
                f"({', '.join(VERIFIERS)}): errors accumulate"
            )
