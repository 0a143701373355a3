"""One request, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

from selfsown.models.endpoint.api_formats import PATHS, ParsedReply, parse_reply
from selfsown.models.endpoint.billing import Account
from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.masking import mask_secret
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal


@dataclass(frozen=True)
class Connection:
    """Where requests go and how. The secrets are in the headers, and are never shown. base: where the API's own paths
    begin; accepted: further reasons that a whole reply ends with."""

    base_url: str
    style: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout: float
    retries: int
    journal: Journal | None
    account: Account
    schema_key: object = None
    accepted_finish_reasons: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Where each request goes."""
        return join_url(self.base_url, PATHS[self.style])

    def mask_secrets(self, text: str) -> str:
        """The text without the secrets."""
        return reduce(mask_secret, self.secrets, text)

    def stop_error(self, words: str, answers: int = 0) -> SelfsownError:
        """The end of a run; answers: how many replies are kept all the same."""
        kept = "; what it answered is kept, and the same command goes on later" if self.journal and answers else ""
        return SelfsownError(f"{self.url} {words}{kept}")

    def parse_reply(self, reply: str, asked: str = "") -> ParsedReply:
        """What a reply says. Raises Fault where it says nothing that counts."""
        return parse_reply(self.style, reply, self.accepted_finish_reasons, asked)


@dataclass
class Request:
    """One request: its key, its body, a guess at its tokens, the most of its reply (0: not said), and how often it
    went wrong. free: the body without the schema that the reply is to keep to, for servers that take none.
    """

    key: str
    body: str
    body_without_schema: str
    input_tokens: int
    max_reply_tokens: int = 0
    attempts: int = 0
    busy_replies: int = 0
    sent_at: float = 0.0
    schema_rejected: bool = False  # whether it was declined for its schema
