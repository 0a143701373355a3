"""Rows of NeMo Gym and the resources server that verifies them, over its HTTP protocol.

A row is `responses_create_params` (input and tools in the form of OpenAI's Responses API) and what its server needs.
The server is asked as the package's own simple agent asks it: /seed_session, a POST to /NAME for each call of a tool,
and /verify with the whole response, all with the cookies of one session. The score is the reward of /verify.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

from selfsown.environment_server import check_options, reward_grade
from selfsown.episode import OUTCOME
from selfsown.errors import RecipeError, SelfsownError, one_line
from selfsown.option_types import Natural, Positive
from selfsown.records import Grade, JsonObject, Row
from selfsown.text.chat import Message, messages_metadata, messages_text

INDEX_KEY = "gym_row"  # metadata: the row's place in its file
RESERVED = ("verify", "seed_session", "aggregate_metrics", "reverify_mode", "mcp")  # the server's own, and no tools


@dataclass(frozen=True)
class Task:
    """url: the resources server's, such as http://localhost:8000. file: rows in JSONL, as NeMo Gym prepares them.
    rows: use the first so many; 0 uses all. low, high: the rewards of scores 0 and 1; what is lower is 0, and what is
    higher an error. timeout_seconds: for one request."""

    url: str
    file: str
    rows: Natural = 0
    low: float = 0.0
    high: float = 1.0
    timeout_seconds: Positive = 60.0

    name = "nemo_gym"
    top_level = 0
    verifiable = True
    forms = ()
    right_score = 1.0

    def __post_init__(self) -> None:
        check_options(self.name, self.url, self.low, self.high)

    def pose(self, seed: int) -> Iterator[Row]:
        """The file's rows in their order, without answers. RecipeError: it cannot be read, or has others."""
        for index, record in enumerate(self._records):
            messages, tools = _messages(record["responses_create_params"]), _tools(record["responses_create_params"])
            metadata = {**messages_metadata(messages), INDEX_KEY: str(index)}
            if tools:
                metadata["tools"] = json.dumps(tools)
            yield Row(messages_text(messages), "", source=self.file, sample_index=index, metadata=metadata)

    @property
    def tools(self) -> str:
        """Those of the first row that has some; each row names its own."""
        return json.dumps(next(filter(None, (_tools(one["responses_create_params"]) for one in self._records)), []))

    def environment(self, row: Row) -> Session:
        """A session of the server that was seeded with the row."""
        return Session(self, self._records[int(row.metadata[INDEX_KEY])])

    def problems_from(self, rows: Sequence[Row], level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` of the rows, in random order; all, where there are fewer."""
        own = [row for row in rows if self.checks(row)]
        yield from random.Random(seed).sample(own, min(count, len(own)))

    def hinted(self, row: Row) -> str:
        raise _error("it gives no answer that could be a hint; leave hint out")

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "the answer is empty"

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def checks(self, row: Row) -> bool:
        return INDEX_KEY in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """The server's reward for the row's episode, or for the answer alone."""
        if not 0 <= int(row.metadata.get(INDEX_KEY, "-1")) < len(self._records):
            return Grade(0.0, "the file does not have this row", evidence="execution", failed=True)
        if OUTCOME in row.metadata:
            state = json.loads(row.metadata[OUTCOME])["state"]
        else:
            session = self.environment(row)
            session.close(answer)
            state = session.state()
        if state["reward"] is None:
            return Grade(0.0, state["problem"] or "it was not verified", evidence="execution", failed=True)
        return reward_grade(float(state["reward"]), self.low, self.high)

    @cached_property
    def _records(self) -> list[JsonObject]:
        try:
            lines = Path(self.file).read_text(encoding="utf-8").splitlines()
            records = [json.loads(line) for line in lines if line.strip()]
        except (OSError, ValueError) as error:
            raise _error(f"{self.file} cannot be read as JSONL: {one_line(error)}") from error
        for place, record in enumerate(records, 1):
            if not isinstance(record, dict) or "input" not in (record.get("responses_create_params") or {}):
                raise _error(f"record {place} of {self.file} has no responses_create_params with an input")
        if not records:
            raise _error(f"{self.file} has no rows")
        return records[: self.rows or None]


@dataclass
class Session:
    """One rollout of a row on the server.

    output: what was called and returned, as items of a response. reward: None until it is verified. problem: why it
    could not be.
    """

    task: Task
    record: JsonObject
    output: list[JsonObject] = field(default_factory=list)
    reward: float | None = None
    problem: str = ""
    done: bool = False
    _opener: OpenerDirector = field(init=False, repr=False)

    def __post_init__(self) -> None:
        is_local = urlsplit(self.task.url).hostname in ("localhost", "127.0.0.1", "::1")
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()), *([ProxyHandler({})] if is_local else []))
        status, text = self._post("seed_session", self.record)
        if status >= 400:
            raise _error(f"{self.task.url}/seed_session answers {status}: {text[:200]}")

    def call(self, name: str, arguments: JsonObject) -> str:
        """As in `Environment`: what the tool's endpoint returns."""
        names = [tool["function"]["name"] for tool in _tools(self.record["responses_create_params"])]
        if name not in names or name in RESERVED:
            raise ValueError(f"there is no tool {name!r}; there are {', '.join(names) or 'none'}")
        status, text = self._post(name, arguments)
        call_id = f"call_{len(self.output) // 2 + 1}"
        call = {"type": "function_call", "call_id": call_id, "name": name, "arguments": json.dumps(arguments)}
        self.output += [call, {"type": "function_call_output", "call_id": call_id, "output": text}]
        if status >= 400:
            raise ValueError(text)
        return text

    def state(self) -> JsonObject:
        """As in `Environment`: the reward and, where there is none, the reason."""
        return {"reward": self.reward, "problem": self.problem}

    def close(self, answer: str | None) -> None:
        """Have it verified with this final answer. An episode without one is not verified."""
        if answer is None or self.done:
            return
        self.done = True
        part = {"type": "output_text", "text": answer, "annotations": []}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        params = self.record["responses_create_params"]
        response = {
            "id": "resp_1",
            "created_at": 0.0,
            "model": params.get("model") or "selfsown",
            "object": "response",
            "output": [*self.output, message],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": params.get("tools") or [],
        }
        status, text = self._post("verify", {**self.record, "response": response})
        with suppress(KeyError, TypeError, ValueError):  # of another form than the protocol's
            self.reward = float(json.loads(text)["reward"]) if status < 400 else None
        if self.reward is None:
            self.problem = f"/verify answers {status}: {' '.join(text.split())[:200]}"

    def _post(self, path: str, body: JsonObject) -> tuple[int, str]:
        """The status and the text of the answer. SelfsownError: there is none."""
        data = json.dumps(body).encode()
        request = Request(f"{self.task.url.rstrip('/')}/{path}", data, {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=self.task.timeout_seconds) as response:
                return response.status, response.read().decode()
        except HTTPError as error:  # an answer, too
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            raise SelfsownError(f"real.nemo_gym: {self.task.url} does not answer: {one_line(error)}") from error


def _messages(params: JsonObject) -> list[Message]:
    """The input as the messages of a chat."""
    system = [{"role": "system", "content": params["instructions"]}] if params.get("instructions") else []
    if isinstance(params["input"], str):
        return [*system, {"role": "user", "content": params["input"]}]
    messages = [one for one in params["input"] if one.get("type", "message") == "message"]
    if len(messages) < len(params["input"]):
        raise _error("an input holds calls of tools; only messages can be posed")
    return system + [{"role": _role(one["role"]), "content": _content(one["content"])} for one in messages]


def _role(role: str) -> str:
    return "system" if role == "developer" else role


def _content(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _tools(params: JsonObject) -> list[JsonObject]:
    """The row's tools, in the form that chats have."""
    kept = ("name", "description", "parameters")
    return [
        {"type": "function", "function": {key: tool[key] for key in kept if tool.get(key) is not None}}
        for tool in params.get("tools") or []
    ]


def _error(message: str) -> RecipeError:
    return RecipeError(f"real.nemo_gym: {message}")
