"""What `make` will take before it is paid: every request is counted, and a few rows are asked to learn what they take.

The rows to ask are drawn evenly over the file, each stands for its neighbours, and their replies stay in the journal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from selfsown.estimate.request_counts import TOOK, Numbers, Place, Sample, Survey, asked, sizes_of, surveyed
from selfsown.intake import Intake
from selfsown.make import opened
from selfsown.recipe.recipe import SERVERS, Recipe
from selfsown.stages import ROLE_MODELS
from selfsown.stats.intervals import resampled
from selfsown.usage import ledger

OVERHEAD = 0.0005  # seconds of our own for each request


class Range(NamedTuple):
    """A guess, and the bounds of 90 %; None where they are not known."""

    value: float
    low: float | None = None
    high: float | None = None

    def plus(self, other: Range) -> Range:
        """The bounds of the sum, where both are large or small together."""
        low, high = (None if a is None or b is None else a + b for a, b in zip(self[1:], other[1:], strict=True))
        return Range(self.value + other.value, low, high)


@dataclass(frozen=True)
class Left:
    """What one way of generating has yet to ask, for one step or for all. apart: by how much each asked row moves the
    whole, up or down; stands: for how many rows that are left each of them stands."""

    whole: Numbers
    apart: Numbers
    stands: Numbers

    def values(self, at: int) -> tuple[list[float], float]:
        """The whole as a sum over the asked rows that stand for others, and how many these are."""
        apart = self.apart[self.stands > 0, at]
        return [float(self.whole[at] / len(apart) + each) for each in apart], float(self.stands.sum())


@dataclass(frozen=True)
class Part:
    """What is left to ask for one step and role, or for all of them; None where it is not known.

    seconds: of the clock, while nothing else is asked. way: the one that the recipe names for the role. length: where
    replies were not asked for, how long they are taken to be.
    """

    stage: str
    role: str
    model: str
    host: str
    requests: Range
    input: Range
    output: Range
    usd: Range | None
    seconds: Range | None
    way: str = ""
    length: str = ""


@dataclass(frozen=True)
class Estimate:
    """parts, all: what `make` has yet to pay. rows: real rows, or rows to be made; asked: how many were asked for this.

    there: replies that `make` will find paid. spent, now: what the folder has taken, until now and for this. made,
    failed, reason: of the rows that came of it, how many failed, and why the last did. unseen: steps after which
    nothing could be counted. batch: the money if all were sent in batches, where it is less and known. real: what
    becomes of the real rows.
    """

    real: Intake
    parts: Sequence[Part]
    all: Part
    rows: int
    asked: int
    there: int
    spent: ledger.UsageEntry
    now: ledger.UsageEntry
    caps: Mapping[str, float]
    batch: Range | None
    made: int
    failed: int
    reason: str
    unseen: Sequence[str]


def estimate(recipe: Recipe, folder: Path, few: int = 20, offline: bool = False) -> Estimate:
    """What `make` will take of this recipe in this folder. Offline, nothing is asked, and no key is needed."""
    batches = {role: step.options.get("batch", 0) for role in ROLE_MODELS if (step := getattr(recipe, role))}
    with _place(folder, offline) as there, opened(at_once(recipe, keyless=offline), there) as line:
        line.chunk = max(batches.values(), default=0) or line.chunk
        path, prices = line.store.journal.path, ledger.recipe_prices(recipe.dump())
        before, sizes = ledger.count_requests(path), sizes_of(line)
        strata = {at: 1 if offline else min(few, size) for at, size in sizes.items()}
        sample = Sample() if offline else asked(line, sizes, strata, batches)
        survey = surveyed(line, sizes, strata, batches)
        models = {**survey.models, **sample.models}
        left = {place: _left(place, survey, sample, sizes) for place in models}
        if offline:
            _timed(left, ledger.mean_usage(path))
        lengths = survey.lengths if offline else {}
        parts = [
            replace(_part(models[place], some, lengths), way=getattr(recipe, models[place].role).method)
            for place, some in left.items()
        ]
        failed = [row.reason for row in sample.rows if row.status == "failed"]
        return Estimate(
            real=line.tally.real,
            parts=parts,
            all=replace(_ranges(_together(list(left.values()))), seconds=_clock(parts, models, left)),
            rows=sum(sizes.values()),
            asked=sum(map(len, sample.units.values())),
            there=survey.there,
            spent=ledger.total(ledger.usage_entries(path, prices)),
            now=ledger.total(ledger.usage_entries(path, prices, before)),
            caps={str(what): cap for what, cap in (recipe.budget or {}).items()},
            batch=_batch(parts, models, batches),
            made=len(sample.rows),
            failed=len(failed),
            reason=failed[-1] if failed else "",
            unseen=survey.unseen if offline else (),
        )


def at_once(recipe: Recipe, keyless: bool = False) -> Recipe:
    """The same requests, but none in a batch: nobody waits a day for a few rows. keyless: nothing will be sent."""
    without = {"batch"} | ({"api_key"} if keyless else set())
    found: dict[str, Any] = {}
    for role in ROLE_MODELS:
        step = getattr(recipe, role)
        if step and step.method in SERVERS:
            knobs = {name: value for name, value in step.options.items() if name not in without}
            found[role] = replace(step, knobs=knobs | ({"api_key": ""} if keyless else {}))
    return replace(recipe, **found)


@contextmanager
def _place(folder: Path, offline: bool) -> Iterator[Path]:
    """The folder; where there is none and nothing will be asked, one that goes again."""
    if folder.exists() or not offline:
        yield folder
    else:
        with tempfile.TemporaryDirectory() as passing:
            yield Path(passing) / "made"


def _left(place: Place, survey: Survey, sample: Sample, sizes: Mapping[int, int]) -> list[Left]:
    """What is left to ask, of each way of generating: for each row as much as the asked one of its stratum took.

    How many rows are left is known, so that the asked ones differ only in what a row takes (the ratio estimator).
    """
    found: list[Left] = []
    for at in sizes:
        units = np.array([unit.get(place, np.zeros(len(TOOK))) for unit in sample.units.get(at, [])])
        rows = [survey.front[at, stratum] + survey.rest[at, stratum, place] for stratum in range(len(units))]
        if len(units):
            weights = np.array(rows)[:, None]
            stand = weights[:, 0] > 0
            whole = (weights * units)[stand].sum(0)
            apart = np.zeros_like(units)
            apart[stand] = (weights * (units - whole / max(1e-9, weights.sum())))[stand]
            found.append(Left(whole, apart, weights[:, 0]))
        else:
            found.append(Left(np.array([*survey.counts[at, place], np.nan]), np.zeros((0, len(TOOK))), np.zeros(0)))
    return found


def _together(steps: Sequence[Sequence[Left]]) -> list[Left]:
    """Of all steps; a row stands for no more others than at the step that has most left."""
    return [
        Left(
            np.sum([left.whole for left in same], 0),
            np.sum([left.apart for left in same], 0),
            np.max([left.stands for left in same], 0),
        )
        for same in zip(*steps, strict=True)
    ]


def _timed(left: Mapping[Place, list[Left]], usual: Mapping[Place, tuple[float | None, float | None]]) -> None:
    """The seconds of requests that were not sent are known where such were sent before."""
    for place, some in left.items():
        _, seconds = usual.get(place, (None, None))
        for each in some:
            each.whole[-1] = np.nan if seconds is None else each.whole[0] * seconds


def _ranges(some: Sequence[Left]) -> Part:
    """What it all comes to."""
    found: dict[str, Range | None] = {}
    for at, name in enumerate(TOOK):
        groups = [left.values(at) for left in some if left.whole[0]]
        value = float(sum(left.whole[at] for left in some))
        if np.isnan(value):
            found[name] = None
        elif any(len(values) < 2 for values, _ in groups):
            found[name] = Range(value)
        else:
            low, high = resampled(groups) if groups else (0.0, 0.0)
            found[name] = Range(value, max(0.0, low), high)
    return Part("", "", "", "", **found)  # type: ignore[arg-type]


def _part(model: Any, some: Sequence[Left], lengths: Mapping[Place, str]) -> Part:
    found = _ranges(some)
    place = (model.stage, model.role)
    named = {"stage": model.stage, "role": model.role, "model": model.name, "host": urlsplit(model.url).netloc}
    return replace(found, **named, seconds=_paced(model, found), length=lengths.get(place, ""))


def _paced(model: Any, part: Part) -> Range | None:
    """Seconds of the clock, from those of all requests one after the other: so many are out at once."""
    if part.seconds is None:
        return None
    bounds: list[float | None] = []
    for busy, requests, read, written in zip(part.seconds, part.requests, part.input, part.output, strict=True):
        if busy is None or requests is None or read is None or written is None:
            bounds.append(None)
            continue
        a_minute = model.manner.a_minute
        limits = [60 * each / most for each, most in zip((requests, read + written), a_minute, strict=True) if most]
        bounds.append(max(busy / min(model.max_in_flight, max(1.0, requests)), requests * OVERHEAD, *limits))
    return Range(*bounds)  # type: ignore[arg-type]


def _clock(parts: Sequence[Part], models: Mapping[Place, Any], left: Mapping[Place, list[Left]]) -> Range | None:
    """Steps that ask one model wait for each other, others work side by side; the last row goes all the way alone."""
    last, gates = 0.0, dict[tuple[str, str], list[Range]]()
    for part, (place, model) in zip(parts, models.items(), strict=True):
        if part.seconds is None:
            return None
        requests, busy = (sum(float(each.whole[at]) for each in left[place]) for at in (0, 4))
        last += busy / requests if requests else 0.0
        gates.setdefault((model.url, model.name), []).append(part.seconds)
    bounds: list[float | None] = []
    for at in range(3):
        sums = [[each[at] for each in some] for some in gates.values()]
        whole = [sum(each for each in some if each is not None) for some in sums if None not in some]
        ours = OVERHEAD * sum(part.requests[at] or 0 for part in parts)
        bounds.append(max([ours, *whole]) + last if len(whole) == len(sums) else None)
    return Range(*bounds)  # type: ignore[arg-type]


def _batch(parts: Sequence[Part], models: Mapping[Place, Any], batches: Mapping[str, int]) -> Range | None:
    """The money in batches, where that is less and not so already."""
    prices = [model.price for model in models.values()]
    shares = [
        1.0 if not price or batches.get(part.role) else price.batch for part, price in zip(parts, prices, strict=True)
    ]
    if all(share == 1 for share in shares) or any(part.usd is None for part in parts):
        return None
    less = sum(part.usd.value * share for part, share in zip(parts, shares, strict=True) if part.usd)
    whole = sum(part.usd.value for part in parts if part.usd)
    low, high = (None, None)
    bounds = [[part.usd[at] for part in parts if part.usd] for at in (1, 2)]
    if whole and all(None not in some for some in bounds):
        low, high = (sum(each * share for each, share in zip(some, shares, strict=True) if each) for some in bounds)
    return Range(less, low, high)
