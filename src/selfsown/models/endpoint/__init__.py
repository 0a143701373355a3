"""A model behind a server that speaks the OpenAI API, as most do: paid or your own, as a teacher or a judge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from selfsown.kinds import Count, Natural, Positive
from selfsown.models import Reply
from selfsown.models.endpoint.account import Account, host, price_at, room
from selfsown.models.endpoint.address import check, secret_of
from selfsown.models.endpoint.ask import Ask, Line
from selfsown.models.endpoint.batch import Batches
from selfsown.models.endpoint.client import client
from selfsown.models.endpoint.exchange import Exchange
from selfsown.models.endpoint.styles import PATHS, Said, headed, heard, settings, worded
from selfsown.models.endpoint.wishes import Manner, Wishes
from selfsown.paid.journal import Journal
from selfsown.paid.prices import Price, Told
from selfsown.records import Row, SelfsownError
from selfsown.text.talk import Prompt, characters

_json = json.JSONEncoder(sort_keys=True).encode
CHARACTERS = 4  # of a token, about: for the limit a minute, before the server has counted


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model by its address. What it answers is in the journal before it is read, and is never asked for twice.

    price: None where it is not known; role and stage: what the ledger charges its requests to.
    """

    url: str
    name: str
    style: str
    key: str
    system: str
    wishes: Wishes
    extra: Mapping[str, Any]
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

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        n: int = 1,
        temperature: float = 1.0,
        seed: int = 0,
        max_tokens: int = 0,
        unfinished: bool = False,
        schema: Mapping[str, Any] | None = None,
    ) -> list[list[Reply]]:
        """As `selfsown.models.Model` says. Each draw is a request of its own, with a seed of its own; at
        temperature 0 all draws are one. Where the prompt is only begun, the last line is the answer."""
        asks = self.asks(prompts, n=n, temperature=temperature, seed=seed, max_tokens=max_tokens, schema=schema)
        said = self._said({ask.key: ask for these in asks for ask in these}, json.dumps(schema))
        return self.replies(prompts, asks, said, unfinished)

    def asks(
        self,
        prompts: Sequence[Prompt],
        *,
        n: int,
        temperature: float,
        seed: int,
        max_tokens: int = 0,
        schema: Mapping[str, Any] | None = None,
    ) -> list[list[Ask]]:
        """The requests of such a call: for each prompt its draws."""
        draws = Counter[Prompt]()
        asks: list[list[Ask]] = []
        for prompt in prompts:
            numbers = range(draws[prompt], draws[prompt] + n) if temperature else [0] * n
            draws[prompt] += n
            asks.append([self._ask(prompt, temperature, seed, draw, max_tokens, schema) for draw in numbers])
        return asks

    def known(self, keys: Sequence[str]) -> dict[str, Said]:
        """What the journal has heard to these requests."""
        found: dict[str, Said] = {}
        for key, reply in (self.journal.read(keys) if self.journal and keys else {}).items():
            try:
                found[key] = heard(self.style, reply)
            except ValueError:
                continue  # half a reply is none: it is asked for again
        return found

    def replies(
        self, prompts: Sequence[Prompt], asks: Sequence[Sequence[Ask]], said: Mapping[str, Said], unfinished: bool
    ) -> list[list[Reply]]:
        """What was said to these requests, prompt by prompt."""
        reply = _finished if unfinished else _answered
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

    def _ask(
        self,
        prompt: Prompt,
        temperature: float,
        seed: int,
        draw: int,
        max_tokens: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Ask:
        """The request, under a key made of all that shapes it."""
        if not prompt and not self.system:
            raise SelfsownError(f"{self.name} is asked to write from nothing; say in system what it shall write")
        own = int.from_bytes(hashlib.sha256(f"{seed} {draw}".encode()).digest()[:4]) >> 1
        body = {"model": self.name, **worded(self.style, prompt, self.system), **self.wishes.fields(self.style)}
        body |= {**settings(self.style, temperature, own, max_tokens or self.wishes.max_tokens), **self.extra}
        form = {name: value for name, value in self.wishes.form(self.style, schema).items() if name not in body}
        body = {name: value for name, value in body.items() if value is not None}
        free = _json(body)
        text = f"{free[:-1]}, {json.dumps(form)[1:]}" if form else free  # a reply keeps to the schema's own order
        shaped = f"{self.url}\n{self.style}\n{seed} {draw}\n{text}"
        asked = (characters(prompt) + len(self.system)) // CHARACTERS
        return Ask(hashlib.sha256(shaped.encode()).hexdigest(), text, free, asked, room(body))

    def _said(self, asks: dict[str, Ask], schema: str) -> dict[str, Said]:
        """What the journal knows, and for the rest what the server says."""
        found = self.known(list(asks))
        left = [ask for key, ask in asks.items() if key not in found]
        if left:
            secret = secret_of(self.key)
            line = Line(
                url=self.url.rstrip("/") + PATHS[self.style],
                style=self.style,
                headers=headed(self.style, secret),
                secret=secret,
                timeout=self.manner.timeout,
                retries=self.manner.retries,
                journal=self.journal,
                account=Account(self.role, self.stage, self.name, host(self.url), self.price),
                form=(self.url, self.name, schema),
            )
            if self.manner.batch:
                work = Batches(client(), line, self.manner.batch, left, len(found)).all()
            else:
                gate = client().gate((self.url, self.name), self.manner.in_flight, *self.manner.a_minute)
                work = Exchange(client(), gate, line, left, len(found) + gate.replies).all()
            found |= client().run(work, self.journal)
        return found


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
    timeout: Positive = 600.0,
    retries: Count = 6,
    in_flight: Count = 64,
    requests_per_minute: Natural = 0,
    tokens_per_minute: Natural = 0,
    price: Told | None = None,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name at a url such as http://localhost:8000/v1. key: the environment variable, or the file,
    that holds the key. extra: further fields of each request; one that is null is left out. price: dollars for a
    million tokens, where our table does not know them."""
    return Endpoint(
        url=url,
        name=model,
        style=style,
        key=key,
        system=system,
        wishes=Wishes(stop, max_tokens, logprobs, json),
        extra=extra or {},
        manner=Manner(timeout, retries, in_flight, requests_per_minute, tokens_per_minute, batch),
        journal=journal,
        price=price_at(url, model, price, extra or {}),
        role=role,
    )


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
