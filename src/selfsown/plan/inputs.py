"""Read and check the inputs of a plan: options, the file of real rows, and the file of runs."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

from selfsown.errors import DataError, SelfsownError
from selfsown.files.column_mapping import Record
from selfsown.files.readers import records
from selfsown.files.remote import is_remote
from selfsown.plan.fit_scaling_law import COLUMNS, TrainingRun, fit
from selfsown.plan.number_units import format_amount, parse_amount
from selfsown.plan.options import PlanOptions
from selfsown.plan.planner import FEW_EPOCHS, Plan, plan
from selfsown.plan.risk import Policy
from selfsown.plan.scaling_law import LAWS, MAX_TOKENS, ScalingLaw
from selfsown.plan.synthetic_kinds import KINDS, SyntheticKind, synthetic_kind
from selfsown.tasks.file import Task

LIMITS: dict[str, tuple[float, float]] = {
    "min_real_share": (0.001, 1),
    "pass_rate": (0.001, 1),
    "majority_share": (0.001, 0.999),
    "forgetting": (0, 1),
    "min_accuracy": (0, 0.999),
    "wrong_pass_ratio": (0, 1),
    "price": (0, 1e6),
    "chars_per_token": (0.1, 100),
    "temperature": (0.05, 20),
    "verifier_odds": (0.05, 20),
    "generations": (0, 1000),
    "loss": (0, 100),
}


def make_plan(path: str, options: PlanOptions) -> Plan:
    """The plan for a user's options; path: a file of real rows, or "" with options.tokens.

    SelfsownError: an option does not fit, or the loss cannot be reached. DataError: a file does not fit.
    """
    _check_limits(options)
    law = _law(options)
    real = _real_tokens(path, options)
    parameters, target, repeats_target = _target(law, options, real)
    policy = Policy(**{field.name: getattr(options, field.name) for field in fields(Policy)})
    result = plan(
        law,
        (real, parameters, target),
        _kinds(options),
        policy,
        min_real_share=options.min_real_share,
        price=None if options.price is None else options.price / options.pass_rate,
        repeats_target=repeats_target,
    )
    return replace(result, chars_per_token=options.chars_per_token if path else 0.0)


def _check_limits(options: PlanOptions) -> None:
    for name, (low, high) in LIMITS.items():
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            raise SelfsownError(f"--{name.replace('_', '-')} is {value:g}; it must be from {low:g} to {high:g}")


def _real_tokens(path: str, options: PlanOptions) -> float:
    """The number of real tokens: given, or counted in a file."""
    if bool(path) == bool(options.tokens):
        raise SelfsownError("give the amount of real data: either a file of rows, or --tokens 25B")
    if options.tokens:
        return parse_amount("--tokens", options.tokens)
    if not is_remote(path) and not Path(path).is_file():
        raise DataError(f"no such file: {path}; name a file of real rows, or give --tokens 25B")
    characters = sum(
        len(row.prompt) + len(row.answer)
        for row in Task(path, options.text, options.prompt, options.answer).pose(0)
        if row.answered  # a prompt alone teaches nothing
    )
    if not characters:
        raise DataError(f"{path} has no text to count")
    return characters / options.chars_per_token


def _target(law: ScalingLaw, options: PlanOptions, real: float) -> tuple[float, float, float]:
    """Model parameters, and the target in effective tokens: with new tokens, and by repeats alone."""
    parameters = parse_amount("--parameters", options.parameters)
    if bool(options.target) == bool(options.loss):
        raise SelfsownError("give the target: either --target 100B (effective tokens) or --loss 2.2")
    if options.target:
        target = parse_amount("--target", options.target)
        return parameters, target, target
    needed = law.effective_tokens_for(parameters, options.loss, real, FEW_EPOCHS)
    if not math.isfinite(needed):
        limit = law.loss_at(parameters, MAX_TOKENS, MAX_TOKENS)
        raise SelfsownError(
            f"--loss is {options.loss:g}; with these constants, a model of {format_amount(parameters)} parameters does "
            f"not get below {limit:.3f} with any amount of data; raise --parameters or --loss"
        )
    return parameters, needed, law.effective_tokens_for(parameters, options.loss, real, math.inf)


def _law(options: PlanOptions) -> ScalingLaw:
    """The published constants, or those that fit the user's runs."""
    path = options.runs
    if path is None:
        return LAWS[options.law]
    if not path.is_file():
        raise DataError(f"--runs is {path}, but there is no such file; expected columns: {', '.join(COLUMNS)}")
    return fit([_training_run(path, line, record) for line, record in records(path)]).law


def _training_run(path: Path, line: int, record: Record) -> TrainingRun:
    try:
        values = [float(record[column]) for column in COLUMNS]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}:{line}: expected a number in each of {', '.join(COLUMNS)}") from error
    if not all(0 < value < math.inf for value in values):
        raise DataError(f"{path}:{line}: every number must be above 0")
    run = TrainingRun(*values)
    if run.unique > run.tokens:
        raise DataError(
            f"{path}:{line}: unique is {run.unique:g} and tokens {run.tokens:g}; tokens counts repeats, so it must not "
            "be below unique"
        )
    return run


def _kinds(options: PlanOptions) -> list[SyntheticKind]:
    """The kinds of synthetic data to compare."""
    value = options.relative_value
    if not options.kind:
        if value is None:
            return list(KINDS)
        raise SelfsownError("--relative-value applies to one kind; add --kind, such as --kind rephrased")
    if value and not 0 <= value[0] <= value[1] < math.inf:
        raise SelfsownError(
            f"--relative-value is {value[0]:g} {value[1]:g}; it must be the lowest, then the highest value, both 0 or "
            "more"
        )
    return [synthetic_kind(options.kind, value)]
