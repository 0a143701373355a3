"""A few rows that are really generated and graded, and what each of them used."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selfsown import progress
from selfsown.chunks import Chunk
from selfsown.errors import SelfsownError
from selfsown.estimate.stub_model import CHARS_PER_TOKEN, RecordedRequest, RecordingModel, is_remote
from selfsown.estimate.usage import StepRole, Usage
from selfsown.estimate.work import chunks_by_method, run_chunk
from selfsown.models import Model
from selfsown.parallel import map_ordered
from selfsown.pipeline import DatasetPipeline
from selfsown.records import Row
from selfsown.usage import ledger
from selfsown.usage.prices import TokenUsage

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.api_formats import ParsedReply
    from selfsown.models.endpoint.endpoint import Endpoint

MAX_THREADS = 32  # sampled rows at work at once

RowUsage = dict[StepRole, Usage]  # what one row used, by step and role


@dataclass
class Sample:
    """usage: by index of the generate step, what each sampled row used. models: who was asked, by step and role. rows:
    the rows that were made."""

    usage: dict[int, list[RowUsage]] = field(default_factory=lambda: defaultdict(list))
    models: dict[StepRole, Endpoint] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    """One chunk of the sample and, once it ran, what came of it."""

    index: int
    chunk: Chunk
    requests: Sequence[RecordedRequest] = ()
    rows: Sequence[Row] = ()
    error: SelfsownError | None = None


def run_sample(
    pipeline: DatasetPipeline, sizes: Mapping[int, int], strata: Mapping[int, int], batches: Mapping[str, int]
) -> Sample:
    """Generate and grade one row of each stratum.

    sizes, strata: by index of the generate step, its rows and into how many strata they are divided. batches: by role,
    the batch size of the recipe, or 0. Raises SelfsownError if no sampled row has a prompt.
    """
    sample = Sample()
    jobs = [_Job(index, chunk) for index, chunk in _drawn_chunks(pipeline, sizes, strata)]
    threads = min(MAX_THREADS, max(1, len(jobs)))
    errors: list[SelfsownError] = []
    rows = sum(job.chunk.size for job in jobs)
    with progress.step("making sample rows", rows, "rows") as pipeline.tally.making:
        for job in map_ordered(lambda job: _run(pipeline, job), jobs, threads, pipeline.halt):
            sample.usage[job.index] += _usage_by_row(job.requests, job.chunk.count or 1, batches)
            sample.models |= {recorded.step_role: recorded.model for recorded in job.requests}
            sample.rows += job.rows
            if job.error:
                errors.append(job.error)
    if errors and len(errors) == len(jobs):
        raise errors[0]
    return sample


def _run(pipeline: DatasetPipeline, job: _Job) -> _Job:
    requests: list[RecordedRequest] = []

    def recording(model: Model) -> Model:
        return RecordingModel(model, requests) if is_remote(model) else model

    try:
        rows, _ = run_chunk(pipeline, job.chunk, recording)
    except SelfsownError as error:
        if not job.chunk.rows or any(row.prompt for row in job.chunk.rows):
            raise
        return _Job(job.index, job.chunk, requests, error=error)  # a row without a prompt; others may have one
    return _Job(job.index, job.chunk, requests, rows)


def _drawn_chunks(
    pipeline: DatasetPipeline, sizes: Mapping[int, int], strata: Mapping[int, int]
) -> Iterator[tuple[int, Chunk]]:
    """One random row of each stratum, or the first rows of a step that makes rows of all real rows together."""
    rng = random.Random(pipeline.seed("estimate"))
    picks = {
        index: {rng.randrange(n * size // strata[index], (n + 1) * size // strata[index]) for n in range(strata[index])}
        for index, size in sizes.items()
    }
    for index, position, chunk in chunks_by_method(pipeline):
        if chunk.rows:
            for place, row in enumerate(chunk.rows, position):
                if place in picks[index]:
                    yield index, Chunk(chunk.step, chunk.seed, [row])
        elif strata[index] > position:
            yield index, Chunk(chunk.step, chunk.seed, count=min(chunk.count, strata[index] - position))


def _usage_by_row(requests: Sequence[RecordedRequest], row_count: int, batches: Mapping[str, int]) -> list[RowUsage]:
    """What each row used. Where rows are made together, the requests of a step are divided among them in order."""
    usage: list[RowUsage] = [{} for _ in range(row_count)]
    by_step_role = defaultdict[StepRole, list[RecordedRequest]](list)
    for recorded in {recorded.request.key: recorded for recorded in requests}.values():  # a request is sent once
        by_step_role[recorded.step_role].append(recorded)
    for step_role, group in by_step_role.items():
        model, keys = group[0].model, [recorded.request.key for recorded in group]
        replies = model.journaled_replies(keys)
        seconds = ledger.request_seconds(model.journal.path, keys) if model.journal else {}
        for index, recorded in enumerate(group):
            key = recorded.request.key
            own_seconds = float("nan") if batches.get(model.role) else seconds.get(key, 0.0)
            used = _request_usage(recorded, replies.get(key), own_seconds, batches)
            row = usage[index * row_count // len(group)]
            row[step_role] = row.get(step_role, Usage()).plus(used)
    return usage


def _request_usage(
    recorded: RecordedRequest, reply: ParsedReply | None, seconds: float, batches: Mapping[str, int]
) -> Usage:
    """Tokens as the server counted them, or guessed from the characters."""
    if not reply:
        return Usage(requests=1.0, seconds=seconds)
    counted = reply.usage
    characters = len(reply.text) + len(reply.reasoning)
    input_tokens = recorded.request.input_tokens if counted.input_tokens is None else counted.input_tokens
    output_tokens = characters // CHARS_PER_TOKEN if counted.output_tokens is None else counted.output_tokens
    usd = price_of(recorded.model, counted._replace(input_tokens=input_tokens, output_tokens=output_tokens), batches)
    return Usage(1.0, float(input_tokens), float(output_tokens), usd, seconds)


def price_of(model: Endpoint, used: TokenUsage, batches: Mapping[str, int]) -> float:
    """Dollars of a request; NaN if the price is unknown."""
    usd = model.price.cost_usd(used, bool(batches.get(model.role))) if model.price else None
    return float("nan") if usd is None else usd
