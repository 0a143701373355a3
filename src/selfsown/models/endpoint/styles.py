"""How each API words a request and a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfsown.models.endpoint import messages
from selfsown.paid.prices import NOT_TOLD, Used
from selfsown.text.talk import Conversation, Prompt

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
ROOM = 4096  # tokens of a reply, where the API demands a number and the caller names none

MOST = 10**9  # tokens of a reply that can be believed


@dataclass(frozen=True)
class Said:
    """What a reply says; failure: why it is no answer. Tokens are the server's own count, 0 where it gives none.

    reasoning: what was thought before the answer, and is no part of it; logprobs: the answer's tokens, each with the
    natural logarithm of its probability. used: all tokens that the server counted.
    """

    text: str
    tokens: int = 0
    asked: int = 0
    failure: str = ""
    used: Used = NOT_TOLD
    reasoning: str = ""
    logprobs: tuple[tuple[str, float], ...] = ()


def worded(style: str, prompt: Prompt, system: str) -> dict[str, Any]:
    """The part of a request that says what is asked. Where there is no prompt, the system's words are it."""
    if isinstance(prompt, Conversation):
        return messages.worded(style, prompt, system)
    if style == "completions":
        return {"prompt": system + prompt}
    before = system if prompt else ""
    user = [{"role": "user", "content": prompt or system}]
    if style == "messages":
        return {"messages": user} | ({"system": before} if before else {})
    return {"messages": [{"role": "system", "content": before}] * bool(before) + user}


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
    chosen = tree if style == "messages" else _chosen(tree)
    message = _message(style, chosen)
    whole = _joined(message.get("content"))
    text, thought = _parted(whole)
    reasoning = _joined(message.get("reasoning_content") or message.get("reasoning")) or thought
    reasoning = reasoning or _joined(message.get("content"), "thinking")
    end = str(chosen.get("stop_reason" if style == "messages" else "finish_reason") or "")
    refusal = "it refused" if end == "refusal" else str(message.get("refusal") or "")
    usage = tree.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    used = _used(style, usage)
    tokens, asked = used.output or 0, used.input or 0
    logprobs = _likely(chosen.get("logprobs"), len(whole) - len(text))
    text = _whole(text)
    return Said(text, tokens, asked, _failure(text, end, refusal, tokens), used, _whole(reasoning), logprobs)


def _chosen(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = tree.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError(f"it holds no choices{_words(tree)}")
    return choices[0]


def _message(style: str, chosen: Mapping[str, Any]) -> Mapping[str, Any]:
    """What holds the content, and perhaps the reasoning and a refusal."""
    if style == "messages":
        if not isinstance(chosen.get("content"), list):
            raise ValueError(f"it holds no content{_words(chosen)}")
        return {"content": chosen["content"]}
    if style == "completions":
        if not isinstance(chosen.get("text"), str):
            raise ValueError("its choice holds no text")
        return {"content": chosen["text"]}
    message = chosen.get("message")
    if not isinstance(message, dict):
        raise ValueError("its choice holds no message")
    return message


def _joined(content: Any, name: str = "text") -> str:
    """A text, or the texts of this name among its parts, or among the parts of these."""
    if isinstance(content, str):
        return content if name == "text" else ""
    found: list[Any] = []
    for part in _parts(content, name):
        found += [part] if isinstance(part, str) else _parts(part, "text")
    return "".join(each for each in found if isinstance(each, str))


def _parts(content: Any, name: str) -> list[Any]:
    return [part.get(name) for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _parted(text: str) -> tuple[str, str]:
    """What is said, and what was thought before it; a thought that does not end is all there is."""
    if not text.lstrip().startswith("<think>"):
        return text, ""
    thought, _, said = text.lstrip().removeprefix("<think>").partition("</think>")
    return said.lstrip(), thought.strip()


def _likely(found: Any, before: int) -> tuple[tuple[str, float], ...]:
    """Each token and its logarithm, of what follows the first characters; nothing where some cannot be read."""
    found = found if isinstance(found, dict) else {}
    tokens, odds = (_parts(found.get("content"), name) for name in ("token", "logprob"))
    if not tokens and isinstance(found.get("tokens"), list) and isinstance(found.get("token_logprobs"), list):
        tokens, odds = found["tokens"], found["token_logprobs"]
    read: list[tuple[str, float]] = []
    for token, likely in zip(tokens, odds, strict=False):
        if not isinstance(token, str) or not isinstance(likely, int | float) or not likely < MOST:
            return ()
        if before <= 0:
            read.append((_whole(token), float(max(likely, -MOST))))
        before -= len(token)
    return tuple(read)


def _whole(text: str) -> str:
    """Half of a pair of surrogates cannot be written anywhere."""
    return text.encode("utf-8", "replace").decode()


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
    for name in names:
        count = usage.get(name)
        if isinstance(count, int) and 0 <= count < MOST:
            return count
    return None


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
