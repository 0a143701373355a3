"""The batch formats of both providers: what is sent, the status of a batch, and the lines of its results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from selfsown.models import Json, JsonObject
from selfsown.models.endpoint.error_bodies import parse_error
from selfsown.models.endpoint.error_causes import is_account_error
from selfsown.models.endpoint.errors import RequestError, error_of_response

Bodies = Callable[[str], str]  # of the request under this key; "" where it is not ours
_LIMIT = re.compile(r"\b413\b|limit|exceed|too (large|many|big)|too_large", re.IGNORECASE)
_QUEUE = re.compile(r"enqueued|token_limit_exceeded", re.IGNORECASE)


@dataclass(frozen=True)
class BatchStatus:
    """The status of a batch.

    total, answered: requests. names: by which it may be recognized. failure: why it was rejected as a whole.
    result_paths: of the files with its results, below the base URL.
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
    """A line of the results: the reply to the request under this key, or its error."""

    key: str
    reply: str = ""
    error: RequestError | None = None


class OpenAIBatchFormat:
    """OpenAI's format, which others use too: a file of requests is uploaded; replies and errors are a file each."""

    max_requests, max_bytes = 50_000, 200_000_000  # of one file, from OpenAI's API reference
    uploads = True
    path, cursor_param = "/batches", "after"
    frame = ("", "\n", "\n")

    def __init__(self, target: str) -> None:
        self.target = target

    def request_line(self, key: str, body: str) -> str:
        return f'{{"custom_id": "{key}", "method": "POST", "url": "{self.target}", "body": {body}}}'

    def create_body(self, name: str, file: str) -> JsonObject:
        body = {"input_file_id": file, "endpoint": self.target, "completion_window": "24h"}
        return {**body, "metadata": {"selfsown": name}}

    def parse_status(self, tree: Mapping[str, Json]) -> BatchStatus:
        counts, state = tree.get("request_counts") or {}, tree["status"]
        files = [tree.get("output_file_id"), tree.get("error_file_id")]
        return BatchStatus(
            id=str(tree["id"]),
            total=int(counts.get("total") or 0),
            answered=int(counts.get("completed") or 0),
            is_ended=state in ("completed", "failed", "expired", "cancelled"),
            names=((tree.get("metadata") or {}).get("selfsown", ""), tree.get("input_file_id", "")),
            cancelled=state == "cancelled",
            failure=_failure(tree) if state == "failed" else "",
            result_paths=tuple(f"/files/{quote(file, safe='')}/content" for file in files if file),
        )

    def parse_result(self, tree: Mapping[str, Json], body_of: Bodies) -> ResultLine:
        key, response, error = str(tree["custom_id"]), tree.get("response"), tree.get("error")
        if not response or "status_code" not in response:
            reason = error.get("message") or error.get("code") if isinstance(error, dict) else error
            return ResultLine(key, error=RequestError(f"the batch has no answer to it ({reason or 'no reason given'})"))
        return _result(key, int(response["status_code"]), json.dumps(response.get("body")), body_of(key))


class AnthropicBatchFormat:
    """Anthropic's format: the requests are the batch. It has no name, so it is recognized by its results."""

    max_requests, max_bytes = 100_000, 256_000_000  # of one batch, from Anthropic's guide
    uploads = False
    path, cursor_param = "/messages/batches", "after_id"
    frame = ('{"requests": [', ",\n", "]}")

    def request_line(self, key: str, body: str) -> str:
        return f'{{"custom_id": "{key}", "params": {body}}}'

    def parse_status(self, tree: Mapping[str, Json]) -> BatchStatus:
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

    def parse_result(self, tree: Mapping[str, Json], body_of: Bodies) -> ResultLine:
        key, result = str(tree["custom_id"]), tree["result"]
        if result["type"] == "succeeded":
            return ResultLine(key, json.dumps(result["message"]))
        if result["type"] != "errored":
            return ResultLine(key, error=RequestError(f"the batch has no answer to it ({result['type']})"))
        error = result["error"].get("error", result["error"])
        text = json.dumps({"error": error})
        return _result(key, parse_error(text).status or 500, text, body_of(key))


def is_size_limit(reason: str) -> bool:
    """Whether a batch was rejected for its size: a smaller one may be accepted."""
    return bool(_LIMIT.search(reason)) and not is_account_error(reason)


def is_queue_limit(reason: str) -> bool:
    """Whether other batches fill the provider's queue."""
    return bool(_QUEUE.search(reason))


def _result(key: str, status: int, text: str, request: str) -> ResultLine:
    if status // 100 == 2:
        return ResultLine(key, text)
    return ResultLine(key, error=error_of_response(status, {}, text, request))


def _failure(tree: Mapping[str, Json]) -> str:
    """The first error of a batch that was rejected."""
    errors = (tree.get("errors") or {}).get("data") or [{}]
    parts = [str(errors[0][name]) for name in ("code", "message") if errors[0].get(name)]
    line = f" (line {errors[0]['line']})" if errors[0].get("line") else ""
    return (": ".join(parts) or "no reason given") + line
