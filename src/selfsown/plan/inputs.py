"""What the user said, checked, as the plan takes it."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

from selfsown.files.readers import records
from selfsown.plan.fit_scaling_law import COLUMNS, Trained, refit
from selfsown.plan.number_units import amount, written
from selfsown.plan.options import Wish
from selfsown.plan.planner import FEW, Plan, plan
from selfsown.plan.risk import Policy
from selfsown.plan.scaling_law import LAWS, Law
from selfsown.plan.synthetic_kinds import SOURCES, Source, source
from selfsown.records import SelfsownError
from selfsown.tasks.file import Task


def planned(path: str, wish: Wish) -> Plan:
    """The plan for what a user wished; SelfsownError where something makes no sense."""
    _fits(wish)
    law = _law(wish)
    real = _real(path, wish)
    size, target, by_repeats = _target(law, wish, real)
    policy = Policy(**{field.name: getattr(wish, field.name) for field in fields(Policy)})
    price = None if wish.price is None else wish.price / wish.let_through
    amounts = (real, size, target)
    found = plan(law, amounts, _sources(wish), policy, floor=wish.floor, price=price, by_repeats=by_repeats)
    return replace(found, characters=wish.characters if path else 0.0)


def _fits(wish: Wish) -> None:
    """SelfsownError where a number lies where it cannot."""
    bounds: dict[str, tuple[float, float]] = dict.fromkeys(("floor", "let_through"), (0.001, 1))
    bounds |= {
        "share": (0.001, 0.999),
        "error": (0, 1),
        "accuracy": (0, 0.999),
        "wrong_to_right": (0, 1),
        "price": (0, 1e6),
        "characters": (0.1, 100),
    }
    bounds |= {"temperature": (0.05, 20), "odds": (0.05, 20), "generations": (0, 1000), "loss": (0, 100)}
    for name, (low, high) in bounds.items():
        value = getattr(wish, name)
        if value is not None and not low <= value <= high:
            raise SelfsownError(f"--{name.replace('_', '-')} is {value:g}; it must be from {low:g} to {high:g}")


def _real(path: str, wish: Wish) -> float:
    """How many real tokens there are: as told, or counted in a file."""
    if bool(path) == bool(wish.tokens):
        raise SelfsownError("say how much real data there is: a file of rows, or --tokens 25B, one of the two")
    if wish.tokens:
        return amount("--tokens", wish.tokens)
    if not Path(path).is_file():
        raise SelfsownError(f"there is no file {path}; name one of real rows, or say --tokens 25B")
    characters = sum(
        len(row.prompt) + len(row.answer)
        for row in Task(path, wish.text, wish.prompt, wish.answer).pose(0)
        if row.answered  # nothing is learned from a prompt alone
    )
    if not characters:
        raise SelfsownError(f"{path} holds no text to count")
    return characters / wish.characters


def _target(law: Law, wish: Wish, real: float) -> tuple[float, float, float]:
    """The model's parameters, and what the tokens shall be worth: with new ones, and by repeats alone."""
    size = amount("--parameters", wish.parameters)
    if bool(wish.target) == bool(wish.loss):
        raise SelfsownError("say what is wanted: --target 100B (new real tokens' worth) or --loss 2.2, one of the two")
    if wish.target:
        target = amount("--target", wish.target)
        return size, target, target
    needed = law.worth_for(size, wish.loss, real, FEW)
    if not math.isfinite(needed):
        raise SelfsownError(
            f"--loss is {wish.loss:g}; by these constants, a model of {written(size)} parameters does not come below "
            f"{law.of(size, 1e18, 1e18):.3f} with any amount of data: take more parameters, or a higher loss"
        )
    return size, needed, law.worth_for(size, wish.loss, real, math.inf)


def _law(wish: Wish) -> Law:
    """The constants of that name, or those that fit the runs in the file."""
    if wish.runs is None:
        return LAWS[wish.law]
    if not wish.runs.is_file():
        raise SelfsownError(
            f"--runs is {wish.runs}, and there is no such file; it has the columns {', '.join(COLUMNS)}"
        )
    found = []
    for line, record in records(wish.runs):
        try:
            values = [float(record[column]) for column in COLUMNS]
        except (KeyError, TypeError, ValueError) as error:
            raise SelfsownError(f"{wish.runs}:{line}: a run has the numbers {', '.join(COLUMNS)}") from error
        if not all(0 < value < math.inf for value in values):
            raise SelfsownError(f"{wish.runs}:{line}: every number must be above 0")
        run = Trained(*values)
        if run.unique > run.tokens:
            raise SelfsownError(
                f"{wish.runs}:{line}: unique is {run.unique:g} and tokens {run.tokens:g}; tokens are all that were "
                "seen, with repeats, so never fewer than the unique ones"
            )
        found.append(run)
    return refit(found).law


def _sources(wish: Wish) -> list[Source]:
    """The kinds of synthetic data to look at."""
    if not wish.kind and wish.worth is None:
        return list(SOURCES)
    if not wish.kind:
        raise SelfsownError("--worth is of one kind; name it: --kind rephrased, say")
    if wish.worth and not 0 <= wish.worth[0] <= wish.worth[1] < math.inf:
        raise SelfsownError(f"--worth is {wish.worth[0]:g} {wish.worth[1]:g}; the least comes first, neither below 0")
    return [source(wish.kind, wish.worth)]
