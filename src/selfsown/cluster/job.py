"""What workers must know of the driver's recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfsown.chunks import Work
from selfsown.cluster.worker import Job
from selfsown.errors import RecipeError
from selfsown.recipe.recipe import Recipe
from selfsown.stages import ROLE_MODELS

SHARED_LIMITS = ("max_in_flight", "requests_per_minute", "tokens_per_minute")  # of a server, over all workers


def job_of(work: Work, workers: int, cores: int) -> Job:
    """The work as so many workers do it. RecipeError where a method cannot be sent to them."""
    recipe, budget = work.recipe, work.journal.budget
    values = recipe.dump()
    named = _texts([values.get(role) for role in ROLE_MODELS])
    for key in ("engine", "grader_requirements"):
        values.pop(key, None)
    for role in ROLE_MODELS:
        if step := getattr(recipe, role):
            limits = {name: step.option(name) for name in SHARED_LIMITS if step.option(name)}
            shares = {name: max(1, limit // workers) for name, limit in limits.items()}
            values[role] = {step.method: {**step.options, **shares}}
    return Job(
        recipe=values,
        sources=_sources(recipe),
        folder=Path.cwd(),
        journal=work.journal.path.absolute(),
        caps=dict(budget.caps) if budget else None,
        reply_totals=budget.reply_totals if budget else {},
        environment={name: os.environ[name] for name in named if name in os.environ},
        work=work.elsewhere,
        cores=cores,
    )


def max_workers(recipe: Recipe) -> int:
    """The most workers among which a server's limits can be divided; 0: any number."""
    limits = [
        limit
        for step in (recipe.teacher, recipe.judge)
        for name in SHARED_LIMITS
        if step and (limit := step.option(name))
    ]
    return min(limits, default=0)


def _sources(recipe: Recipe) -> dict[str, bytes]:
    """The files of custom methods, which workers need not have. RecipeError where there is no file."""
    sources: dict[str, bytes] = {}
    for step in recipe.steps():
        if step.module is None:
            raise RecipeError(
                f"engine.ray: {step.method} is a function that was passed in from Python, and workers cannot import "
                f"it; save it as ./{step.method}.py, or leave out engine"
            )
        if step.method.endswith(".py") and (source := step.source()) and not Path(step.method).is_absolute():
            sources[step.method] = source
    return sources


def _texts(value: Any) -> Iterator[str]:
    """All texts within plain values: of a model's options, some name a variable with a secret."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
