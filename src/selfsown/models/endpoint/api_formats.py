"""How each API words a request and a reply."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from selfsown.models.endpoint import messages
from selfsown.models.endpoint.error_bodies import has_error
from selfsown.models.endpoint.errors import RequestError, error_in_body
from selfsown.models.endpoint.finish_reasons import failure_of, is_transient
from selfsown.models.endpoint.token_usage import MAX_PLAUSIBLE_TOKENS, parse_usage
from selfsown.text.chat import Conversation, Prompt
from selfsown.text.reasoning import without_reasoning
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
DEFAULT_MAX_TOKENS = 4096  # tokens of a reply, where the API demands a number and the caller names none


@dataclass(frozen=True)
class ParsedReply:
    """What a reply says; failure: why it is no answer. Tokens are the server's own count, 0 where it gives none.

    reasoning: what was thought before the answer, and is no part of it; logprobs: the answer's tokens, each with the
    natural logarithm of its probability. used: all tokens that the server counted.
    """

    text: str
    output_tokens: int = 0
    input_tokens: int = 0
    failure: str = ""
    usage: TokenUsage = UNKNOWN_USAGE
    reasoning: str = ""
    logprobs: tuple[tuple[str, float], ...] = ()


def prompt_fields(style: str, prompt: Prompt, system: str) -> dict[str, Any]:
    """The part of a request that says what is asked. Where there is no prompt, the system's words are it."""
    if isinstance(prompt, Conversation):
        return messages.conversation_fields(style, prompt, system)
    if style == "completions":
        return {"prompt": system + prompt}
    before = system if prompt else ""
    user = [{"role": "user", "content": prompt or system}]
    if style == "messages":
        return {"messages": user} | ({"system": before} if before else {})
    return {"messages": [{"role": "system", "content": before}] * bool(before) + user}


def sampling_fields(style: str, temperature: float, seed: int, max_tokens: int) -> dict[str, Any]:
    """The part of a request that says how the reply is to be drawn."""
    if style == "messages":
        return {"temperature": min(temperature, 1.0), "max_tokens": max_tokens or DEFAULT_MAX_TOKENS}
    return {"temperature": temperature, "seed": seed} | ({"max_tokens": max_tokens} if max_tokens else {})


def request_headers(style: str, secret: str, own: Mapping[str, str]) -> dict[str, str]:
    """The head of a request. The user's own headers stand in place of ours, whatever their case."""
    found = {"Content-Type": "application/json"}
    if style == "messages":
        found |= {"anthropic-version": "2023-06-01"} | ({"x-api-key": secret} if secret else {})
    elif secret:
        found["Authorization"] = f"Bearer {secret}"
    named = {name.lower() for name in own}
    return {name: value for name, value in found.items() if name.lower() not in named} | dict(own)


def parse_reply(style: str, reply: str, accepted: Collection[str] = (), asked: str = "") -> ParsedReply:
    """What a reply says, its first choice if there are more. Raises Fault where it says nothing that counts.

    accepted: further reasons to end with which it is whole, plain; asked: the request.
    """
    try:
        return _heard(style, _tree(style, reply, asked), accepted)
    except ValueError as error:
        raise RequestError(f"the reply cannot be read: {error}", "unreadable") from error


def _heard(style: str, tree: Mapping[str, Any], accepted: Collection[str]) -> ParsedReply:
    chosen = tree if style == "messages" else _chosen(tree)
    message = _message(style, chosen)
    whole = _joined(message.get("content"))
    thought, text = without_reasoning(whole)
    reasoning = _joined(message.get("reasoning_content") or message.get("reasoning")) or thought
    reasoning = reasoning or _joined(message.get("content"), "thinking")
    end = chosen.get("stop_reason" if style == "messages" else "finish_reason")
    took = parse_usage(style, tree.get("usage"), wrote=bool(whole or reasoning))
    if is_transient(end, accepted) or chosen.get("error"):
        raise _broken(end, chosen.get("error"), took)
    refusal = "it refused" if end == "refusal" else str(message.get("refusal") or "")
    tokens = took.output_tokens or 0
    failure = f"refused: {refusal[:200]}" if refusal else failure_of(end, tokens, accepted)
    failure = failure or ("" if text.strip() else _empty(message, reasoning))
    start = whole.rfind(text)
    end_of_text = start + len(text)
    logprobs = _likely(chosen.get("logprobs"), start, end_of_text if end_of_text < len(whole) else MAX_PLAUSIBLE_TOKENS)
    return ParsedReply(_whole(text), tokens, took.input_tokens or 0, failure, took, _whole(reasoning), logprobs)


def _tree(style: str, reply: str, asked: str) -> Mapping[str, Any]:
    """The reply as an object. Raises ValueError where it is none, and Fault where it is an error."""
    try:
        tree = json.loads(reply)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(tree, dict):
        raise ValueError("it is no JSON object")
    if has_error(tree, empty=not tree.get("content" if style == "messages" else "choices")):
        raise error_in_body(reply, asked)
    return tree


def _broken(end: Any, error: Any, took: TokenUsage) -> RequestError:
    """A reply that the server broke off, whatever it holds; an error may say better than its end what came to pass."""
    if error:
        fault = error_in_body(json.dumps({"error": error}))
        fault.outcome = "unreadable"
    else:
        fault = RequestError(failure_of(end), "unreadable")
    fault.usage = took
    return fault


def _empty(message: Mapping[str, Any], reasoning: str) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        return "it calls a tool, and there are no tools here"
    return "no answer after its reasoning" if reasoning else "an empty answer"


def _chosen(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = tree.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("it holds no choices")
    return choices[0]


def _message(style: str, chosen: Mapping[str, Any]) -> Mapping[str, Any]:
    """What holds the content, and perhaps the reasoning and a refusal."""
    if style == "messages":
        if not isinstance(chosen.get("content"), list):
            raise ValueError("it holds no content")
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


def _likely(found: Any, start: int, stop: int) -> tuple[tuple[str, float], ...]:
    """Each token and its logarithm, between these two characters; nothing where some cannot be read."""
    found = found if isinstance(found, dict) else {}
    tokens, odds = (_parts(found.get("content"), name) for name in ("token", "logprob"))
    if not tokens and isinstance(found.get("tokens"), list) and isinstance(found.get("token_logprobs"), list):
        tokens, odds = found["tokens"], found["token_logprobs"]
    read, at = list[tuple[str, float]](), 0
    for token, likely in zip(tokens, odds, strict=False):
        if not isinstance(token, str) or not isinstance(likely, int | float) or not likely < MAX_PLAUSIBLE_TOKENS:
            return ()
        if start <= at < stop:
            read.append((_whole(token), float(max(likely, -MAX_PLAUSIBLE_TOKENS))))
        at += len(token)
    return tuple(read)


def _whole(text: str) -> str:
    """Half of a pair of surrogates cannot be written anywhere."""
    return text.encode("utf-8", "replace").decode()
