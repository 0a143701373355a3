"""The JSON text of a response body: chunks of a stream are joined, and anything else is explained."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from selfsown.models import Json, JsonObject
from selfsown.models.endpoint.error_bodies import html_title
from selfsown.models.endpoint.errors import URL_HINT, RequestError

MAX_CHARS_SHOWN = 100  # of an unexpected body
_DONE = re.compile(r"^data: ?\[DONE\]\s*\Z", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*(\r\n|\r|\n|\Z)")
Tree = JsonObject


def reply_body(style: str, kind: str, body: str) -> str:
    """The JSON text of the reply in this body of content type `kind`. Raises RequestError where there is none."""
    text = body.lstrip("\ufeff \t\r\n")
    if not text:
        raise RequestError("the reply is empty", "unreadable")
    if "event-stream" in kind or "ndjson" in kind or text.startswith(("data:", "event:", ":")) or _DONE.search(text):
        return _joined(style, kind, text)
    if text[0] in '{["':  # JSON, or half of it
        return text
    if title := html_title(text):
        raise _strange(f"sent {title} and no reply of the API; {URL_HINT}")
    raise _strange(f"sent {kind or 'text'} and no JSON: {' '.join(text[:MAX_CHARS_SHOWN].split())!r}; {URL_HINT}")


def _strange(words: str) -> RequestError:
    """The error of an unexpected body: before the first answer, another attempt is pointless; later, it may come from a
    proxy."""
    error = RequestError(f"the server {words}", "unreadable")
    error.fatal_reason = words
    return error


def _joined(style: str, kind: str, text: str) -> str:
    chunks, done = _chunks(text)
    if error := next((chunk for chunk in chunks if chunk.get("error")), None):
        return json.dumps(error)
    if len(chunks) == 1 and _is_whole(chunks[0]):
        return json.dumps(chunks[0])
    tree = _message(chunks) if style == "messages" else _choice(chunks)
    if not tree:
        raise _strange(f"streams ({kind or 'no content type'}) an unknown format; try extra: {{stream: false}}")
    ended = tree["stop_reason"] if style == "messages" else tree["choices"][0]["finish_reason"]
    if not (done or ended):
        raise RequestError("the server's stream was interrupted", "unreadable")
    return json.dumps(tree)


def _chunks(text: str) -> tuple[list[Tree], bool]:
    """The objects of a stream of events, or of lines, in order, and whether it has an end mark."""
    chunks, position, kept, done = list[Tree](), 0, "", False
    while position < len(text):
        if text[position] == "{" and not kept:  # a whole object without the mark of an event
            value, position = _decoded(text, position)
        else:
            line = _LINE.match(text, position)
            assert line
            position, words = line.end(), line[0].strip("\r\n")
            done |= words.replace(" ", "") == "data:[DONE]"
            kept = f"{kept}\n{words[5:]}" if words.startswith("data:") else kept if words else ""
            value, _ = _decoded(kept.strip(), 0)
        if isinstance(value, dict):
            chunks.append(value)
            kept = ""
    return chunks, done


def _decoded(text: str, start: int) -> tuple[Json, int]:
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, len(text)


def _is_whole(chunk: Tree) -> bool:
    """Whether this is a complete reply of a request without a stream."""
    choices = chunk.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return "message" in choices[0]
    return isinstance(chunk.get("content"), list)


def _choice(chunks: Sequence[Tree]) -> Tree:
    """The reply of a chat or a completion: the joined chunks of its first choice."""
    message, text, more, usage = Tree(), "", Tree(finish_reason=None), None
    has_choice = False
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if not isinstance(choice, dict) or choice.get("index"):
                continue
            has_choice = True
            delta = choice.get("delta") or choice.get("message")
            if isinstance(delta, dict):
                message = _grown(message, {name: value for name, value in delta.items() if name != "role"})
            text += choice["text"] if isinstance(choice.get("text"), str) else ""
            more["finish_reason"] = choice.get("finish_reason") or more["finish_reason"]
            more["error"] = choice.get("error") or more.get("error")
            more["logprobs"] = _grown(more.get("logprobs"), choice.get("logprobs"))
    choice = {**more, "message": {"content": "", **message}, "text": text}
    return {"choices": [choice], "usage": usage} if has_choice else {}


def _message(chunks: Sequence[Tree]) -> Tree:
    """The reply of the Messages API, whose chunks are numbered by part."""
    parts, usage, end = dict[Json, Tree](), Tree(), None
    for chunk in chunks:
        started, block, delta = (
            value if isinstance(value, dict) else {}
            for value in (chunk.get("message"), chunk.get("content_block"), chunk.get("delta"))
        )
        for counts in (started.get("usage"), chunk.get("usage")):
            usage |= counts if isinstance(counts, dict) else {}
        end = delta.get("stop_reason") or end
        if "index" in chunk:
            known = ("text", "thinking")
            growth = block or {name: value for name, value in delta.items() if name in known}
            parts[str(chunk["index"])] = _grown(parts.get(str(chunk["index"]), {}), growth)
    has_message = parts or usage
    return {"content": list(parts.values()), "stop_reason": end, "usage": usage} if has_message else {}


def _grown(old: Json, new: Json) -> Json:
    """The old value with the new chunk appended."""
    if not old or not new:
        return new or old
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _grown(old.get(name), value) for name, value in new.items()}}
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    if isinstance(old, str | list) and isinstance(new, str | list):
        return _parts(old) + _parts(new)
    return new


def _parts(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
