"""What `make` will use before it is paid: all requests are counted, and a few rows run to measure what a row uses.

The sampled rows are drawn evenly over the file, each represents its neighbours, and their replies stay in the journal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from selfsown import progress
from selfsown.estimate.request_counts import count_requests
from selfsown.estimate.sample import Sample, run_sample
from selfsown.estimate.totals import StratumTotals, clock_seconds, left_to_send, step_seconds, sum_steps, usage_range
from selfsown.estimate.usage import Range, UsageRange, combine
from selfsown.estimate.work import rows_by_method
from selfsown.intake import Intake
from selfsown.pipeline import open_pipeline
from selfsown.recipe.recipe import SERVERS, Recipe
from selfsown.records import JsonObject
from selfsown.stages import ROLE_MODELS
from selfsown.usage import ledger

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.endpoint import Endpoint


@dataclass(frozen=True)
class StepEstimate:
    """What one step has left to send to the model of one role.

    method: of the role in the recipe, such as endpoint. reply_length: offline, what the expected length of a reply
    rests on.
    """

    step: str
    role: str
    model: str
    host: str
    usage: UsageRange
    method: str
    reply_length: str = ""


@dataclass(frozen=True)
class Estimate:
    """What `make` has left to pay for.

    intake: what becomes of the real rows. steps, total: what is left to send. rows: real rows, or rows to be made.
    sampled_rows: how many of them ran for this estimate. cached_replies: replies in the journal, which `make` does not
    pay for. spent: the ledger of the folder so far; spent_now: the part of this estimate. budget: the caps of the
    recipe. batch_usd: dollars if everything were sent in batches; None if that is unknown or not cheaper.
    made_rows, failed_rows, failure_reason: rows made of the sample, how many of them failed, and why the last one did.
    uncounted_steps: steps after which nothing could be counted.
    """

    intake: Intake
    steps: Sequence[StepEstimate]
    total: UsageRange
    rows: int
    sampled_rows: int
    cached_replies: int
    spent: ledger.UsageEntry
    spent_now: ledger.UsageEntry
    budget: Mapping[str, float]
    batch_usd: Range | None
    made_rows: int
    failed_rows: int
    failure_reason: str
    uncounted_steps: Sequence[str]


def estimate(recipe: Recipe, folder: Path, rows: int = 20, offline: bool = False) -> Estimate:
    """Estimate what `make` will use for this recipe in this folder.

    rows: how many rows run for it. offline: send nothing, and need no key. Raises SelfsownError as `make` would.
    """
    batches = {role: step.options.get("batch", 0) for role in ROLE_MODELS if (step := getattr(recipe, role))}
    chunk_size = max(batches.values(), default=0)
    alone = without_batches(recipe, without_key=offline)
    with _folder_or_scratch(folder, offline) as place, open_pipeline(alone, place, chunk_size, offline) as pipeline:
        before = ledger.count_requests(pipeline.store.journal.path)
        sizes = rows_by_method(pipeline)
        strata = {index: 1 if offline else min(rows, size) for index, size in sizes.items()}
        sample = Sample() if offline else run_sample(pipeline, sizes, strata, batches)
        with progress.step("counting requests", sum(sizes.values()), "rows") as pipeline.tally.making:
            counts = count_requests(pipeline, sizes, strata, batches)
        typical = ledger.mean_usage(pipeline.store.journal.path) if offline else None
        totals = left_to_send(counts, sample, list(sizes), typical)
        models = {**counts.models, **sample.models}
        basis = counts.length_basis if offline else {}
        steps = {key: _step_estimate(recipe, models[key], totals[key], basis.get(key, "")) for key in models}
        usages = {key: step.usage for key, step in steps.items()}
        total = usage_range(sum_steps(totals))
        failures = [row.reason for row in sample.rows if row.status == "failed"]
        path, prices = pipeline.store.journal.path, ledger.recipe_prices(recipe.dump())
        return Estimate(
            intake=pipeline.tally.real,
            steps=list(steps.values()),
            total=total._replace(seconds=clock_seconds(usages, models, totals)),
            rows=sum(sizes.values()),
            sampled_rows=sum(map(len, sample.usage.values())),
            cached_replies=counts.cached_replies,
            spent=ledger.total(ledger.usage_entries(path, prices)),
            spent_now=ledger.total(ledger.usage_entries(path, prices, before)),
            budget={str(unit): cap for unit, cap in (recipe.budget or {}).items()},
            batch_usd=_batch_usd(list(usages.values()), list(models.values()), batches),
            made_rows=len(sample.rows),
            failed_rows=len(failures),
            failure_reason=failures[-1] if failures else "",
            uncounted_steps=counts.uncounted_steps if offline else (),
        )


def without_batches(recipe: Recipe, without_key: bool = False) -> Recipe:
    """The same requests, one by one: nobody waits a day for a few rows. without_key: nothing will be sent."""
    changed: JsonObject = {}
    for role in ROLE_MODELS:
        step = getattr(recipe, role)
        if step and step.method in SERVERS:
            options = {name: value for name, value in step.options.items() if name != "batch"}
            if without_key:
                options["api_key"] = ""
            changed[role] = replace(step, options=options)
    return replace(recipe, **changed)


def _step_estimate(recipe: Recipe, model: Endpoint, totals: Sequence[StratumTotals], reply_length: str) -> StepEstimate:
    usage = usage_range(totals)
    usage = usage._replace(seconds=step_seconds(model, usage))
    host, method = urlsplit(model.url).netloc, getattr(recipe, model.role).method
    return StepEstimate(model.stage, model.role, model.name, host, usage, method, reply_length)


@contextmanager
def _folder_or_scratch(folder: Path, offline: bool) -> Iterator[Path]:
    """The folder; a temporary one if it does not exist and nothing will be sent."""
    if folder.exists() or not offline:
        yield folder
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch) / "made"


def _batch_usd(usages: Sequence[UsageRange], models: Sequence[Endpoint], batches: Mapping[str, int]) -> Range | None:
    """Dollars if everything were sent in batches; None if that is unknown, not cheaper, or so already."""
    discounts = [1.0 if not model.price or batches.get(model.role) else model.price.batch for model in models]
    usd = [usage.usd for usage in usages if usage.usd is not None]
    if all(discount == 1 for discount in discounts) or len(usd) < len(usages):
        return None
    discounted = combine(
        lambda *dollars: sum(price * discount for price, discount in zip(dollars, discounts, strict=True)), *usd
    )
    return discounted if sum(item.value for item in usd) else Range(discounted.value)
