"""A model behind a server that speaks the OpenAI API, as most do: paid or your own, as a teacher or a judge."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

from selfsown.journal import Journal
from selfsown.kinds import Count, Natural, Positive
from selfsown.models import Reply
from selfsown.models.endpoint.batch import Batches
from selfsown.models.endpoint.client import client
from selfsown.models.endpoint.exchange import Ask, Exchange, Line
from selfsown.models.endpoint.styles import PATHS, Said, headed, heard, settings, worded
from selfsown.records import Row, SelfsownError

CHARACTERS = 4  # of a token, about: for the limit a minute, before the server has counted


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model by its address. What it answers is in the journal before it is read, and is never asked for twice.

    limits: how many requests at once, and how many requests and tokens a minute (0: no limit).
    batch: the most requests of one batch (0: each goes alone, and at once).
    """

    url: str
    name: str
    style: str
    key: str
    system: str
    extra: Mapping[str, Any]
    timeout: float
    retries: int
    limits: tuple[int, int, int]
    batch: int
    journal: Journal | None

    @property
    def chunk(self) -> int:
        """How many rows it likes to be asked for at once; 0: any."""
        return self.batch

    @property
    def at_once(self) -> int:
        return self.limits[0]

    def __post_init__(self) -> None:
        _check(self.url)
        _secret(self.key)

    def complete(
        self,
        prompts: Sequence[str],
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
        draws = Counter[str]()
        asks: list[list[Ask]] = []
        for prompt in prompts:
            numbers = range(draws[prompt], draws[prompt] + n) if temperature else [0] * n
            draws[prompt] += n
            asks.append([self._ask(prompt, temperature, seed, draw, max_tokens) for draw in numbers])
        said = self._said({ask.key: ask for these in asks for ask in these})
        reply = _finished if unfinished else _answered
        return [[reply(prompt, said[ask.key]) for ask in these] for prompt, these in zip(prompts, asks, strict=True)]

    def bits(self, rows: Sequence[Row]) -> NoReturn:
        raise SelfsownError(f"{self.name} at {self.url} cannot be looked into: it may teach or judge, but not learn")

    def _ask(self, prompt: str, temperature: float, seed: int, draw: int, max_tokens: int) -> Ask:
        """The request, under a key made of all that shapes it."""
        if not prompt and not self.system:
            raise SelfsownError(f"{self.name} is asked to write from nothing; say in system what it shall write")
        own = int.from_bytes(hashlib.sha256(f"{seed} {draw}".encode()).digest()[:4]) >> 1
        body = {"model": self.name, **worded(self.style, prompt, self.system)}
        body |= {**settings(self.style, temperature, own, max_tokens), **self.extra}
        text = json.dumps({name: value for name, value in body.items() if value is not None}, sort_keys=True)
        shaped = json.dumps([self.url, self.style, text, seed, draw])
        return Ask(hashlib.sha256(shaped.encode()).hexdigest(), text, (len(prompt) + len(self.system)) // CHARACTERS)

    def _said(self, asks: dict[str, Ask]) -> dict[str, Said]:
        """What the journal knows, and for the rest what the server says."""
        found: dict[str, Said] = {}
        for key, reply in (self.journal.read(list(asks)) if self.journal and asks else {}).items():
            try:
                found[key] = heard(self.style, reply)
            except ValueError:
                continue  # half a reply is none: it is asked for again
        left = [ask for key, ask in asks.items() if key not in found]
        if left:
            secret = _secret(self.key)
            line = Line(
                url=self.url.rstrip("/") + PATHS[self.style],
                style=self.style,
                headers=headed(self.style, secret),
                secret=secret,
                timeout=self.timeout,
                retries=self.retries,
                journal=self.journal,
            )
            if self.batch:
                return found | client().run(Batches(client(), line, self.batch, left, len(found)).all())
            gate = client().gate((self.url, self.name), *self.limits)
            found |= client().run(Exchange(client(), gate, line, left, len(found)).all())
        return found


def create(
    rows: Sequence[Row],
    seed: int,
    journal: Journal | None = None,
    *,
    url: str,
    model: str,
    key: str = "",
    style: Literal["chat", "completions"] = "chat",
    system: str = "",
    extra: dict[str, Any] | None = None,
    timeout: Positive = 600.0,
    retries: Count = 6,
    in_flight: Count = 64,
    requests_per_minute: Natural = 0,
    tokens_per_minute: Natural = 0,
    batch: Natural = 0,
) -> Endpoint:
    """The model of this name at a url such as http://localhost:8000/v1.

    key: the environment variable, or the file, that holds the key. extra: further fields of each request; one
    that is null is left out.
    """
    return Endpoint(
        url=url,
        name=model,
        style=style,
        key=key,
        system=system,
        extra=extra or {},
        timeout=timeout,
        retries=retries,
        limits=(in_flight, requests_per_minute, tokens_per_minute),
        batch=batch,
        journal=journal,
    )


def load(folder: Path) -> NoReturn:
    raise SelfsownError("an endpoint cannot be trained; let it teach or judge, and take another student")


def _answered(prompt: str, said: Said) -> Reply:
    return Reply(prompt, said.text, said.tokens, said.failure)


def _finished(prompt: str, said: Said) -> Reply:
    """The prompt with the end that the model wrote, whether or not it began it anew, and its answer below."""
    rest, _, answer = said.text.strip("\n").rpartition("\n")
    failure = said.failure or ("" if rest else "no answer below its prompt")
    whole = rest if rest.startswith(prompt) else prompt + rest
    return Reply(whole.rstrip("\n"), answer.strip(), said.tokens, failure)


def _check(url: str) -> None:
    try:
        found = urlsplit(url)
        good = found.scheme in ("http", "https") and bool(found.hostname) and (found.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise SelfsownError("url is no address; write one such as http://localhost:8000/v1")
    if "@" in found.netloc or found.query or found.fragment:
        words = f"url for {found.hostname} holds more than an address; write it up to the path"
        raise SelfsownError(f"{words}, and name the key's variable by key")


def _secret(key: str) -> str:
    """What stands in the environment variable or the file, read anew each time and shown to nobody."""
    if not key:
        return ""
    found = os.environ.get(key, "")
    try:
        if not found and Path(key).is_file():
            found = Path(key).read_text(encoding="utf-8")
    except (OSError, ValueError):  # no such file, or one that cannot be read
        found = ""
    found = found.strip()
    if found.isascii() and found.isprintable() and found:
        return found
    name = f"{key} is" if re.fullmatch(r"[A-Z]+(_[A-Z0-9]+){1,6}", key) else "it is"  # it may be the key itself
    raise SelfsownError(
        f"key: {name} no environment variable that is set, and no file with a key in it; "
        "write the variable's name, such as OPENAI_API_KEY, and never the key itself"
    )
