"""Which requests `make` would send, counted without asking; and what those of a few rows took, which are asked."""

from __future__ import annotations

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from selfsown.estimate.stub_model import CHARACTERS, Asked, Listed, StandIn
from selfsown.make import Chunk, Line
from selfsown.models import RemoteModel
from selfsown.parallel import ordered
from selfsown.recipe.steps import parameters
from selfsown.records import NoPrompt, Row, SelfsownError
from selfsown.stages import graded, streams
from selfsown.usage import ledger
from selfsown.usage.budget import DEFAULT_REPLY_TOKENS
from selfsown.usage.prices import TokenUsage

if TYPE_CHECKING:
    from selfsown.models.endpoint.endpoint import Endpoint

SHAPED = 100  # tokens of a reply by a schema, where nothing tells
THREADS = 32  # sampled rows at work at once

Place = tuple[str, str]  # step and role
Numbers = np.ndarray[Any, np.dtype[np.float64]]
TOOK = ("requests", "input", "output", "usd", "seconds")


@dataclass
class Survey:
    """counts: for each way of generating, step and role, the requests that are left, and their tokens and money, had
    each reply the length that is expected.

    front: for each way and stratum the rows that are not yet generated, of which all is left to ask; rest: for each
    way, stratum, step and role as many of the other rows as make up what is left to ask there.
    models, lengths: by step and role, who is asked, and what the length rests on. there: replies that are paid.
    unseen: steps that fail most of what stands in for replies, so that nothing is known of later ones.
    """

    counts: dict[tuple[int, Place], Numbers] = field(default_factory=lambda: defaultdict(lambda: np.zeros(4)))
    front: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    rest: dict[tuple[int, int, Place], float] = field(default_factory=lambda: defaultdict(float))
    models: dict[Place, Any] = field(default_factory=dict)
    lengths: dict[Place, str] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    there: int = 0
    unseen: list[str] = field(default_factory=list)


@dataclass
class Sample:
    """For each way of generating, what each asked row took, by step and role; and the rows that were made."""

    units: dict[int, list[dict[Place, Numbers]]] = field(default_factory=lambda: defaultdict(list))
    models: dict[Place, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


def work(line: Line) -> Iterator[tuple[int, int, Chunk]]:
    """All chunks, each with the number of its way of generating and the place of its first row."""
    first, before = 0, -1
    for chunk in line.chunks(0):
        at = next(at for at, step in enumerate(line.recipe.generate) if step is chunk.step)
        first = first if at == before else 0
        yield at, first, chunk
        first, before = first + chunk.size, at


def sizes_of(line: Line) -> dict[int, int]:
    """How many rows each way of generating works on, or makes."""
    found = Counter[int]()
    for at, _, chunk in work(line):
        found[at] += chunk.size
    return dict(found)


def asked(line: Line, sizes: Mapping[int, int], few: Mapping[int, int], batches: Mapping[str, int]) -> Sample:
    """A few rows of each way of generating, one of each stretch of the file, go through all that asks."""
    sample, errors, went = Sample(), list[SelfsownError](), 0

    def through(job: tuple[int, Chunk]) -> tuple[int, Chunk, list[Asked], list[Row], SelfsownError | None]:
        at, chunk = job
        heard, rows, error = list[Asked](), list[Row](), None
        try:
            rows, _ = _through(
                line,
                chunk,
                lambda model: Listed(cast("Endpoint", model), heard) if isinstance(model, RemoteModel) else model,
            )
        except SelfsownError as found:
            if not chunk.rows or any(row.prompt for row in chunk.rows):
                raise
            error = found  # a row without a prompt, which no way can use, unless none has one
        return at, chunk, heard, rows, error

    jobs = list(_drawn(line, sizes, few))
    for at, chunk, heard, rows, error in ordered(through, jobs, min(THREADS, max(1, len(jobs))), line.halt):
        sample.units[at] += _units(heard, chunk.count or 1, batches)
        sample.models |= {(each.model.stage, each.model.role): each.model for each in heard}
        sample.rows += rows
        errors += [error] if error else []
        went += not error
    if errors and not went:
        raise errors[0]
    return sample


def _drawn(line: Line, sizes: Mapping[int, int], few: Mapping[int, int]) -> Iterator[tuple[int, Chunk]]:
    rng = random.Random(line.seed("estimate"))
    picks = {at: {rng.randrange(n * size // few[at], (n + 1) * size // few[at]) for n in range(few[at])}
             for at, size in sizes.items()}  # fmt: skip
    for at, first, chunk in work(line):
        if chunk.rows:
            for place, row in enumerate(chunk.rows, first):
                if place in picks[at]:
                    yield at, Chunk(chunk.step, chunk.seed, [row])
        elif some := min(chunk.count, few[at] - first) if few[at] > first else 0:
            yield at, Chunk(chunk.step, chunk.seed, count=some)  # those that make writes first


def _through(line: Line, chunk: Chunk, instead: Callable[[Any], Any]) -> tuple[list[Row], list[tuple[str, int, int]]]:
    """The chunk's rows through generators and graders that may ask, with other models."""
    own = copy.copy(line)
    own.roles = {**line.roles, "teacher": instead(line.teacher), "judge": instead(line.judge)}
    _, rows, counts = own.worked(chunk)
    for at, grader in enumerate(line.recipe.grade):
        if streams(grader) and "judge" in parameters(grader.function):
            rows = list(graded(grader, rows, **own.roles, seed=line.seed("grade", at)))
    return rows, counts


def _units(heard: Sequence[Asked], rows: int, batches: Mapping[str, int]) -> list[dict[Place, Numbers]]:
    """What each row took. Where rows are made of all real rows together, those of a step are told apart by order."""
    units: list[dict[Place, Numbers]] = [defaultdict(lambda: np.zeros(len(TOOK))) for _ in range(rows)]
    by_place = defaultdict[Place, list[Asked]](list)
    for each in {each.ask.key: each for each in heard}.values():  # the same is asked but once
        by_place[each.model.stage, each.model.role].append(each)
    for place, some in by_place.items():
        model, keys = some[0].model, [each.ask.key for each in some]
        said = model.journaled_replies(keys)
        seconds = ledger.request_seconds(model.journal.path, keys) if model.journal else {}
        for at, each in enumerate(some):
            took = np.array([1.0, 0, 0, 0, np.nan if batches.get(model.role) else seconds.get(each.ask.key, 0.0)])
            if found := said.get(each.ask.key):
                told = found.usage
                length = len(found.text) + len(found.reasoning)
                used = told._replace(
                    input_tokens=each.ask.input_tokens if told.input_tokens is None else told.input_tokens,
                    output_tokens=length // CHARACTERS if told.output_tokens is None else told.output_tokens,
                )
                took[1:4] = used.input_tokens, used.output_tokens, _money(model, used, batches)
            units[at * rows // len(some)][place] += took
    return units


def _money(model: Any, used: TokenUsage, batches: Mapping[str, int]) -> float:
    found = model.price.of(used, bool(batches.get(model.role))) if model.price else None
    return float("nan") if found is None else found


def surveyed(line: Line, sizes: Mapping[int, int], few: Mapping[int, int], batches: Mapping[str, int]) -> Survey:
    """Every request counted: what the journal has is taken as it is, for the rest something stands in.

    A model of our own costs nothing, and writes as ever.
    """
    survey, lengths = Survey(), _Lengths(line)
    given, failed = Counter[str](), Counter[str]()
    refused = list[NoPrompt]()
    for at, first, chunk in work(line):
        heard: list[Asked] = []
        elements = {chunk.step.name: _elements(chunk)}

        def instead(model: Any, heard: list[Asked] = heard, elements: Mapping[str, int] = elements) -> Any:
            return (
                StandIn(cast("Endpoint", model), heard, lengths, elements) if isinstance(model, RemoteModel) else model
            )

        try:
            _, counts = _through(line, chunk, instead)
        except NoPrompt as error:  # of none of its rows, unless none has one
            refused.append(error)
            continue
        strata = Counter(place * few[at] // sizes[at] for place in range(first, first + chunk.size))
        shares = _put_down(survey, at, heard, batches)
        front = shares.get((chunk.step.name, line.teacher.role)) if isinstance(line.teacher, RemoteModel) else 0.0
        for stratum, rows in strata.items():
            survey.front[at, stratum] += rows * (front or 0.0)
            for place, share in shares.items() if not front else ():
                survey.rest[at, stratum, place] += rows * share
        if any(shares.values()):
            for step, out, lost in counts:
                given[step] += out
                failed[step] += lost
    if refused and not given:
        raise refused[0]
    survey.lengths = lengths.rests_on
    survey.unseen = [place for place, rows in given.items() if 2 * failed[place] > rows]
    return survey


def _put_down(survey: Survey, at: int, heard: Sequence[Asked], batches: Mapping[str, int]) -> dict[Place, float]:
    """The requests of a chunk are counted; for each step and role, which share of them is left."""
    wanted, left = Counter[Place](), Counter[Place]()
    for each in heard:
        place, key = (each.model.stage, each.model.role), int(each.ask.key[:16], 16)
        survey.models[place] = each.model
        wanted[place] += 1
        if key in survey.keys:
            continue
        survey.keys.add(key)
        survey.there += each.said is not None
        if each.said is None:
            left[place] += 1
            usd = _money(each.model, TokenUsage(each.ask.input_tokens, each.tokens), batches)
            survey.counts[at, place] += np.array([1.0, each.ask.input_tokens, each.tokens, usd])
    return {place: left[place] / count for place, count in wanted.items()}


def _elements(chunk: Chunk) -> int:
    """How many things a way asks for in one reply, if it has a knob for that."""
    asked = parameters(chunk.step.function)
    return int(chunk.step.options.get("per_document", asked["per_document"].default)) if "per_document" in asked else 1


class _Lengths:
    """How long a reply will be that nobody has given, and why."""

    def __init__(self, line: Line) -> None:
        self.usual = ledger.mean_usage(line.store.journal.path)
        answers = total = 0
        for row in line.store.stream("real"):
            answers += bool(row.answer)
            total += len(row.answer)
        self.real = round(total / answers / CHARACTERS) if answers else 0
        self.rests_on: dict[Place, str] = {}

    def __call__(self, model: Any, ask: Any, shaped: bool) -> int:
        place = (model.stage, model.role)
        usual, _ = self.usual.get(place, (None, None))
        demanded = model.style == "messages" and not (model.wishes.max_tokens or model.extra.get("max_tokens"))
        room = 0 if demanded else ask.room
        if usual is not None:
            found, why = round(usual), "as long as its replies until now"
        elif self.real and not shaped:
            found, why = min(self.real, room or self.real), "as long as the real answers"
        elif room:
            found, why = room, "as long as max_tokens allows"
        else:
            found = SHAPED if shaped else DEFAULT_REPLY_TOKENS
            why = f"of {found:,} tokens, which is no more than an assumption"
        self.rests_on[place] = why
        return found
