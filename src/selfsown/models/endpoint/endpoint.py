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
from selfsown.models.endpoint.address_change import point_out
from selfsown.models.endpoint.api_formats import Said, headed, heard, settings, worded
from selfsown.models.endpoint.batch.runner import Batches
from selfsown.models.endpoint.billing import Account, host, price_at, room
from selfsown.models.endpoint.credentials import at, check, own_headers, secret_of
from selfsown.models.endpoint.dispatcher import Exchange
from selfsown.models.endpoint.errors import Fault
from selfsown.models.endpoint.http_client import client
from selfsown.models.endpoint.options import Manner, Wishes
from selfsown.models.endpoint.request import Ask, Line
from selfsown.option_types import Count, Natural, Positive
from selfsown.records import Row, SelfsownError
from selfsown.text.chat import Prompt, prompt_chars
from selfsown.usage.journal import Journal
from selfsown.usage.prices import Price, Told

_json = json.JSONEncoder(sort_keys=True).encode
CHARACTERS = 4  # of a token, about: for the limit a minute, before the server has counted


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
    wishes: Wishes
    extra: Mapping[str, Any]
    headers: Any
    identity: str
    manner: Manner
    journal: Journal | None
    price: Price | None
    role: str = ""
    stage: str = ""
    reads_conversations = True

    @property
    def chunk(self) -> int:
        """How many rows it likes to be asked for at once; 0: any."""
        return self.manner.batch

    def __post_init__(self) -> None:
        check(self.url)
        secret_of(self.key)
        own_headers(self.headers)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As `selfsown.models.Model` says. Each draw is a request of its own, with a seed of its own; at
        temperature 0 all draws are one. Where the prompt is only begun, the last line is the answer."""
        asks = self.asks(prompts, params)
        all_of_them = {ask.key: ask for these in asks for ask in these}
        said = self.known(list(all_of_them))
        if self.journal and all_of_them and not said:
            point_out(self.journal, self._place, self.url, self.name, self._keys(prompts, params))
        left = [ask for key, ask in all_of_them.items() if key not in said]
        said |= self._asked(left, len(said), json.dumps(params.schema)) if left else {}
        return self.replies(prompts, asks, said, params.continue_prompt)

    def asks(self, prompts: Sequence[Prompt], params: SamplingParams) -> list[list[Ask]]:
        """The requests of such a call: for each prompt its draws."""
        draws = Counter[Prompt]()
        asks: list[list[Ask]] = []
        for prompt in prompts:
            numbers = range(draws[prompt], draws[prompt] + params.n) if params.temperature else [0] * params.n
            draws[prompt] += params.n
            asks.append([self._ask(prompt, params, draw) for draw in numbers])
        return asks

    def known(self, keys: Sequence[str]) -> dict[str, Said]:
        """What the journal has heard to these requests."""
        found: dict[str, Said] = {}
        for key, reply in (self.journal.read(keys) if self.journal and keys else {}).items():
            try:
                found[key] = heard(self.style, reply, self.wishes.accepted)
            except Fault:
                continue  # half a reply is none: it is asked for again
        return found

    def replies(
        self, prompts: Sequence[Prompt], asks: Sequence[Sequence[Ask]], said: Mapping[str, Said], continued: bool
    ) -> list[list[Reply]]:
        """What was said to these requests, prompt by prompt."""
        reply = _finished if continued else _answered
        return [
            [reply(str(prompt), said[ask.key]) for ask in these] for prompt, these in zip(prompts, asks, strict=True)
        ]

    def at(self, stage: str) -> Endpoint:
        """The same model, at work for this step of the recipe."""
        return replace(self, stage=stage)

    def called(self, name: str) -> Endpoint:
        """Another model of the same server; where our table has no price for it, it has this one's."""
        return replace(self, name=name, price=price_at(self.url, name, None, self.extra) or self.price)

    @property
    def at_once(self) -> int:
        """How many of its requests may be out at once."""
        return self.manner.in_flight

    def stop(self) -> None:
        """Nothing more is sent for its journal; what is out comes back first."""
        client().halt(self.journal)

    def bits(self, rows: Sequence[Row]) -> NoReturn:
        raise SelfsownError(f"{self.name} at {self.url} cannot be looked into: it may teach or judge, but not learn")

    def _ask(self, prompt: Prompt, params: SamplingParams, draw: int) -> Ask:
        """The request, under a key made of all that shapes it."""
        if not prompt and not self.system:
            raise SelfsownError(f"{self.name} is asked to write from nothing; say in system what it shall write")
        own = int.from_bytes(hashlib.sha256(f"{params.seed} {draw}".encode()).digest()[:4]) >> 1
        body = {"model": self.name, **worded(self.style, prompt, self.system), **self.wishes.fields(self.style)}
        body |= {
            **settings(self.style, params.temperature, own, params.max_tokens or self.wishes.max_tokens),
            **self.extra,
        }
        form = {name: value for name, value in self.wishes.form(self.style, params.schema).items() if name not in body}
        body = {name: value for name, value in body.items() if value is not None}
        free = _json(body)
        text = f"{free[:-1]}, {json.dumps(form)[1:]}" if form else free  # a reply keeps to the schema's own order
        shaped = f"{self.identity or self.url}\n{self.style}\n{params.seed} {draw}\n{text}"
        asked = (prompt_chars(prompt) + len(self.system)) // CHARACTERS
        return Ask(hashlib.sha256(shaped.encode()).hexdigest(), text, free, asked, room(body))

    @property
    def _place(self) -> str:
        """Where the recipe names it."""
        return f"{self.role or 'teacher'}.{'anthropic' if self.style == 'messages' else 'endpoint'}"

    def _keys(self, prompts: Sequence[Prompt], params: SamplingParams) -> Callable[[str], list[str]]:
        """The keys of these requests under another identity."""
        return lambda identity: [
            ask.key for these in replace(self, identity=identity).asks(prompts, params) for ask in these
        ]

    def _asked(self, asks: Sequence[Ask], known: int, schema: str) -> dict[str, Said]:
        """What the server says; known: how many replies of the same call the journal has."""
        secret, (own, secrets) = secret_of(self.key), own_headers(self.headers)
        line = Line(
            base=at(self.url, ""),
            style=self.style,
            headers=headed(self.style, secret, own),
            secrets=(secret, *secrets),
            timeout=self.manner.timeout,
            retries=self.manner.retries,
            journal=self.journal,
            account=Account(self.role, self.stage, self.name, host(self.url), self.price),
            form=(self.url, self.name, schema),
            accepted=self.wishes.accepted,
        )
        if self.manner.batch:
            return client().run(Batches(client(), line, self.manner.batch, asks, known).all(), self.journal)
        gate = client().gate((self.url, self.name), self.manner.in_flight, *self.manner.a_minute)
        return client().run(Exchange(client(), gate, line, asks, known).all(), self.journal)


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
    price: Told | None = None,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name at a url such as http://localhost:8000/v1. key: the environment variable, or the file,
    that holds the key. extra: further fields of each request; one that is null is left out. headers: further headers,
    whose secrets are named as the key is. finish_reasons: ends of a whole reply besides the usual ones. identity: the
    name, or former address, under which its replies are kept, so that a server may move. price: dollars for a million
    tokens, where our table does not know them."""
    wishes = Wishes(stop, max_tokens, logprobs, json, finish_reasons)
    manner = Manner(timeout, retries, in_flight, requests_per_minute, tokens_per_minute, batch)
    where: dict[str, Any] = {"url": url, "name": model, "style": style, "key": key, "headers": headers}
    where |= {"identity": identity, "journal": journal, "role": role, "price": price_at(url, model, price, extra or {})}
    return Endpoint(system=system, wishes=wishes, manner=manner, extra=extra or {}, **where)


def load(folder: Path) -> NoReturn:
    raise SelfsownError("an endpoint cannot be trained; let it teach or judge, and take another student")


def _answered(prompt: str, said: Said) -> Reply:
    return Reply(prompt, said.text, said.tokens, said.failure, said.reasoning, said.logprobs)


def _finished(prompt: str, said: Said) -> Reply:
    """The prompt with the end that the model wrote, whether or not it began it anew, and its answer below."""
    rest, _, answer = said.text.strip("\n").rpartition("\n")
    failure = said.failure or ("" if rest else "no answer below its prompt")
    whole = rest if rest.startswith(prompt) else prompt + rest
    return Reply(whole.rstrip("\n"), answer.strip(), said.tokens, failure, said.reasoning)
