"""What is wished of replies beyond their words, and in which manner they are asked for, which changes none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfsown.models.endpoint.finish_reasons import normalized


@dataclass(frozen=True)
class ReplyOptions:
    """stop: texts before which a reply ends; max_tokens: where a call names none (0: the server's own limit).

    logprobs: how many of the likeliest tokens are told for each (0: no probabilities at all). json: whether the
    server is told of the schema that a reply is to keep to. finish_reasons: further ends of a whole reply.
    """

    stop: tuple[str, ...] = ()
    max_tokens: int = 0
    logprobs: int = 0
    json: bool = True
    finish_reasons: tuple[str, ...] = ()

    @property
    def accepted_finish_reasons(self) -> frozenset[str]:
        return frozenset(map(normalized, self.finish_reasons))

    def request_fields(self, style: str) -> dict[str, Any]:
        """The part of a request that says where a reply ends, and that its probabilities are wanted."""
        found: dict[str, Any] = {}
        if self.stop:
            found["stop_sequences" if style == "messages" else "stop"] = list(self.stop)
        if self.logprobs and style == "chat":
            found |= {"logprobs": True, "top_logprobs": self.logprobs}
        elif self.logprobs:
            found["logprobs"] = self.logprobs
        return found

    def schema_fields(self, style: str, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        """The part of a request that holds the server to a schema; completions know none."""
        if not self.json or not schema or style == "completions":
            return {}
        if style == "messages":
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        named = {"name": "answer", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}


@dataclass(frozen=True)
class ConnectionOptions:
    """timeout: seconds for a reply; retries: how often a request may go wrong; in_flight: the most at once.

    requests and tokens a minute: 0 is no limit. batch: the most requests of one batch (0: each goes alone, at once).
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
