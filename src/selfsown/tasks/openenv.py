"""An environment of OpenEnv, which a server plays over WebSocket: a problem is a seed, and its tools are actions.

The tools are those of the server's MCP tools; where it has none, one tool `step` takes the fields of its actions. The
score is the reward of the episode, which the server gives and no model writes. Protocol: openenv-core 0.3, `/ws`,
`/schema` and `/mcp` of its env_server.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from itertools import count as count_from
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from selfsown.environment_server import check_options, reward_grade
from selfsown.episode import OUTCOME
from selfsown.errors import RecipeError, SelfsownError, one_line
from selfsown.generated_problems import ProblemStreams
from selfsown.option_types import Count, Positive, Share
from selfsown.records import Grade, Json, JsonObject, Row

SEED_KEY = "environment_seed"  # metadata
MAX_MESSAGE_BYTES = 100_000_000
CONNECT_SECONDS = 10.0
_UNSTABLE = ("episode_id",)  # of a server's state: another one in every episode


@dataclass(frozen=True)
class Task:
    """url: the server's, such as http://localhost:8000. prompt: what is to be done; the first observation follows it.
    rows: real rows, held-out ones included: as many seeds. reset: further arguments of the environment's reset.
    rewards: whether an episode's reward is the sum of those of its steps, or the last one. low, high: the rewards of
    scores 0 and 1; what is lower is 0, and what is higher an error. sessions: episodes that are played at once, no more
    than the server allows. held_out_problems: the share of problems that is held out, by a hash of their text.
    timeout_seconds: for one message."""

    url: str
    prompt: str = ""
    rows: Count = 100
    reset: JsonObject | None = None
    rewards: Literal["sum", "last"] = "sum"
    low: float = 0.0
    high: float = 1.0
    sessions: Count = 1
    held_out_problems: Share = 0.25
    timeout_seconds: Positive = 60.0

    name = "openenv"
    top_level = 0
    verifiable = True
    forms = ()
    right_score = 1.0

    def __post_init__(self) -> None:
        check_options(self.name, self.url, self.low, self.high)
        if not 0 < self.held_out_problems < 1:
            raise _error(f"held_out_problems is {self.held_out_problems:g}; it must be between 0 and 1, such as 0.25")
        if not find_spec("websockets"):
            raise _error("the package websockets is not installed: pip install 'selfsown[worlds]'")

    @cached_property
    def tools(self) -> str:
        """The environment's MCP tools, or one tool that takes its action."""
        action = self._fetched("schema")["action"]
        if {"tool_name", "arguments"} <= action.get("properties", {}).keys():
            call = {"jsonrpc": "2.0", "method": "tools/list", "params": {}, "id": 1}
            listed = self._fetched("mcp", call)
            if "result" not in listed:
                raise _error(f"{self.url} lists no tools: {listed.get('error')}")
            tools = listed["result"]["tools"]
            return json.dumps([_tool(one["name"], one.get("description") or "", _parameters(one)) for one in tools])
        properties = {name: schema for name, schema in action["properties"].items() if name != "metadata"}
        description = action.get("description") or "Act in the environment."
        return json.dumps([_tool("step", description, {**action, "properties": properties})])

    def environment(self, row: Row) -> Session:
        """A session in which the row's seed has been reset. SelfsownError: it begins otherwise than the row."""
        session = Session(self, int(row.metadata[SEED_KEY]))
        if self._text(session) != row.prompt:
            session.close()
            raise _error(
                f"{self.url} begins otherwise with seed {row.metadata[SEED_KEY]} than before: it ignores seeds"
            )
        return session

    def pose(self, seed: int) -> Iterator[Row]:
        """A row for each of so many seeds. RecipeError: there are fewer problems, or no server answers."""
        return self._streams.real_rows([("environment", 0)], self.rows, seed)

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems that are not held out."""
        return self._streams.new_problems([("environment", 0)], 0, count, seed)

    def hinted(self, row: Row) -> str:
        raise _error("an environment gives no answer that could be a hint; leave hint out")

    def opening(self, level: int) -> str:
        raise _error("the environment poses its problems itself; take generate: episodes")

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic")

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def checks(self, row: Row) -> bool:
        return SEED_KEY in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """The reward of the row's episode, between `low` and `high`."""
        if OUTCOME not in row.metadata:
            return Grade(0.0, "no episode was recorded", evidence="execution", failed=True)
        return reward_grade(json.loads(row.metadata[OUTCOME])["state"]["reward"], self.low, self.high)

    @property
    def _streams(self) -> ProblemStreams:
        return ProblemStreams(self.name, self._drawn, self.held_out_problems)

    @cached_property
    def _has_texts(self) -> bool:
        """Whether other seeds begin with other texts, so that a text is a problem."""
        return self._begun(0) != self._begun(1)

    def _drawn(self, purpose: str, task: str, level: int) -> Iterator[Row]:
        for number in count_from():
            digest = hashlib.blake2b(f"{purpose} {number}".encode(), digest_size=4).digest()
            seed = int.from_bytes(digest) >> 1
            text = self._begun(seed)
            problem = text if self._has_texts else f"{text} {seed}"
            yield Row(text, "", problem=problem, metadata={SEED_KEY: str(seed)})

    def _begun(self, seed: int) -> str:
        session = Session(self, seed)
        session.close()
        return self._text(session)

    def _text(self, session: Session) -> str:
        text = "\n\n".join(filter(None, [self.prompt.strip(), session.observation]))
        if not text:
            raise _error("its first observation is empty; say in prompt what is to be done")
        return text

    def _fetched(self, path: str, body: JsonObject | None = None) -> Any:
        data = json.dumps(body).encode() if body else None
        request = Request(f"{self.url.rstrip('/')}/{path}", data, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=self.timeout_seconds) as response:
                return json.load(response)
        except (OSError, ValueError) as error:
            raise _error(f"{self.url} does not answer /{path} as OpenEnv does: {one_line(error)}") from error


@dataclass
class Session:
    """An episode on the server: its environment until it is closed.

    observation: the last one, as text. reward: of the episode so far. done: whether the environment has ended it.
    """

    task: Task
    seed: int
    observation: str = ""
    reward: float = 0.0
    done: bool = False
    steps: int = 0
    _state: JsonObject | None = None
    _connection: ExitStack = field(default_factory=ExitStack, repr=False)
    _socket: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        parts = urlsplit(self.task.url)
        url = parts._replace(scheme=parts.scheme.replace("http", "ws"), path=f"{parts.path.rstrip('/')}/ws").geturl()
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        options: JsonObject = {"open_timeout": CONNECT_SECONDS, "max_size": MAX_MESSAGE_BYTES}
        if is_local:
            options["proxy"] = None
        try:
            self._socket = self._connection.enter_context(connect(url, **options))
        except (OSError, WebSocketException) as error:
            raise _error(f"{self.task.url} plays no episodes: {one_line(error)}") from error
        reply = self._ask({"type": "reset", "data": {**(self.task.reset or {}), "seed": self.seed}})
        if reply["type"] == "error":
            self.close()
            raise _error(f"{self.task.url} resets no episode: {_problem(reply)}{self._capacity(reply)}")
        self._take(reply["data"])

    def call(self, name: str, arguments: JsonObject) -> str:
        """As in `Environment`: the observation after an action."""
        names = [tool["function"]["name"] for tool in json.loads(self.task.tools)]
        if name not in names:
            raise ValueError(f"there is no tool {name!r}; there are {', '.join(names)}")
        if self.done:
            raise ValueError("the episode has ended")
        is_action = names == ["step"]
        action = arguments if is_action else {"type": "call_tool", "tool_name": name, "arguments": arguments}
        reply = self._ask({"type": "step", "data": action})
        if reply["type"] == "error":
            raise ValueError(_problem(reply))
        self.steps += 1
        self._take(reply["data"])
        error = reply["data"]["observation"].get("error")
        if not is_action and error:
            raise ValueError(error.get("message") or str(error))
        return self.observation

    def state(self) -> JsonObject:
        """As in `Environment`: the reward, whether the environment ended the episode, its steps, the server's state."""
        server = self._state if self._state is not None else self._asked_state()
        return {"reward": self.reward, "done": self.done, "steps": self.steps, "server": server}

    def close(self, answer: str | None = None) -> None:
        """End the session; its state is kept."""
        if self._state is None:
            self._state = {}
            with suppress(SelfsownError):  # the server has ended it
                self._state = self._asked_state()
                self._ask({"type": "close"})  # it ends the connection once the session is free again
            self._connection.close()

    def _asked_state(self) -> JsonObject:
        reply = self._ask({"type": "state"})
        return {key: value for key, value in reply["data"].items() if key not in _UNSTABLE}

    def _take(self, data: JsonObject) -> None:
        value = float(data.get("reward") or 0.0)
        self.reward = self.reward + value if self.task.rewards == "sum" else value
        self.done = bool(data.get("done"))
        self.observation = _as_text(data["observation"])

    def _ask(self, message: JsonObject) -> Any:
        from websockets.exceptions import ConnectionClosed, WebSocketException

        try:
            with suppress(ConnectionClosed):  # a server that plays no more says so before it closes
                self._socket.send(json.dumps(message))
            return json.loads(self._socket.recv(self.task.timeout_seconds))
        except (OSError, ValueError, WebSocketException) as error:
            raise _error(f"{self.task.url} ended an episode: {one_line(error)}") from error

    def _capacity(self, reply: JsonObject) -> str:
        is_full = bool(reply["data"].get("code") == "CAPACITY_REACHED")
        return f"; sessions is {self.task.sessions}: lower it, or raise the server's max_concurrent_envs" * is_full


def _tool(name: str, description: str, parameters: JsonObject) -> JsonObject:
    kept = {key: value for key, value in parameters.items() if key not in ("title", "description")}
    return {"type": "function", "function": {"name": name, "description": description.strip(), "parameters": kept}}


def _parameters(tool: JsonObject) -> JsonObject:
    """An MCP tool's JSON Schema, under either name that its servers use."""
    schema: JsonObject = tool.get("inputSchema") or tool.get("input_schema") or {"type": "object", "properties": {}}
    return schema


def _as_text(observation: JsonObject) -> str:
    """An observation as a model reads it: JSON without what is empty, or its only text; what an MCP tool returned."""
    if "tool_name" in observation and isinstance(observation.get("result"), dict):
        result = observation["result"]
        values = [result.get("data"), *(part.get("text") for part in result.get("content") or [])]
        return _plain(next((value for value in values if value is not None), ""))
    kept = {key: value for key, value in observation.items() if value not in (None, "", [], {})}
    return _plain(next(iter(kept.values())) if len(kept) == 1 else kept) if kept else ""


def _plain(value: Json) -> str:
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _problem(reply: JsonObject) -> str:
    data = reply["data"]
    details = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in data.get("errors") or []]
    return "; ".join([str(data.get("message")), *details])


def _error(message: str) -> RecipeError:
    return RecipeError(f"real.openenv: {message}")
