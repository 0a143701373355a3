"""One request, and the connection that it is sent over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from selfsown.errors import ModelError
from selfsown.models.endpoint.api_formats import PATHS, ParsedReply, parse_reply
from selfsown.models.endpoint.billing import Account
from selfsown.models.endpoint.credentials import join_url
from selfsown.models.endpoint.errors import GIVE_UP_SECONDS, RequestError
from selfsown.models.endpoint.masking import mask_secret
from selfsown.usage.journal import Journal


@dataclass(frozen=True)
class Connection:
    """Where requests go and how. The secrets are in the headers, and are never printed.

    base_url: up to where the API's own paths begin. timeout: seconds for one reply. retries: attempts per request.
    schema_key: the URL, model and schema, to remember that the server rejects the schema.
    accepted_finish_reasons: further finish reasons of a complete reply, normalized.
    """

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
        """The URL that each request is posted to."""
        return join_url(self.base_url, PATHS[self.style])

    def mask_secrets(self, text: str) -> str:
        """The text without the secrets."""
        return reduce(mask_secret, self.secrets, text)

    def stop_error(self, reason: str, answers: int = 0) -> ModelError:
        """The error that ends a run; answers: how many replies are stored."""
        kept = "; its replies are stored, and the same command continues later" if self.journal and answers else ""
        return ModelError(f"{self.url} {reason}{kept}")

    def give_up_error(self, error: RequestError, answers: int) -> ModelError:
        """The error that ends a run because the server is unreachable, busy for too long, or only fails."""
        kept = "its replies are stored, and " if self.journal and answers else ""
        wait = f", and to wait {error.retry_after:.0f} seconds" if error.retry_after > GIVE_UP_SECONDS else ""
        what = f"{error.reason}{wait}; {kept}the same command continues once the server works again"
        return ModelError(f"{self.url}: {what}")

    def first_error(self, errors: Sequence[RequestError]) -> ModelError:
        """The error that ends a run in which nothing was answered, and these requests failed."""
        fatal = [error.fatal_reason for error in errors if error.fatal_reason]
        return self.stop_error(fatal[-1]) if fatal else self.give_up_error(errors[-1], 0)

    def parse_reply(self, text: str, request: str = "") -> ParsedReply:
        """The parsed reply. Raises RequestError where it holds no answer."""
        return parse_reply(self.style, text, self.accepted_finish_reasons, request)


@dataclass
class Request:
    """One request and the state of its attempts.

    key: a hash of everything that shapes the reply. body_without_schema: the body for servers that reject the JSON
    schema. input_tokens: an estimate. max_reply_tokens: 0 where the request sets no limit. sent_at: in seconds of
    the monotonic clock. schema_rejected: whether it was declined for its schema.
    """

    key: str
    body: str
    body_without_schema: str
    input_tokens: int
    max_reply_tokens: int = 0
    attempts: int = 0
    busy_replies: int = 0
    sent_at: float = 0.0
    schema_rejected: bool = False
