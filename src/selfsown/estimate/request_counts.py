"""The requests that `make` would send, counted without sending any."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selfsown.chunks import Chunk, StepCounts
from selfsown.estimate.reply_lengths import ReplyLengths
from selfsown.estimate.sample import price_of
from selfsown.estimate.stub_model import RecordedRequest, StubModel, is_remote
from selfsown.estimate.usage import StepRole, Usage
from selfsown.estimate.work import chunks_by_method, run_chunk
from selfsown.models import Model
from selfsown.pipeline import DatasetPipeline
from selfsown.recipe.steps import parameters
from selfsown.records import NoPrompt
from selfsown.usage.prices import TokenUsage

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.endpoint import Endpoint

UNKNOWN_SECONDS = Usage(seconds=float("nan"))


@dataclass
class RequestCounts:
    """The requests that are left to send; those with a reply in the journal are not.

    usage: by index of the generate step, step and role, if each reply has its expected length; seconds are unknown.
    rows_to_generate: by index and stratum, the rows of which every request is left. rows_to_grade: by index, stratum,
    step and role, how many of the other rows the requests left there amount to.
    models: who is asked, by step and role. length_basis: what the expected length of a reply rests on.
    cached_replies: requests with a reply in the journal. uncounted_steps: steps that fail most stub replies, so that
    the requests of later steps cannot be counted.
    """

    usage: dict[tuple[int, StepRole], Usage] = field(default_factory=lambda: defaultdict(lambda: UNKNOWN_SECONDS))
    rows_to_generate: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    rows_to_grade: dict[tuple[int, int, StepRole], float] = field(default_factory=lambda: defaultdict(float))
    models: dict[StepRole, Endpoint] = field(default_factory=dict)
    length_basis: dict[StepRole, str] = field(default_factory=dict)
    cached_replies: int = 0
    uncounted_steps: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def rows_left(self, index: int, stratum: int, step_role: StepRole) -> float:
        return self.rows_to_generate[index, stratum] + self.rows_to_grade[index, stratum, step_role]

    def add(self, index: int, requests: Sequence[RecordedRequest], batches: Mapping[str, int]) -> dict[StepRole, float]:
        """Count the requests of a chunk; for each step and role, the share of them that is left to send."""
        all_requests, left = Counter[StepRole](), Counter[StepRole]()
        for recorded in requests:
            step_role, key = recorded.step_role, int(recorded.request.key[:16], 16)
            self.models[step_role] = recorded.model
            all_requests[step_role] += 1
            if key in self._seen:
                continue
            self._seen.add(key)
            if recorded.reply is not None:
                self.cached_replies += 1
                continue
            left[step_role] += 1
            input_tokens, output_tokens = recorded.request.input_tokens, recorded.expected_tokens
            usd = price_of(recorded.model, TokenUsage(input_tokens, output_tokens), batches)
            usage = Usage(1.0, float(input_tokens), float(output_tokens), usd)
            self.usage[index, step_role] = self.usage[index, step_role].plus(usage)
        return {step_role: left[step_role] / count for step_role, count in all_requests.items()}


def count_requests(
    pipeline: DatasetPipeline, sizes: Mapping[int, int], strata: Mapping[int, int], batches: Mapping[str, int]
) -> RequestCounts:
    """Run every chunk with stub models, which answer from the journal and make up the other replies.

    sizes, strata, batches: as in `run_sample`. A model of our own runs as usual; it costs nothing. Raises NoPrompt if
    no row has a prompt.
    """
    counts, lengths = RequestCounts(), ReplyLengths(pipeline)
    out, failed = Counter[str](), Counter[str]()
    without_prompt: list[NoPrompt] = []
    for index, position, chunk in chunks_by_method(pipeline):
        try:
            requests, step_counts = _stub_requests(pipeline, chunk, lengths)
        except NoPrompt as error:  # of this chunk; other rows may have one
            without_prompt.append(error)
            continue
        shares = counts.add(index, requests, batches)
        rows = Counter(place * strata[index] // sizes[index] for place in range(position, position + chunk.size))
        _add_rows_left(counts, index, rows, shares, _generate_share(pipeline, chunk, shares))
        if any(shares.values()):
            for step, rows_out, rows_failed in step_counts:
                out[step] += rows_out
                failed[step] += rows_failed
    if without_prompt and not out:
        raise without_prompt[0]
    counts.length_basis = lengths.basis
    counts.uncounted_steps = [step for step, rows_out in out.items() if 2 * failed[step] > rows_out]
    return counts


def _stub_requests(
    pipeline: DatasetPipeline, chunk: Chunk, lengths: ReplyLengths
) -> tuple[list[RecordedRequest], StepCounts]:
    requests: list[RecordedRequest] = []
    elements = {chunk.step.name: _elements_per_reply(chunk)}

    def stub(model: Model) -> Model:
        return StubModel(model, requests, lengths, elements) if is_remote(model) else model

    _, step_counts = run_chunk(pipeline, chunk, stub)
    return requests, step_counts


def _generate_share(pipeline: DatasetPipeline, chunk: Chunk, shares: Mapping[StepRole, float]) -> float:
    """The share of the chunk's generate requests that is left to send."""
    if not is_remote(pipeline.teacher):
        return 0.0
    return shares.get((chunk.step.name, pipeline.teacher.role)) or 0.0


def _add_rows_left(
    counts: RequestCounts,
    index: int,
    rows: Mapping[int, int],
    shares: Mapping[StepRole, float],
    generate_share: float,
) -> None:
    """rows: of the chunk, by stratum."""
    for stratum, count in rows.items():
        counts.rows_to_generate[index, stratum] += count * generate_share
        if not generate_share:
            for step_role, share in shares.items():
                counts.rows_to_grade[index, stratum, step_role] += count * share


def _elements_per_reply(chunk: Chunk) -> int:
    """How many items a generate step requests in one reply, if it has an option for that."""
    options = parameters(chunk.step.function)
    if "per_document" not in options:
        return 1
    return int(chunk.step.options.get("per_document", options["per_document"].default))
