"""What a recipe leaves out of all that keeps a loop from collapsing: said before it runs, never a reason not to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from selfsown.files.user_rows import Seeds
from selfsown.intake import prepared_rows
from selfsown.preflight.own_judge import self_judging
from selfsown.recipe.recipe import SERVERS, Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.rewriting import texts
from selfsown.stages import ROLE_MODELS
from selfsown.text.personal_data import find

MIN_REAL_SHARE = 1 / 3
VERIFIERS = ("verify", "exact_match", "unit_tests", "math_equal", "json_schema")
DRIFT_GUARDS = ("monitor", "bias", "collapse")
MAX_ROWS_SCANNED = 1_000  # real rows that are searched for personal data
MIN_MONITOR_MODELS, MIN_MONITOR_TEXTS = 3, 500  # of a monitor; with fewer it sees only what is large
VARIETY_METHODS = ("resample_to_real", "k_center", "dedup_near")


def recipe_warnings(recipe: Recipe) -> Iterator[str]:
    """One sentence for each: what is missing, what comes of it, what there is."""
    if not recipe.generate:
        return
    if recipe.trains:
        yield from _of_the_mix(recipe)
        yield from _of_guards(recipe)
    yield from _of_temperature(recipe)
    yield from _of_the_judge(recipe)
    yield from _of_personal_data(recipe)
    if recipe.trains and not any(each.method in VARIETY_METHODS for each in recipe.curate):
        yield (
            "no step draws rows toward real ones (curate: resample_to_real) or picks those far apart (curate: k_center): "
            "grading keeps rows right, not varied"
        )
    yield from _of_attributes(recipe)


def _of_the_judge(recipe: Recipe) -> Iterator[str]:
    functions = {step.method: step.function for step in recipe.grade}
    if said := self_judging(recipe.dump(), lambda way: parameters(functions[way])):
        yield f"{said}; another is named so: --set 'judge={{endpoint: {{url: …, model: …}}}}'"


def _of_personal_data(recipe: Recipe) -> Iterator[str]:
    """Looked for in the first rows alone: in all of them it could take minutes."""
    asked = [role for role in ROLE_MODELS if (step := getattr(recipe, role)) and step.method in SERVERS]
    if not asked or any(step.method == "pii" for step in recipe.prepare):
        return
    rows = list(islice(prepared_rows(recipe, recipe.real()), MAX_ROWS_SCANNED))
    if found := sum(any(find(text) for _, text in texts(row)) for row in rows):
        yield (
            f"{found:,} of the first {len(rows):,} real rows hold personal data, such as an e-mail address, which the "
            f"{' and the '.join(asked)} may be sent: prepare: [pii: {{redact: true}}] replaces it, prepare: [pii] sets "
            "such rows aside"
        )


def _of_guards(recipe: Recipe) -> Iterator[str]:
    if not recipe.guard:
        yield "nothing watches the loop: guard: [monitor] rolls back what grows less varied, more biased, less able"
    elif not recipe.rollback:
        yield "rollback: false: guards raise alarms, and nothing is rolled back"
    if (
        recipe.guard
        and not _unwatched(recipe)
        and not any(each.method in DRIFT_GUARDS or _own(each) for each in recipe.guard)
    ):
        yield "no guard watches how varied and how biased the model becomes: guard: [..., monitor]"
    measured = [*recipe.evaluate]
    if any(each.method == "collapse" for each in recipe.guard) and not any(
        each.method == "diversity" or _own(each) for each in measured
    ):
        yield "guard.collapse looks at diversity, which is not measured: evaluate: [..., diversity]"
    for step in recipe.guard:
        models, texts = _knob(step, "baseline_models"), _knob(step, "count")
        if step.method == "monitor" and (models < MIN_MONITOR_MODELS or texts < MIN_MONITOR_TEXTS):
            yield (
                f"{step.name} with models: {models} and count: {texts} sees only large changes, if any; "
                f"it takes {MIN_MONITOR_MODELS} and {MIN_MONITOR_TEXTS} at least"
            )


def _of_attributes(recipe: Recipe) -> Iterator[str]:
    carried = _carried(recipe)
    quotas = {name for step in recipe.curate if step.method == "balance" for name in _knob(step, "attributes")}
    if free := [name for name in carried if name not in quotas]:
        yield (
            f"the real rows have attributes ({', '.join(free)}), and no quota keeps their shares: "
            "curate: [..., balance: {attributes: [...]}]"
        )
    if idle := [name for name in _declared(recipe) if name in quotas and name not in carried]:
        yield f"curate.balance sees no {' and no '.join(idle)}: rows of {_makers(recipe)} carry no attributes"
    if recipe.trains and (unseen := _unwatched(recipe)):
        patterns = ", ".join(f"{name}: {{VALUE: 'PATTERN', ...}}" for name in unseen)
        yield (
            f"no guard sees {', '.join(unseen)} in what the model writes, which carries no attributes; "
            f"patterns show them: guard: [monitor: {{attributes: {{{patterns}}}}}]"
        )


def _declared(recipe: Recipe) -> Sequence[str]:
    """Columns of the real rows in which a bias would show."""
    return _knob(recipe.real, "attributes") or ()


def _carried(recipe: Recipe) -> list[str]:
    """Those that new rows have, too: where a way makes them from a real row, whose traits they keep, or gives them."""
    if not isinstance(recipe.real(), Seeds):
        return [*_declared(recipe)]
    kept = any("rows" in parameters(step.function) or _own(step) for step in recipe.generate)
    given = {name for step in recipe.generate for name in _knob(step, "attributes") or ()}
    return [name for name in _declared(recipe) if kept or name in given]


def _unwatched(recipe: Recipe) -> list[str]:
    """Declared attributes that no guard sees. A monitor looks at what the model writes when left to itself: of a file
    it knows by patterns alone what that is."""
    seen = set[str]()
    for step in recipe.guard:
        named = _knob(step, "attributes") or ()
        if step.method == "bias":
            seen |= {*_carried(recipe)} & {*named}
        elif isinstance(named, Mapping):
            seen |= {name for name, patterns in named.items() if patterns}
        elif not isinstance(recipe.real(), Seeds):
            seen |= {part for name in named for part in name.split("+")}
    return [name for name in _declared(recipe) if name not in seen]


def _makers(recipe: Recipe) -> str:
    return " and ".join(dict.fromkeys(step.method for step in recipe.generate))


def _own(step: Step) -> bool:
    """Whether it is a way of the user's own, of which we know nothing."""
    return "." in step.method


def _of_the_mix(recipe: Recipe) -> Iterator[str]:
    share = _knob(recipe.mix, "real_share")
    if recipe.mix.method == "replace" and not share:
        yield "the mix drops real rows, the known way to collapse: mix: accumulate keeps them"
        return
    if share is not None and share < MIN_REAL_SHARE - 1e-9:
        yield (
            f"real rows may fall to {100 * share:.0f} % of what is trained on; under a third, shares err several times "
            "as much as with real data alone: mix: {accumulate: {real_share: 0.34}}"
        )


def _of_temperature(recipe: Recipe) -> Iterator[str]:
    verified = any(each.method in VERIFIERS or each.method.endswith(".py") for each in recipe.grade)
    for step in recipe.generate:
        temperature = _knob(step, "temperature")
        if temperature is None:
            continue
        if recipe.trains and temperature < 1:
            yield (
                f"{step.name} writes at temperature {temperature:g}: below 1, what is common grows more common each "
                "generation (0.60 becomes 0.76 in ten at 0.9)"
            )
        elif recipe.trains and not verified:
            yield (
                f"{step.name} writes at temperature {temperature:g} and no grader checks against the truth "
                f"({', '.join(VERIFIERS)}): errors of learning pile up"
            )


def _knob(step: Step, name: str) -> Any:
    """What the recipe says, or the default; None where there is no such knob."""
    there = parameters(step.function)
    if name in step.options:
        return step.options[name]
    return there[name].default if name in there and there[name].default is not there[name].empty else None
