"""Options of an endpoint: those that shape its replies, and those of the connection, which change no reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selfsown.models import Json, JsonObject
from selfsown.models.endpoint.finish_reasons import normalized


@dataclass(frozen=True)
class ReplyOptions:
    """Options that shape the replies.

    stop: strings that end a reply. max_tokens: where a call sets none (0: the server's own limit). logprobs: how many
    of the likeliest tokens are returned per position (0: no log probabilities). json: send JSON schemas to the server.
    finish_reasons: further finish reasons of a complete reply.
    """

    stop: tuple[str, ...] = ()
    max_tokens: int = 0
    logprobs: int = 0
    json: bool = True
    finish_reasons: tuple[str, ...] = ()

    @property
    def accepted_finish_reasons(self) -> frozenset[str]:
        return frozenset(map(normalized, self.finish_reasons))

    def request_fields(self, style: str) -> JsonObject:
        """The fields of a request for stop strings and log probabilities."""
        fields: JsonObject = {}
        if self.stop:
            fields["stop_sequences" if style == "messages" else "stop"] = list(self.stop)
        if self.logprobs and style == "chat":
            fields |= {"logprobs": True, "top_logprobs": self.logprobs}
        elif self.logprobs:
            fields["logprobs"] = self.logprobs
        return fields

    def schema_fields(self, style: str, schema: Mapping[str, Json] | None) -> JsonObject:
        """The fields of a request for a JSON schema; the completions API has none."""
        if not self.json or not schema or style == "completions":
            return {}
        if style == "messages":
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        named = {"name": "answer", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}


@dataclass(frozen=True)
class ConnectionOptions:
    """Options of the connection.

    timeout: seconds per reply. retries: attempts per request. max_in_flight: concurrent requests. requests_per_minute,
    tokens_per_minute: rate limits (0: none). batch_size: the most requests of one batch (0: no batches).
    """

    timeout: float
    retries: int
    max_in_flight: int
    requests_per_minute: int
    tokens_per_minute: int
    batch_size: int

    @property
    def rate_limits(self) -> tuple[int, int]:
        return self.requests_per_minute, self.tokens_per_minute
