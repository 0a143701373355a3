"""How each API words a request and a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfsown.prices import NOT_TOLD, Used

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
ROOM = 4096  # tokens of a reply, where the API demands a number and the caller names none

MOST = 10**9  # tokens of a reply that can be believed


@dataclass(frozen=True)
class Said:
    """What a reply says; failure: why it is no answer. Tokens are the server's own count, 0 where it gives none.

    used: all that it counted.
    """

    text: str
    tokens: int = 0
    asked: int = 0
    failure: str = ""
    used: Used = NOT_TOLD


def worded(style: str, prompt: str, system: str) -> dict[str, Any]:
    """The part of a request that says what is asked. Where there is no prompt, the system's words are it."""
    if style == "completions":
        return {"prompt": system + prompt}
    before = system if prompt else ""
    messages = [{"role": "user", "content": prompt or system}]
    if style == "messages":
        return {"messages": messages} | ({"system": before} if before else {})
    return {"messages": [{"role": "system", "content": before}] * bool(before) + messages}


def settings(style: str, temperature: float, seed: int, max_tokens: int) -> dict[str, Any]:
    """The part of a request that says how the reply is to be drawn."""
    if style == "messages":
        return {"temperature": min(temperature, 1.0), "max_tokens": max_tokens or ROOM}
    return {"temperature": temperature, "seed": seed} | ({"max_tokens": max_tokens} if max_tokens else {})


def headed(style: str, secret: str) -> dict[str, str]:
    """The head of a request."""
    found = {"Content-Type": "application/json"}
    if style == "messages":
        found["anthropic-version"] = "2023-06-01"
        return found | ({"x-api-key": secret} if secret else {})
    return found | ({"Authorization": f"Bearer {secret}"} if secret else {})


def heard(style: str, reply: str) -> Said:
    """What a reply says, its first choice if there are more; ValueError where it is no reply at all."""
    try:
        tree = json.loads(reply)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(tree, dict):
        raise ValueError("it is no JSON object")
    if style == "messages":
        text, end, refusal = _of_message(tree)
    else:
        text, end, refusal = _of_choice(style, tree)
    usage = tree.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    used = _used(style, usage)
    tokens, asked = used.output or 0, used.input or 0
    text = text.encode("utf-8", "replace").decode()  # half of a pair of surrogates cannot be written anywhere
    return Said(text, tokens, asked, _failure(text, end, refusal, tokens), used)


def _of_choice(style: str, tree: Mapping[str, Any]) -> tuple[str, str, str]:
    choices = tree.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError(f"it holds no choices{_words(tree)}")
    choice, end = choices[0], str(choices[0].get("finish_reason") or "")
    if style == "completions":
        if not isinstance(choice.get("text"), str):
            raise ValueError("its choice holds no text")
        return choice["text"], end, ""
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ValueError("its choice holds no message")
    return _joined(message.get("content")), end, str(message.get("refusal") or "")


def _of_message(tree: Mapping[str, Any]) -> tuple[str, str, str]:
    if not isinstance(tree.get("content"), list):
        raise ValueError(f"it holds no content{_words(tree)}")
    end = str(tree.get("stop_reason") or "")
    return _joined(tree["content"]), end, "it refused" if end == "refusal" else ""


def _joined(content: Any) -> str:
    """A text, or the texts among its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _used(style: str, usage: Mapping[str, Any]) -> Used:
    """Anthropic's API counts what was read from its cache, or written to it, apart from the input."""
    asked, details = _count(usage, "prompt_tokens", "input_tokens"), usage.get("prompt_tokens_details")
    cached, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
    if style == "messages":
        cached, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
        asked = None if asked is None else asked + (cached or 0) + (written or 0)
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    return Used(asked, _count(usage, "completion_tokens", "output_tokens"), reasoning, cached, written)


def _count(usage: Any, *names: str) -> int | None:
    if not isinstance(usage, dict):
        return None
    counts = (usage.get(name) for name in names)
    return next((count for count in counts if isinstance(count, int) and 0 <= count < MOST), None)


def _failure(text: str, end: str, refusal: str, tokens: int) -> str:
    if refusal:
        return f"refused: {refusal[:200]}"
    if end == "content_filter":
        return "withheld by the server's content filter"
    if end in ("length", "max_tokens"):
        return f"cut off at its longest{f', {tokens} tokens' if tokens else ''}"
    return "" if text.strip() else "an empty answer"


def _words(tree: Mapping[str, Any]) -> str:
    """What an error says that came in a reply's place."""
    return f": {json.dumps(tree['error'])[:200]}" if tree.get("error") else ""
