"""One request, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfsown.models.endpoint.account import Account
from selfsown.models.endpoint.masked import masked
from selfsown.paid.journal import Journal


@dataclass(frozen=True)
class Line:
    """Where requests go and how. The secret is in the headers, and is never shown."""

    url: str
    style: str
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    timeout: float
    retries: int
    journal: Journal | None
    account: Account
    form: object = None

    def safe(self, text: str) -> str:
        """The text without the secret."""
        return masked(text, self.secret)


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
