"""A model behind a server that speaks the OpenAI API, as most do: paid or your own, as a teacher or a judge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.models.endpoint.address_change import warn_of_former_address
from selfsown.models.endpoint.api_formats import ParsedReply, request_headers, parse_reply, sampling_fields, prompt_fields
from selfsown.models.endpoint.batch.runner import BatchRunner
from selfsown.models.endpoint.billing import Account, host_of, price_for, max_reply_tokens
from selfsown.models.endpoint.credentials import join_url, check_url, resolve_headers, read_secret
from selfsown.models.endpoint.dispatcher import RequestDispatcher
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import shared_client
from selfsown.models.endpoint.options import ConnectionOptions, ReplyOptions
from selfsown.models.endpoint.request import Request, Connection
from selfsown.option_types import Count, Natural, Positive
from selfsown.records import Row, SelfsownError
from selfsown.text.chat import Prompt, characters
from selfsown.usage.journal import Journal
from selfsown.usage.prices import Price, PriceOptions

_json = json.JSONEncoder(sort_keys=True).encode
CHARS_PER_TOKEN = 4  # of a token, about: for the limit a minute, before the server has counted


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model by its address. What it answers is in the journal before it is read, and is never asked for twice.

    identity: what stands for the address in the keys of its replies, where they came from another one. price: None
    where it is not known; role and stage: what the ledger charges its requests to.
    """

    url: str
    name: str
    style: str
    key: str
    system: str
    reply_options: ReplyOptions
    extra: Mapping[str, Any]
    headers: Any
    identity: str
    connection_options: ConnectionOptions
    journal: Journal | None
    price: Price | None
    role: str = ""
    stage: str = ""
    reads_conversations = True

    @property
    def preferred_batch(self) -> int:
        """How many rows it likes to be asked for at once; 0: any."""
        return self.connection_options.batch_size

    def __post_init__(self) -> None:
        check_url(self.url)
        read_secret(self.key)
        resolve_headers(self.headers)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As `selfsown.models.Model` says. Each draw is a request of its own, with a seed of its own; at
        temperature 0 all draws are one. Where the prompt is only begun, the last line is the answer."""
        asks = self.requests(prompts, params)
        all_of_them = {ask.key: ask for these in asks for ask in these}
        said = self.journaled_replies(list(all_of_them))
        if self.journal and all_of_them and not said:
            warn_of_former_address(self.journal, self._place, self.url, self.name, self._keys(prompts, params))
        left = [ask for key, ask in all_of_them.items() if key not in said]
        said |= self._asked(left, len(said), json.dumps(params.schema)) if left else {}
        return self.replies(prompts, asks, said, params.continue_prompt)

    def requests(self, prompts: Sequence[Prompt], params: SamplingParams) -> list[list[Request]]:
        """The requests of such a call: for each prompt its draws."""
        draws = Counter[Prompt]()
        asks: list[list[Request]] = []
        for prompt in prompts:
            numbers = range(draws[prompt], draws[prompt] + params.n) if params.temperature else [0] * params.n
            draws[prompt] += params.n
            asks.append([self._ask(prompt, params, draw) for draw in numbers])
        return asks

    def journaled_replies(self, keys: Sequence[str]) -> dict[str, ParsedReply]:
        """What the journal has heard to these requests."""
        found: dict[str, ParsedReply] = {}
        for key, reply in (self.journal.read(keys) if self.journal and keys else {}).items():
            try:
                found[key] = parse_reply(self.style, reply, self.reply_options.accepted_finish_reasons)
            except RequestError:
                continue  # half a reply is none: it is asked for again
        return found

    def replies(
        self, prompts: Sequence[Prompt], asks: Sequence[Sequence[Request]], said: Mapping[str, ParsedReply], continued: bool
    ) -> list[list[Reply]]:
        """What was said to these requests, prompt by prompt."""
        reply = _finished if continued else _answered
        return [
            [reply(str(prompt), said[ask.key]) for ask in these] for prompt, these in zip(prompts, asks, strict=True)
        ]

    def for_step(self, stage: str) -> Endpoint:
        """The same model, at work for this step of the recipe."""
        return replace(self, stage=stage)

    def with_model(self, name: str) -> Endpoint:
        """Another model of the same server; where our table has no price for it, it has this one's."""
        return replace(self, name=name, price=price_for(self.url, name, None, self.extra) or self.price)

    @property
    def max_in_flight(self) -> int:
        """How many of its requests may be out at once."""
        return self.connection_options.max_in_flight

    def cancel(self) -> None:
        """Nothing more is sent for its journal; what is out comes back first."""
        shared_client().cancel_owner(self.journal)

    def bits(self, rows: Sequence[Row]) -> NoReturn:
        raise SelfsownError(f"{self.name} at {self.url} cannot be looked into: it may teach or judge, but not learn")

    def _ask(self, prompt: Prompt, params: SamplingParams, draw: int) -> Request:
        """The request, under a key made of all that shapes it."""
        if not prompt and not self.system:
            raise SelfsownError(f"{self.name} is asked to write from nothing; say in system what it shall write")
        own = int.from_bytes(hashlib.sha256(f"{params.seed} {draw}".encode()).digest()[:4]) >> 1
        body = {"model": self.name, **prompt_fields(self.style, prompt, self.system), **self.reply_options.request_fields(self.style)}
        body |= {
            **sampling_fields(self.style, params.temperature, own, params.max_tokens or self.reply_options.max_tokens),
            **self.extra,
        }
        form = {name: value for name, value in self.reply_options.schema_fields(self.style, params.schema).items() if name not in body}
        body = {name: value for name, value in body.items() if value is not None}
        free = _json(body)
        text = f"{free[:-1]}, {json.dumps(form)[1:]}" if form else free  # a reply keeps to the schema's own order
        shaped = f"{self.identity or self.url}\n{self.style}\n{params.seed} {draw}\n{text}"
        asked = (characters(prompt) + len(self.system)) // CHARS_PER_TOKEN
        return Request(hashlib.sha256(shaped.encode()).hexdigest(), text, free, asked, max_reply_tokens(body))

    @property
    def _place(self) -> str:
        """Where the recipe names it."""
        return f"{self.role or 'teacher'}.{'anthropic' if self.style == 'messages' else 'endpoint'}"

    def _keys(self, prompts: Sequence[Prompt], params: SamplingParams) -> Callable[[str], list[str]]:
        """The keys of these requests under another identity."""
        return lambda identity: [
            ask.key for these in replace(self, identity=identity).requests(prompts, params) for ask in these
        ]

    def _asked(self, asks: Sequence[Request], known: int, schema: str) -> dict[str, ParsedReply]:
        """What the server says; known: how many replies of the same call the journal has."""
        secret, (own, secrets) = read_secret(self.key), resolve_headers(self.headers)
        line = Connection(
            base_url=join_url(self.url, ""),
            style=self.style,
            headers=request_headers(self.style, secret, own),
            secrets=(secret, *secrets),
            timeout=self.connection_options.timeout,
            retries=self.connection_options.retries,
            journal=self.journal,
            account=Account(self.role, self.stage, self.name, host_of(self.url), self.price),
            schema_key=(self.url, self.name, schema),
            accepted_finish_reasons=self.reply_options.accepted_finish_reasons,
        )
        if self.connection_options.batch_size:
            return shared_client().run(BatchRunner(shared_client(), line, self.connection_options.batch_size, asks, known).run(), self.journal)
        gate = shared_client().rate_limiter((self.url, self.name), self.connection_options.max_in_flight, *self.connection_options.rate_limits)
        return shared_client().run(RequestDispatcher(shared_client(), gate, line, asks, known).run(), self.journal)


def create(
    rows: Sequence[Row],
    seed: int,
    journal: Journal | None = None,
    role: str = "",
    *,
    url: str,
    model: str,
    key: str = "",
    style: Literal["chat", "completions"] = "chat",
    system: str = "",
    stop: tuple[str, ...] = (),
    max_tokens: Natural = 0,
    logprobs: Natural = 0,
    json: bool = True,
    extra: dict[str, Any] | None = None,
    headers: Any = None,
    finish_reasons: tuple[str, ...] = (),
    identity: str = "",
    timeout: Positive = 600.0,
    retries: Count = 6,
    in_flight: Count = 64,
    requests_per_minute: Natural = 0,
    tokens_per_minute: Natural = 0,
    price: PriceOptions | None = None,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name at a url such as http://localhost:8000/v1. key: the environment variable, or the file,
    that holds the key. extra: further fields of each request; one that is null is left out. headers: further headers,
    whose secrets are named as the key is. finish_reasons: ends of a whole reply besides the usual ones. identity: the
    name, or former address, under which its replies are kept, so that a server may move. price: dollars for a million
    tokens, where our table does not know them."""
    wishes = ReplyOptions(stop, max_tokens, logprobs, json, finish_reasons)
    manner = ConnectionOptions(timeout, retries, in_flight, requests_per_minute, tokens_per_minute, batch)
    where: dict[str, Any] = {"url": url, "name": model, "style": style, "key": key, "headers": headers}
    where |= {"identity": identity, "journal": journal, "role": role, "price": price_for(url, model, price, extra or {})}
    return Endpoint(system=system, reply_options=wishes, connection_options=manner, extra=extra or {}, **where)


def load(folder: Path) -> NoReturn:
    raise SelfsownError("an endpoint cannot be trained; let it teach or judge, and take another student")


def _answered(prompt: str, said: ParsedReply) -> Reply:
    return Reply(prompt, said.text, said.output_tokens, said.failure, said.reasoning, said.logprobs)


def _finished(prompt: str, said: ParsedReply) -> Reply:
    """The prompt with the end that the model wrote, whether or not it began it anew, and its answer below."""
    rest, _, answer = said.text.strip("\n").rpartition("\n")
    failure = said.failure or ("" if rest else "no answer below its prompt")
    whole = rest if rest.startswith(prompt) else prompt + rest
    return Reply(whole.rstrip("\n"), answer.strip(), said.output_tokens, failure, said.reasoning)
