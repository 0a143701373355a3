"""A model behind a server with an OpenAI-compatible API, paid or your own, as teacher or judge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from selfsown import progress
from selfsown.errors import ModelError
from selfsown.models import DEFAULT_PARAMS, JsonObject, Reply, SamplingParams
from selfsown.models.endpoint.address_change import warn_of_former_address
from selfsown.models.endpoint.api_formats import (
    ParsedReply,
    parse_reply,
    prompt_fields,
    request_headers,
    sampling_fields,
)
from selfsown.models.endpoint.batch.runner import BatchRunner
from selfsown.models.endpoint.billing import Account, host_of, max_reply_tokens, price_for
from selfsown.models.endpoint.credentials import check_url, join_url, read_secret, resolve_headers
from selfsown.models.endpoint.diagnosis import diagnosis
from selfsown.models.endpoint.dispatcher import RequestDispatcher
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.health_check import check_health
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.options import ConnectionOptions, ReplyOptions
from selfsown.models.endpoint.request import Connection, Request
from selfsown.option_types import Count, Natural, Positive
from selfsown.records import Json, Row
from selfsown.templates import ConstantText, render
from selfsown.text.chat import Prompt, prompt_chars
from selfsown.usage.journal import Journal
from selfsown.usage.prices import Price, PriceOptions

_json = json.JSONEncoder(sort_keys=True).encode
CHARS_PER_TOKEN = 4  # roughly: for the rate limits, before the server has counted


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model at a URL. Each reply is in the journal before it is used, and is never requested twice.

    key: the variable or file that holds the API key. headers: as the recipe gives them, checked on creation.
    identity: replaces the URL in the keys of its replies, so that the server may move. price: None where it is unknown.
    role and stage: to whom the journal attributes its requests.
    """

    url: str
    name: str
    style: str
    key: str
    system: str
    reply_options: ReplyOptions
    extra: Mapping[str, Json]
    headers: object
    identity: str
    connection_options: ConnectionOptions
    journal: Journal | None
    price: Price | None
    role: str = ""
    stage: str = ""
    reads_conversations = True

    def __post_init__(self) -> None:
        check_url(self.url)
        read_secret(self.key)
        resolve_headers(self.headers)

    @property
    def preferred_batch(self) -> int:
        """How many rows it prefers in one call; 0: any number."""
        return self.connection_options.batch_size

    @property
    def max_in_flight(self) -> int:
        """The most concurrent requests."""
        return self.connection_options.max_in_flight

    def for_step(self, stage: str) -> Endpoint:
        """The same model, with its requests attributed to this step of the recipe."""
        return replace(self, stage=stage)

    def with_model(self, name: str) -> Endpoint:
        """Another model of the same server, at its price in our table, else at this model's price."""
        return replace(self, name=name, price=price_for(self.url, name, None, self.extra) or self.price)

    def check_server(self) -> None:
        """Raises ModelError where no server answers at the URL; no reply is requested."""
        client = shared_client()
        if error := client.run(check_health(client, self.url), self):
            raise ModelError(f"{self.url}: {error.reason}")

    def cancel(self) -> None:
        """Send no more requests for its journal; those in flight are waited for."""
        shared_client().cancel_owner(self.journal)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As in `selfsown.models.Model`. Each sample is a request of its own, with a seed of its own; at temperature 0
        all samples are one request. With `continue_prompt`, the last line of the reply is the answer.

        Raises ModelError where the server cannot be used, and where the budget is exceeded.
        """
        requests = self.requests(prompts, params)
        unique = {request.key: request for samples in requests for request in samples}
        replies = self.journaled_replies(list(unique))
        if self.journal and unique and not replies:
            warn_of_former_address(self.journal, self._recipe_key, self.url, self.name, self._keys(prompts, params))
        if left := [request for key, request in unique.items() if key not in replies]:
            replies |= self._send(left, len(replies), json.dumps(params.schema))
        return self.replies(prompts, requests, replies, params.continue_prompt)

    def requests(self, prompts: Sequence[Prompt], params: SamplingParams) -> list[list[Request]]:
        """The requests of such a call: for each prompt its samples."""
        samples = Counter[Prompt]()
        requests: list[list[Request]] = []
        for prompt in prompts:
            first = samples[prompt]
            indices = range(first, first + params.n) if params.temperature else [0] * params.n
            samples[prompt] += params.n
            requests.append([self._request(prompt, params, index) for index in indices])
        return requests

    def journaled_replies(self, keys: Sequence[str]) -> dict[str, ParsedReply]:
        """The replies to these requests that the journal has."""
        parsed: dict[str, ParsedReply] = {}
        for key, text in (self.journal.read(keys) if self.journal and keys else {}).items():
            try:
                parsed[key] = parse_reply(self.style, text, self.reply_options.accepted_finish_reasons)
            except RequestError:
                continue  # a truncated reply is no reply: it is requested again
        return parsed

    def replies(
        self,
        prompts: Sequence[Prompt],
        requests: Sequence[Sequence[Request]],
        parsed: Mapping[str, ParsedReply],
        continue_prompt: bool,
    ) -> list[list[Reply]]:
        """The replies to these requests, prompt by prompt."""
        to_reply = _completed_prompt if continue_prompt else _answer
        return [
            [to_reply(str(prompt), parsed[request.key]) for request in samples]
            for prompt, samples in zip(prompts, requests, strict=True)
        ]

    def bits(self, rows: Sequence[Row]) -> NoReturn:
        raise ModelError(
            f"{self.name} at {self.url} returns no token probabilities of given texts; it can be the teacher or the "
            "judge, but not the student"
        )

    def _request(self, prompt: Prompt, params: SamplingParams, index: int) -> Request:
        """The request, under a key made of everything that shapes the reply."""
        if not prompt and not self.system:
            raise ModelError(
                f"{self.name} has neither a prompt nor a system message; set system to what it shall write"
            )
        seed = int.from_bytes(hashlib.sha256(f"{params.seed} {index}".encode()).digest()[:4]) >> 1
        max_tokens = params.max_tokens or self.reply_options.max_tokens
        fields: JsonObject = {
            "model": self.name,
            **prompt_fields(self.style, prompt, self.system),
            **self.reply_options.request_fields(self.style),
            **sampling_fields(self.style, params.temperature, seed, max_tokens),
            **self.extra,
        }
        schema = self.reply_options.schema_fields(self.style, params.schema)
        schema = {name: value for name, value in schema.items() if name not in fields}
        fields = {name: value for name, value in fields.items() if value is not None}
        plain = _json(fields)
        body = f"{plain[:-1]}, {json.dumps(schema)[1:]}" if schema else plain  # a reply follows the schema's own order
        hashed = f"{self.identity or self.url}\n{self.style}\n{params.seed} {index}\n{body}"
        input_tokens = (prompt_chars(prompt) + len(self.system)) // CHARS_PER_TOKEN
        key = hashlib.sha256(hashed.encode()).hexdigest()
        return Request(key, body, plain, input_tokens, max_reply_tokens(fields))

    @property
    def _recipe_key(self) -> str:
        """Where the recipe configures it."""
        return f"{self.role or 'teacher'}.{'anthropic' if self.style == 'messages' else 'endpoint'}"

    def _keys(self, prompts: Sequence[Prompt], params: SamplingParams) -> Callable[[str], list[str]]:
        """The keys of these requests under another identity."""
        return lambda identity: [
            request.key for samples in replace(self, identity=identity).requests(prompts, params) for request in samples
        ]

    def _send(self, requests: Sequence[Request], known: int, schema: str) -> dict[str, ParsedReply]:
        """The server's replies; known: how many replies of the same call the journal has."""
        secret, (headers, header_secrets) = read_secret(self.key), resolve_headers(self.headers)
        options, client = self.connection_options, shared_client()
        connection = Connection(
            base_url=join_url(self.url, ""),
            style=self.style,
            headers=request_headers(self.style, secret, headers),
            secrets=(secret, *header_secrets),
            timeout=options.timeout,
            retries=options.retries,
            journal=self.journal,
            account=Account(self.role, self.stage, self.name, host_of(self.url), self.price),
            schema_key=(self.url, self.name, schema),
            accepted_finish_reasons=self.reply_options.accepted_finish_reasons,
        )
        with progress.step(total=known + len(requests), unit="replies") as counted:
            counted.done = known
            if options.batch_size:
                batches = BatchRunner(client, connection, options.batch_size, requests, known)
                counted.collected = batches.replies
                return client.run(batches.run(), self.journal)
            limiter = client.rate_limiter((self.url, self.name), options.max_in_flight, *options.rate_limits)
            dispatcher = RequestDispatcher(client, limiter, connection, requests, known)
            counted.collected = dispatcher.replies
            try:
                return client.run(dispatcher.run(), self.journal)
            except ModelError as error:
                failure = error
        cause = "" if dispatcher.answers else client.run(diagnosis(client, connection, *dispatcher.refused), self)
        raise ModelError(cause) if cause else failure


def create(
    rows: Sequence[Row],
    seed: int,
    journal: Journal | None = None,
    role: str = "",
    *,
    url: str,
    model: str,
    api_key: str = "",
    style: Literal["chat", "completions"] = "chat",
    system: ConstantText = "",
    stop: tuple[str, ...] = (),
    max_tokens: Natural = 0,
    logprobs: Natural = 0,
    json: bool = True,
    extra: JsonObject | None = None,
    headers: Any = None,
    finish_reasons: tuple[str, ...] = (),
    identity: str = "",
    timeout: Positive = 600.0,
    retries: Count = 6,
    max_in_flight: Count = 64,
    requests_per_minute: Natural = 0,
    tokens_per_minute: Natural = 0,
    price: PriceOptions | None = None,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name at a URL such as http://localhost:8000/v1. Raises RecipeError for a bad URL or key.

    api_key: the environment variable, or file, that holds the key. stop: strings that end a reply. max_tokens: of a
    reply, where a step sets none. logprobs: likeliest tokens per position. json: send JSON schemas. extra: fields of
    each request; null removes one. headers: secrets named as api_key is. finish_reasons: more of complete replies.
    identity: the name under which replies are stored. timeout: seconds. price: dollars per million tokens. batch: size.
    """
    options = ReplyOptions(stop, max_tokens, logprobs, json, finish_reasons)
    limits = ConnectionOptions(timeout, retries, max_in_flight, requests_per_minute, tokens_per_minute, batch)
    where: JsonObject = {"url": url, "name": model, "style": style, "key": api_key, "headers": headers}
    cost = price_for(url, model, price, extra or {})
    where |= {"identity": identity, "journal": journal, "role": role, "price": cost, "system": render(system, {})}
    return Endpoint(reply_options=options, connection_options=limits, extra=extra or {}, **where)


def load(folder: Path) -> NoReturn:
    raise ModelError("an endpoint cannot be trained; use it as teacher or judge, and another model as student")


def _answer(prompt: str, parsed: ParsedReply) -> Reply:
    return Reply(
        prompt, parsed.text, parsed.output_tokens, parsed.failure, parsed.reasoning, parsed.logprobs, parsed.calls
    )


def _completed_prompt(prompt: str, parsed: ParsedReply) -> Reply:
    """The prompt with the rest that the model wrote, whether or not it repeated the prompt, and its answer, which is
    the last line."""
    rest, _, answer = parsed.text.strip("\n").rpartition("\n")
    failure = parsed.failure or ("" if rest else "no answer below its prompt")
    whole = rest if rest.startswith(prompt) else prompt + rest
    return Reply(whole.rstrip("\n"), answer.strip(), parsed.output_tokens, failure, parsed.reasoning)
