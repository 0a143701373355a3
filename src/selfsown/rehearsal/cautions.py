"""What a recipe leaves out of all that keeps a loop from collapsing: said before it runs, never a reason not to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from selfsown.recipe import Recipe
from selfsown.steps import Step, parameters

FLOOR = 1 / 3
VERIFIERS = ("verify", "exact", "execute", "maths", "schema")
WATCHES = ("monitor", "bias")
VARIETY = ("resample", "diverse", "semantic")


def cautions(recipe: Recipe) -> Iterator[str]:
    """One sentence for each: what is missing, what comes of it, what there is."""
    if not recipe.generate:
        return
    if recipe.trains:
        yield from _of_the_mix(recipe)
        if not recipe.guard:
            yield "nothing watches the loop: guard: [monitor] rolls back what grows less varied, more biased, less able"
    yield from _of_temperature(recipe)
    if recipe.trains and not any(each.way in VARIETY for each in recipe.curate):
        yield (
            "no step draws rows toward real ones (curate: resample) or picks those far apart (curate: diverse): "
            "grading keeps rows right, not varied"
        )
    declared = _knob(recipe.real, "attributes") or ()
    if free := _unnamed(declared, recipe.curate, ("balance",)):
        yield (
            f"the real rows have attributes ({', '.join(free)}), and no quota keeps their shares: "
            "curate: [..., balance: {attributes: [...]}]"
        )
    if recipe.trains and (unseen := _unnamed(declared, recipe.guard, WATCHES)):
        yield f"no guard watches {', '.join(unseen)}: guard: [monitor: {{attributes: [{', '.join(unseen)}]}}]"


def _unnamed(declared: Iterable[str], steps: Iterable[Step], ways: Sequence[str]) -> list[str]:
    """The attributes that none of these ways was given: without names, they look at none."""
    there = [name for step in steps if step.way in ways for name in _knob(step, "attributes") or ()]
    named = {part for name in there for part in name.split("+")}
    return [name for name in declared if name not in named]


def _of_the_mix(recipe: Recipe) -> Iterator[str]:
    share = _knob(recipe.mix, "real_share")
    if recipe.mix.way == "replace" and not share:
        yield "the mix drops real rows, the known way to collapse: mix: accumulate keeps them"
        return
    if share is not None and share < FLOOR - 1e-9:
        yield (
            f"real rows may fall to {100 * share:.0f} % of what is trained on; under a third, shares err several times "
            "as much as with real data alone: mix: {accumulate: {real_share: 0.34}}"
        )


def _of_temperature(recipe: Recipe) -> Iterator[str]:
    verified = any(each.way in VERIFIERS or each.way.endswith(".py") for each in recipe.grade)
    for step in recipe.generate:
        temperature = _knob(step, "temperature")
        if temperature is None:
            continue
        if recipe.trains and temperature < 1:
            yield (
                f"{step.place} writes at temperature {temperature:g}: below 1, what is common grows more common each "
                "generation (0.60 becomes 0.76 in ten at 0.9)"
            )
        elif recipe.trains and not verified:
            yield (
                f"{step.place} writes at temperature {temperature:g} and no grader checks against the truth "
                f"({', '.join(VERIFIERS)}): errors of learning pile up"
            )


def _knob(step: Step, name: str) -> Any:
    """What the recipe says, or the default; None where there is no such knob."""
    there = parameters(step.function)
    if name in step.knobs:
        return step.knobs[name]
    return there[name].default if name in there and there[name].default is not there[name].empty else None
