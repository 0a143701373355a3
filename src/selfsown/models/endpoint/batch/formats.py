"""How each provider words a batch: what is sent, what it says of one, and the lines of its results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from selfsown.models.endpoint.error_bodies import parse_error
from selfsown.models.endpoint.error_causes import is_account_error
from selfsown.models.endpoint.errors import RequestError, error_of_response

Bodies = Callable[[str], str]  # of the request under this key; nothing, where it is not ours
_LIMIT = re.compile(r"\b413\b|limit|exceed|too (large|many|big)|too_large", re.IGNORECASE)
_QUEUE = re.compile(r"enqueued|token_limit_exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class BatchStatus:
    """What a server says of a batch.

    names: what it may be known by; failure: why it was refused as a whole; places: where its results are;
    answered: how many replies they hold.
    """

    id: str
    total: int
    answered: int
    is_ended: bool
    names: tuple[str, ...] = ()
    cancelled: bool = False
    failure: str = ""
    result_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResultLine:
    """A line of the results: the reply to this key, or what went wrong."""

    key: str
    reply: str = ""
    error: RequestError | None = None


class OpenAIBatchFormat:
    """OpenAI's way, which others speak too: a file of requests goes up; replies and errors come down in a file each."""

    most, room = 50_000, 200_000_000  # requests and bytes of one file, as OpenAI's reference says
    uploads = True
    path, older = "/batches", "after"
    frame = ("", "\n", "\n")

    def __init__(self, target: str) -> None:
        self.target = target

    def request_line(self, key: str, body: str) -> str:
        return f'{{"custom_id": "{key}", "method": "POST", "url": "{self.target}", "body": {body}}}'

    def create_body(self, name: str, file: str) -> dict[str, Any]:
        made = {"input_file_id": file, "endpoint": self.target, "completion_window": "24h"}
        return {**made, "metadata": {"selfsown": name}}

    def parse_status(self, tree: Mapping[str, Any]) -> BatchStatus:
        counts, state = tree.get("request_counts") or {}, tree["status"]
        ends = [tree.get("output_file_id"), tree.get("error_file_id")]
        return BatchStatus(
            id=str(tree["id"]),
            total=int(counts.get("total") or 0),
            answered=int(counts.get("completed") or 0),
            is_ended=state in ("completed", "failed", "expired", "cancelled"),
            names=((tree.get("metadata") or {}).get("selfsown", ""), tree.get("input_file_id", "")),
            cancelled=state == "cancelled",
            failure=_why(tree) if state == "failed" else "",
            result_paths=tuple(f"/files/{quote(end, safe='')}/content" for end in ends if end),
        )

    def parse_result(self, tree: Mapping[str, Any], asked: Bodies) -> ResultLine:
        key, response, error = str(tree["custom_id"]), tree.get("response"), tree.get("error")
        if not response or "status_code" not in response:
            words = error.get("message") or error.get("code") if isinstance(error, dict) else error
            return ResultLine(key, error=RequestError(f"the batch came to no answer ({words or 'it says nothing of it'})"))
        return _entry(key, int(response["status_code"]), json.dumps(response.get("body")), asked(key))


class AnthropicBatchFormat:
    """Anthropic's way: the requests are the batch. It takes no name, so that what it answers must tell whose it is."""

    most, room = 100_000, 256_000_000  # requests and bytes of one batch, as Anthropic's guide says
    uploads = False
    path, older = "/messages/batches", "after_id"
    frame = ('{"requests": [', ",\n", "]}")

    def request_line(self, key: str, body: str) -> str:
        return f'{{"custom_id": "{key}", "params": {body}}}'

    def parse_status(self, tree: Mapping[str, Any]) -> BatchStatus:
        name, counts = str(tree["id"]), tree.get("request_counts") or {}
        return BatchStatus(
            id=name,
            total=sum(counts.values()),
            answered=counts.get("succeeded", 0),
            is_ended=tree["processing_status"] == "ended",
            cancelled=counts.get("canceled", 0) > 0,
            # its results_url might lead the key elsewhere
            result_paths=(f"{self.path}/{quote(name, safe='')}/results",) if tree.get("results_url") else (),
        )

    def parse_result(self, tree: Mapping[str, Any], asked: Bodies) -> ResultLine:
        key, result = str(tree["custom_id"]), tree["result"]
        if result["type"] == "succeeded":
            return ResultLine(key, json.dumps(result["message"]))
        if result["type"] != "errored":
            return ResultLine(key, error=RequestError(f"the batch came to no answer ({result['type']})"))
        error = result["error"].get("error", result["error"])
        text = json.dumps({"error": error})
        return _entry(key, parse_error(text).status or 500, text, asked(key))


def is_size_limit(words: str) -> bool:
    """Whether a batch was refused for what it asks at once: a smaller one may be taken."""
    return bool(_LIMIT.search(words)) and not is_account_error(words)


def is_queue_limit(words: str) -> bool:
    """Whether others that wait before it are in its way."""
    return bool(_QUEUE.search(words))


def _entry(key: str, status: int, text: str, asked: str) -> ResultLine:
    return ResultLine(key, text) if status // 100 == 2 else ResultLine(key, error=error_of_response(status, {}, text, asked))


def _why(tree: Mapping[str, Any]) -> str:
    """The first of the errors that a batch was refused for."""
    errors = (tree.get("errors") or {}).get("data") or [{}]
    words = [str(errors[0][name]) for name in ("code", "message") if errors[0].get(name)]
    line = f" (line {errors[0]['line']})" if errors[0].get("line") else ""
    return (": ".join(words) or "it does not say why") + line
