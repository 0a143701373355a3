"""Token counts of a reply, as its server reports them; missing and implausible counts are unknown."""

from __future__ import annotations

from collections.abc import Mapping

from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

MAX_PLAUSIBLE_TOKENS = 10**9  # of a reply


def parse_usage(style: str, usage: object, *, wrote: bool) -> TokenUsage:
    """The counts in the `usage` of a reply; input tokens include those read from, or written to, a prompt cache.

    wrote: whether the reply has text, so that a count of 0 output tokens is wrong; no request has 0 input tokens.
    """
    if not isinstance(usage, Mapping):
        return UNKNOWN_USAGE
    input_tokens, details = _count(usage, "prompt_tokens", "input_tokens"), usage.get("prompt_tokens_details")
    cached, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
    if style == "messages":
        cached, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
        input_tokens = None if input_tokens is None else input_tokens + (cached or 0) + (written or 0)
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    output = _count(usage, "completion_tokens", "output_tokens")
    return TokenUsage(input_tokens or None, output or (None if wrote else output), reasoning, cached, written)


def _count(usage: object, *names: str) -> int | None:
    if not isinstance(usage, Mapping):
        return None
    for name in names:
        count = usage.get(name)
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < MAX_PLAUSIBLE_TOKENS:
            return count
    return None
