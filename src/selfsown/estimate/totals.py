"""From sampled rows and counted requests to ranges of what is left to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from selfsown.estimate.request_counts import RequestCounts
from selfsown.estimate.sample import Sample
from selfsown.estimate.usage import Range, StepRole, Usage, UsageRange, combine
from selfsown.stats.intervals import resampled

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.endpoint import Endpoint

OVERHEAD_SECONDS = 0.0005  # of our own for each request
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class StratumTotals:
    """What one generate step has left to send, for one step and role or for all of them.

    total: the sum. deviations: by how much each sampled row moves the total up or down. weights: how many of the rows
    that are left each sampled row represents.
    """

    total: Usage
    deviations: Sequence[Usage]
    weights: Sequence[float]

    def contributions(self, name: str) -> tuple[list[float], float]:
        """The total of one field of Usage as a sum over sampled rows, and how many rows these represent."""
        deviations = [
            getattr(deviation, name)
            for deviation, weight in zip(self.deviations, self.weights, strict=True)
            if weight > 0
        ]
        share = getattr(self.total, name) / max(1, len(deviations))
        return [share + deviation for deviation in deviations], float(np.sum(self.weights))


Totals = Mapping[StepRole, Sequence[StratumTotals]]  # one for each generate step


def left_to_send(
    counts: RequestCounts,
    sample: Sample,
    methods: Sequence[int],
    typical: Mapping[StepRole, tuple[float | None, float | None]] | None,
) -> dict[StepRole, list[StratumTotals]]:
    """What each step and role has left to send.

    methods: indexes of the generate steps. typical: tokens and seconds of earlier replies, by step and role, to
    estimate the seconds of requests that were not sent.
    """
    totals = {}
    for step_role in {**counts.models, **sample.models}:
        totals[step_role] = [_of_method(index, step_role, counts, sample) for index in methods]
        if typical is not None:
            _, seconds = typical.get(step_role, (None, None))
            totals[step_role] = [_with_seconds(totals_of, seconds) for totals_of in totals[step_role]]
    return totals


def _of_method(index: int, step_role: StepRole, counts: RequestCounts, sample: Sample) -> StratumTotals:
    """Each row that is left uses as much as the sampled row of its stratum did.

    The number of rows left is known, so that sampled rows deviate only in what one row uses (a ratio estimator).
    """
    rows = [usage.get(step_role, Usage()) for usage in sample.usage.get(index, [])]
    if not rows:
        return StratumTotals(counts.usage[index, step_role], (), ())
    units = np.array(rows)
    weights = np.array([counts.rows_left(index, stratum, step_role) for stratum in range(len(rows))])[:, None]
    has_weight = weights[:, 0] > 0
    total = (weights * units)[has_weight].sum(0)
    deviations = np.zeros_like(units)
    deviations[has_weight] = (weights * (units - total / max(1e-9, weights.sum())))[has_weight]
    return StratumTotals(_usage(total), [_usage(row) for row in deviations], weights[:, 0].tolist())


def _with_seconds(totals: StratumTotals, seconds: float | None) -> StratumTotals:
    """seconds: of one request, None if unknown."""
    known = nan if seconds is None else totals.total.requests * seconds
    return StratumTotals(totals.total._replace(seconds=known), totals.deviations, totals.weights)


def sum_steps(totals: Totals) -> list[StratumTotals]:
    """The totals of all steps together; a row represents no more rows than at the step that has most left."""
    return [
        StratumTotals(
            _usage(np.sum([np.array(step.total) for step in steps], 0)),
            [_usage(row) for row in np.sum([np.array(step.deviations) for step in steps], 0)],
            np.max([np.array(step.weights) for step in steps], 0).tolist(),
        )
        for steps in zip(*totals.values(), strict=True)
    ]


def usage_range(totals: Sequence[StratumTotals]) -> UsageRange:
    """The sum over the generate steps, with its 90 % interval if it rests on at least two sampled rows."""
    return UsageRange(
        _range(totals, "requests"),
        _range(totals, "input_tokens"),
        _range(totals, "output_tokens"),
        _range_if_known(totals, "usd"),
        _range_if_known(totals, "seconds"),
    )


def _range_if_known(totals: Sequence[StratumTotals], name: str) -> Range | None:
    return None if any(isnan(getattr(item.total, name)) for item in totals) else _range(totals, name)


def _range(totals: Sequence[StratumTotals], name: str) -> Range:
    value = float(sum(getattr(item.total, name) for item in totals))
    groups = [item.contributions(name) for item in totals if item.total.requests]
    if any(len(contributions) < 2 for contributions, _ in groups):
        return Range(value)
    low, high = resampled(groups) if groups else (0.0, 0.0)
    return Range(value, max(0.0, low), high)


def step_seconds(model: Endpoint, usage: UsageRange) -> Range | None:
    """Seconds of the clock: several requests are in flight at once, within the limits per minute."""
    if usage.seconds is None:
        return None

    def elapsed(seconds: float, requests: float, input_tokens: float, output_tokens: float) -> float:
        options = model.manner
        times = [seconds / min(options.in_flight, max(1.0, requests)), requests * OVERHEAD_SECONDS]
        if options.requests_per_minute:
            times.append(60 * requests / options.requests_per_minute)
        if options.tokens_per_minute:
            times.append(60 * (input_tokens + output_tokens) / options.tokens_per_minute)
        return max(times)

    return combine(elapsed, usage.seconds, usage.requests, usage.input_tokens, usage.output_tokens)


def clock_seconds(
    usage: Mapping[StepRole, UsageRange], models: Mapping[StepRole, Endpoint], totals: Totals
) -> Range | None:
    """Seconds of the clock for all steps: those that ask one model wait for each other, others work at the same time,
    and the last row goes through all steps alone."""
    last_row_seconds = 0.0
    by_server: dict[tuple[str, str], list[Range]] = {}
    for step_role, model in models.items():
        seconds = usage[step_role].seconds
        if seconds is None:
            return None
        requests = sum(item.total.requests for item in totals[step_role])
        busy = sum(item.total.seconds for item in totals[step_role])
        last_row_seconds += busy / requests if requests else 0.0
        by_server.setdefault((model.url, model.name), []).append(seconds)
    servers = [combine(lambda *times: sum(times), *ranges) for ranges in by_server.values()]
    overhead = combine(lambda *counts: OVERHEAD_SECONDS * sum(counts), *(item.requests for item in usage.values()))
    return combine(lambda *times: max(times) + last_row_seconds, overhead, *servers)


def _usage(numbers: Numbers) -> Usage:
    return Usage(*map(float, numbers))
