"""A remote model that records its requests, and a stub that answers in its place without sending any."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from selfsown.estimate.schema_instance import conformity_check, instance
from selfsown.models import DEFAULT_PARAMS, Model, RemoteModel, Reply, SamplingParams
from selfsown.prompting.structured_output import compact_json
from selfsown.records import Row
from selfsown.text.chat import Prompt

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.api_formats import ParsedReply
    from selfsown.models.endpoint.endpoint import Endpoint
    from selfsown.models.endpoint.request import Request

CHARS_PER_TOKEN = 4  # about
CHARS_PER_WORD = 5  # of the stub's text
MAX_QUOTED_WORDS = 20  # of a text that the stub quotes from

_SOURCE = re.compile(r"<text-(\w{12})>\n(.*)\n</text-\1>", re.DOTALL)  # a text between its marks

ReplyLength = Callable[
    ["Endpoint", "Request", bool], int
]  # expected tokens; the last argument: whether it has a schema


@dataclass(frozen=True)
class RecordedRequest:
    """A request, its model, the reply in the journal if there is one, and the tokens that a reply is expected to
    have."""

    model: Endpoint
    request: Request
    reply: ParsedReply | None = None
    expected_tokens: int = 0

    @property
    def step_role(self) -> tuple[str, str]:
        return self.model.stage, self.model.role


def is_remote(model: Model) -> TypeGuard[Endpoint]:
    """Whether the model is behind a server, so that its requests can be listed."""
    return isinstance(model, RemoteModel)


class RecordingModel:
    """The model itself; its requests are recorded in `requests`."""

    reads_conversations = True  # as every remote model does

    def __init__(self, model: Endpoint, requests: list[RecordedRequest]) -> None:
        self.model = model
        self.requests = requests
        self.name = model.name

    def for_step(self, stage: str) -> RecordingModel:
        return RecordingModel(self.model.for_step(stage), self.requests)

    def with_model(self, name: str) -> RecordingModel:
        return RecordingModel(self.model.with_model(name), self.requests)

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return self.model.bits(rows)

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        for draws in self.model.requests(prompts, params):
            self.requests += [RecordedRequest(self.model, request) for request in _distinct(draws)]
        return self.model.complete(prompts, params)


class StubModel(RecordingModel):
    """Answers from the journal where it has a reply, and makes up the others.

    A made-up reply is text of the expected length, or the smallest value that conforms to the schema, whose lists have
    as many elements as the step asks for (elements, by step).
    """

    def __init__(
        self, model: Endpoint, requests: list[RecordedRequest], length: ReplyLength, elements: Mapping[str, int]
    ) -> None:
        super().__init__(model, requests)
        self.length = length
        self.elements = elements

    def for_step(self, stage: str) -> StubModel:
        return StubModel(self.model.for_step(stage), self.requests, self.length, self.elements)

    def with_model(self, name: str) -> StubModel:
        return StubModel(self.model.with_model(name), self.requests, self.length, self.elements)

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        from selfsown.models.endpoint.api_formats import ParsedReply

        draws_of_prompts = self.model.requests(prompts, params)
        schema = params.schema
        journaled = self.model.journaled_replies([request.key for draws in draws_of_prompts for request in draws])
        replies = dict(journaled)
        conforms = conformity_check(schema) if schema else None
        elements = self.elements.get(self.model.stage, 1)
        for prompt, draws in zip(prompts, draws_of_prompts, strict=True):
            for request in _distinct(draws):
                tokens = self.length(self.model, request, bool(schema))
                self.requests.append(RecordedRequest(self.model, request, journaled.get(request.key), tokens))
                if request.key not in replies:
                    text = (
                        _structured_text(request, str(prompt), schema, conforms, elements)
                        if conforms
                        else _plain_text(request, tokens)
                    )
                    replies[request.key] = ParsedReply(
                        text, failure="" if text else "no stub reply conforms to the schema"
                    )
        return self.model.replies(prompts, draws_of_prompts, replies, params.continue_prompt)


def _distinct(requests: Sequence[Request]) -> list[Request]:
    """One request for each key: the same request is sent once."""
    return list({request.key: request for request in requests}.values())


def _prefix(request: Request) -> str:
    """Another text for each request, or later steps would send one request where they send two."""
    return f"{request.key[:8]} "


def _plain_text(request: Request, tokens: int) -> str:
    prefix = _prefix(request)
    words = max(1, (tokens * CHARS_PER_TOKEN - len(prefix)) // CHARS_PER_WORD - 1)
    return prefix + "some " * words + "\nmore"


def _structured_text(request: Request, prompt: str, schema: Any, conforms: Callable[[Any], bool], elements: int) -> str:
    """JSON that conforms to the schema and quotes the text in the prompt; empty if there is none."""
    match = _SOURCE.search(prompt)
    source = match[2].split() if match else []
    if source:
        words = [" ".join(source[index % len(source) :][:MAX_QUOTED_WORDS]) for index in range(elements)]
    else:
        words = [f"{_prefix(request)}{index}" for index in range(elements)]
    value = instance(schema, schema, words)
    return compact_json(value) if conforms(value) else ""
