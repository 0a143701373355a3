"""One request, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from selfsown.models.endpoint.api_formats import PATHS, Said, heard
from selfsown.models.endpoint.billing import Account
from selfsown.models.endpoint.credentials import at
from selfsown.models.endpoint.masking import masked
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal


@dataclass(frozen=True)
class Line:
    """Where requests go and how. The secrets are in the headers, and are never shown. base: where the API's own paths
    begin; accepted: further reasons that a whole reply ends with."""

    base: str
    style: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout: float
    retries: int
    journal: Journal | None
    account: Account
    form: object = None
    accepted: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Where each request goes."""
        return at(self.base, PATHS[self.style])

    def safe(self, text: str) -> str:
        """The text without the secrets."""
        return reduce(masked, self.secrets, text)

    def stopped(self, words: str, answers: int = 0) -> SelfsownError:
        """The end of a run; answers: how many replies are kept all the same."""
        kept = "; what it answered is kept, and the same command goes on later" if self.journal and answers else ""
        return SelfsownError(f"{self.url} {words}{kept}")

    def heard(self, reply: str, asked: str = "") -> Said:
        """What a reply says. Raises Fault where it says nothing that counts."""
        return heard(self.style, reply, self.accepted, asked)


@dataclass
class Ask:
    """One request: its key, its body, a guess at its tokens, the most of its reply (0: not said), and how often it
    went wrong. free: the body without the schema that the reply is to keep to, for servers that take none.
    """

    key: str
    body: str
    free: str
    tokens: int
    room: int = 0
    tries: int = 0
    refusals: int = 0
    began: float = 0.0
    formless: bool = False  # whether it was declined for its schema
