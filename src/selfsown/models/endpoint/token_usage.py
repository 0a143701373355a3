"""The tokens that a reply took, as its server counted them; what it did not count, or cannot have been, is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

MAX_PLAUSIBLE_TOKENS = 10**9  # tokens of a reply that can be believed


def parse_usage(style: str, usage: Any, *, wrote: bool) -> TokenUsage:
    """Anthropic's API counts what was read from its cache, or written to it, apart from the input. wrote: whether the
    reply holds anything, so that 0 tokens of output are no count; no request has 0 tokens of input."""
    if not isinstance(usage, Mapping):
        return UNKNOWN_USAGE
    asked, details = _count(usage, "prompt_tokens", "input_tokens"), usage.get("prompt_tokens_details")
    cached, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
    if style == "messages":
        cached, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
        asked = None if asked is None else asked + (cached or 0) + (written or 0)
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    output = _count(usage, "completion_tokens", "output_tokens")
    return TokenUsage(asked or None, output or (None if wrote else output), reasoning, cached, written)


def _count(usage: Any, *names: str) -> int | None:
    if not isinstance(usage, Mapping):
        return None
    for name in names:
        count = usage.get(name)
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < MAX_PLAUSIBLE_TOKENS:
            return count
    return None
