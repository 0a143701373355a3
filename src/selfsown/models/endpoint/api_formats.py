"""The fields of requests and replies in each API."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from selfsown.models import Json, JsonObject
from selfsown.models.endpoint import messages
from selfsown.models.endpoint.called_tools import called_tools
from selfsown.models.endpoint.error_bodies import has_error
from selfsown.models.endpoint.errors import RequestError, error_in_body
from selfsown.models.endpoint.finish_reasons import failure_of, is_transient
from selfsown.models.endpoint.token_usage import MAX_PLAUSIBLE_TOKENS, parse_usage
from selfsown.text.chat import Conversation, Message, Prompt
from selfsown.text.reasoning import without_reasoning
from selfsown.usage.prices import UNKNOWN_USAGE, TokenUsage

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
DEFAULT_MAX_TOKENS = 4096  # where the API requires a limit and the caller sets none


@dataclass(frozen=True)
class ParsedReply:
    """A parsed reply; failure: why it is not an answer. Tokens are the server's count, 0 where it gives none.

    reasoning: the text before the answer, which is not part of it. logprobs: the answer's tokens, each with its
    natural-log probability. usage: all token counts of the server. calls: tools that it calls.
    """

    text: str
    output_tokens: int = 0
    input_tokens: int = 0
    failure: str = ""
    usage: TokenUsage = UNKNOWN_USAGE
    reasoning: str = ""
    logprobs: tuple[tuple[str, float], ...] = ()
    calls: tuple[Message, ...] = ()


def prompt_fields(style: str, prompt: Prompt, system: str) -> JsonObject:
    """The fields of a request for the prompt. Without a prompt, the system message is sent as the prompt."""
    if isinstance(prompt, Conversation):
        return messages.conversation_fields(style, prompt, system)
    if style == "completions":
        return {"prompt": system + prompt}
    before = system if prompt else ""
    user = [{"role": "user", "content": prompt or system}]
    if style == "messages":
        return {"messages": user} | ({"system": before} if before else {})
    return {"messages": [{"role": "system", "content": before}] * bool(before) + user}


def sampling_fields(style: str, temperature: float, seed: int, max_tokens: int) -> JsonObject:
    """The fields of a request for sampling."""
    if style == "messages":
        return {"temperature": min(temperature, 1.0), "max_tokens": max_tokens or DEFAULT_MAX_TOKENS}
    return {"temperature": temperature, "seed": seed} | ({"max_tokens": max_tokens} if max_tokens else {})


def request_headers(style: str, secret: str, own: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request. The user's own headers replace ours, ignoring case."""
    headers = {"Content-Type": "application/json"}
    if style == "messages":
        headers |= {"anthropic-version": "2023-06-01"} | ({"x-api-key": secret} if secret else {})
    elif secret:
        headers["Authorization"] = f"Bearer {secret}"
    named = {name.lower() for name in own}
    return {name: value for name, value in headers.items() if name.lower() not in named} | dict(own)


def parse_reply(style: str, reply: str, accepted: Collection[str] = (), request: str = "") -> ParsedReply:
    """The parsed reply, of its first choice. Raises RequestError where it holds no answer.

    accepted: further finish reasons of a complete reply, normalized. request: the body of the request.
    """
    try:
        return _parse_tree(style, _tree(style, reply, request), accepted)
    except ValueError as error:
        raise RequestError(f"the reply cannot be read: {error}", "unreadable") from error


def _parse_tree(style: str, tree: Mapping[str, Json], accepted: Collection[str]) -> ParsedReply:
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
    logprobs = _logprobs(
        chosen.get("logprobs"), start, end_of_text if end_of_text < len(whole) else MAX_PLAUSIBLE_TOKENS
    )
    calls, read = called_tools(message), took.input_tokens or 0
    return ParsedReply(_whole(text), tokens, read, failure, took, _whole(reasoning), logprobs, calls)


def _tree(style: str, reply: str, request: str) -> Mapping[str, Json]:
    """The reply as a JSON object. Raises ValueError where it is not one, and RequestError where it is an error."""
    try:
        tree = json.loads(reply)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    if not isinstance(tree, dict):
        raise ValueError("it is not a JSON object")
    if has_error(tree, empty=not tree.get("content" if style == "messages" else "choices")):
        raise error_in_body(reply, request)
    return tree


def _broken(end: Json, error: Json, took: TokenUsage) -> RequestError:
    """The error of a reply that the server interrupted; an error in it is more precise than its finish reason."""
    if error:
        fault = error_in_body(json.dumps({"error": error}))
        fault.outcome = "unreadable"
    else:
        fault = RequestError(failure_of(end), "unreadable")
    fault.usage = took
    return fault


def _empty(message: Mapping[str, Json], reasoning: str) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        return "it calls a tool, and there are no tools here"
    return "no answer after its reasoning" if reasoning else "an empty answer"


def _chosen(tree: Mapping[str, Json]) -> Mapping[str, Json]:
    choices = tree.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("it has no choices")
    return choices[0]


def _message(style: str, chosen: Mapping[str, Json]) -> Mapping[str, Json]:
    """The message with the content, and perhaps reasoning and a refusal."""
    if style == "messages":
        if not isinstance(chosen.get("content"), list):
            raise ValueError("it has no content")
        return {"content": chosen["content"]}
    if style == "completions":
        if not isinstance(chosen.get("text"), str):
            raise ValueError("its choice has no text")
        return {"content": chosen["text"]}
    message = chosen.get("message")
    if not isinstance(message, dict):
        raise ValueError("its choice has no message")
    return message


def _joined(content: Json, name: str = "text") -> str:
    """A text, or the joined texts of this name among its parts, or among their parts."""
    if isinstance(content, str):
        return content if name == "text" else ""
    parts: list[Json] = []
    for part in _parts(content, name):
        parts += [part] if isinstance(part, str) else _parts(part, "text")
    return "".join(part for part in parts if isinstance(part, str))


def _parts(content: Json, name: str) -> list[Json]:
    return [part.get(name) for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _logprobs(logprobs: Json, start: int, stop: int) -> tuple[tuple[str, float], ...]:
    """Each token between these two characters with its log probability; empty where some cannot be read."""
    logprobs = logprobs if isinstance(logprobs, dict) else {}
    tokens, values = (_parts(logprobs.get("content"), name) for name in ("token", "logprob"))
    if not tokens and isinstance(logprobs.get("tokens"), list) and isinstance(logprobs.get("token_logprobs"), list):
        tokens, values = logprobs["tokens"], logprobs["token_logprobs"]
    pairs, position = list[tuple[str, float]](), 0
    for token, logprob in zip(tokens, values, strict=False):
        if not isinstance(token, str) or not isinstance(logprob, int | float) or not logprob < MAX_PLAUSIBLE_TOKENS:
            return ()
        if start <= position < stop:
            pairs.append((_whole(token), float(max(logprob, -MAX_PLAUSIBLE_TOKENS))))
        position += len(token)
    return tuple(pairs)


def _whole(text: str) -> str:
    """The text with lone surrogates replaced, which cannot be encoded."""
    return text.encode("utf-8", "replace").decode()
