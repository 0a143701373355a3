"""Rows and resources servers of NeMo Gym: a server after its source, and one of its own where a checkout is named.

SELFSOWN_NEMO_GYM is a checkout of NeMo Gym, SELFSOWN_NEMO_GYM_PYTHON a Python that has its packages.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from other_server import serving

from selfsown.errors import RecipeError, SelfsownError
from selfsown.evaluate.episodes import evaluate
from selfsown.generate.episodes import generate
from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.prompting.episodes import play
from selfsown.recipe.steps import step
from selfsown.records import Row
from selfsown.tasks import checkable, is_right
from selfsown.tasks.nemo_gym import Task
from selfsown.text.chat import Conversation, Message, Prompt

CHECKOUT, PYTHON = os.environ.get("SELFSOWN_NEMO_GYM", ""), os.environ.get("SELFSOWN_NEMO_GYM_PYTHON", "")
STARTS_WITHIN = 400.0  # seconds; its packages are large
COUNT = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
TOOLS = [
    {"type": "function", "name": "increment_counter", "description": "Add.", "parameters": COUNT, "strict": True},
    {
        "type": "function",
        "name": "get_counter_value",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
        "strict": True,
    },
]


def record(start: int, added: int) -> dict[str, Any]:
    content = [{"type": "input_text", "text": f"add {added} then get the count"}]
    params = {"input": [{"role": "user", "type": "message", "content": content}], "tools": TOOLS}
    return {"responses_create_params": params, "initial_count": start, "expected_count": start + added}


class Counter(BaseHTTPRequestHandler):
    """As resources_servers/example_session_state_mgmt/app.py: a counter for each session, whose id is a cookie."""

    counters: ClassVar[dict[str, int]] = {}

    def do_POST(self) -> None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        session = cookie.value if cookie else str(uuid.uuid4())
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, reply = self.answer(session, body)
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Set-Cookie", f"session={session}; Path=/; HttpOnly")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, session: str, body: dict[str, Any]) -> tuple[int, Any]:
        if self.path == "/seed_session":
            self.counters.setdefault(session, body["initial_count"])
            return 200, {}
        if self.path == "/increment_counter":
            if not isinstance(body.get("count"), int):
                return 422, {"detail": [{"loc": ["body", "count"], "msg": "Field required"}]}
            self.counters[session] = self.counters.get(session, 0) + body["count"]
            return 200, {"success": True}
        if self.path == "/get_counter_value":
            return 200, {"count": self.counters.get(session, 0)}
        if self.path == "/verify" and isinstance(body["response"]["output"], list):
            return 200, {**body, "reward": float(self.counters.get(session) == body["expected_count"])}
        return 404, {"detail": "Not Found"}

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


def own() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def theirs() -> Iterator[str]:
    if not CHECKOUT:
        pytest.skip("no checkout of NeMo Gym is named")
    yield from serving(PYTHON, Path(__file__).with_name("nemo_gym_server.py"), STARTS_WITHIN, {"PYTHONPATH": CHECKOUT})


@pytest.fixture(scope="module", params=["own", "theirs"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from own() if request.param == "own" else theirs()


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(record(start, start + 2))}\n" for start in range(1, 7)))
    return str(path)


class Player:
    """It adds what the prompt names, or something else."""

    name, reads_conversations = "player", True

    def __init__(self, off_by: int = 0) -> None:
        self.off_by = off_by

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        return [[self.turn(prompt.messages)] for prompt in prompts if isinstance(prompt, Conversation)]

    def turn(self, messages: list[Message]) -> Reply:
        done = [message for message in messages if message["role"] == "tool"]
        amount = int(messages[0]["content"].split()[1]) + self.off_by
        if not done:
            call: dict[str, Any] = {"name": "increment_counter", "arguments": {"count": amount}}
        elif len(done) == 1:
            call = {"name": "get_counter_value", "arguments": {}}
        else:
            return Reply("", f"The count is {json.loads(done[-1]['content'])['count']}.")
        return Reply("", f"<tool_call>{json.dumps(call)}</tool_call>")

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return []


def test_inputs_are_prompts_and_tools_are_those_of_the_rows(path: str) -> None:
    task = Task("http://localhost:1", path, rows=4)
    rows = list(task.pose(0))
    assert [row.prompt for row in rows] == [f"add {n} then get the count" for n in (3, 4, 5, 6)]
    assert checkable(rows, task) == rows
    prompt = rows[0].full_prompt
    assert isinstance(prompt, Conversation)
    names = [tool["function"]["name"] for tool in json.loads(prompt.tools)]
    assert names == ["increment_counter", "get_counter_value"]
    assert prompt.tools == task.tools


def test_a_player_who_knows_solves_all_and_one_who_adds_something_else_none(server: str, path: str) -> None:
    task = Task(server, path)
    rows = list(task.pose(0))
    scores = {score.key: score.value for score in evaluate(Player(), rows, task) if not score.stratum}
    assert scores == {"episodes": 1.0, "episode_calls": 2.0, "episode_invalid": 0.0}
    assert next(iter(evaluate(Player(1), rows, task))).value == 0.0


def test_each_turn_is_a_row_with_the_reward_of_verify(server: str, path: str) -> None:
    task = Task(server, path)
    rows = list(task.pose(0))
    made = list(generate(rows, Player(), task, 0, 0, count=2))  # type: ignore[arg-type]
    assert len(made) == 6
    assert all(task.check(row, row.answer).score == 1 for row in made)
    assert json.loads(made[-1].metadata["outcome"])["state"] == {"reward": 1.0, "problem": ""}
    (episode,) = play(rows[:1], Player(1), task, 8, SamplingParams())
    *_, last = episode.rows()
    grade = task.check(last, last.answer)
    assert (grade.score, grade.reason, grade.failed) == (0.0, "its reward is 0", False)


def test_sessions_are_apart_and_calls_that_do_not_fit_are_answered(server: str, path: str) -> None:
    task = Task(server, path)
    row = next(iter(task.pose(0)))
    one, other = task.environment(row), task.environment(row)
    assert json.loads(one.call("increment_counter", {"count": 3})) == {"success": True}
    assert json.loads(other.call("get_counter_value", {})) == {"count": 1}
    with pytest.raises(ValueError, match="count"):
        other.call("increment_counter", {})
    for name in ("verify", "seed_session", "../verify"):
        with pytest.raises(ValueError, match=r"there is no tool .*; there are increment_counter, get_counter_value"):
            one.call(name, {})
    one.close("4")
    other.close("1")
    assert (one.state()["reward"], other.state()["reward"]) == (1.0, 0.0)
    assert [item["type"] for item in one.output] == ["function_call", "function_call_output"]


def test_a_single_reply_is_verified_too_and_rewards_are_scaled(server: str, path: str) -> None:
    row = next(iter(Task(server, path).pose(0)))
    assert Task(server, path).check(row, "4").score == 0.0
    assert Task(server, path, low=-1.0).check(row, "4").score == 0.5
    high = Task(server, path, low=-2.0, high=-1.0).check(row, "4")
    assert (high.failed, high.reason) == (True, "its reward is 0; set high, which is -1")
    assert not is_right(Task(server, path), row, "4")
    elsewhere = replace(row, metadata={"gym_row": "99"})
    assert Task(server, path).check(elsewhere, "4").failed


def test_a_server_that_cannot_verify_fails_the_row(path: str) -> None:
    for url in own():
        task = Task(f"{url}/elsewhere", path)
        with pytest.raises(RecipeError, match=r"/elsewhere/seed_session answers 404: .*Not Found"):
            task.environment(next(iter(task.pose(0))))
    row = next(iter(task.pose(0)))
    with pytest.raises(SelfsownError, match=r"real\.nemo_gym: .* does not answer: .*refused"):
        task.check(row, "4")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("{", "cannot be read as JSONL"),
        ('{"prompt": "1 + 1?"}', "record 1 of .* has no responses_create_params with an input"),
        (json.dumps({"responses_create_params": {"input": [{"type": "function_call"}]}}), "only messages can be posed"),
    ],
)
def test_files_of_another_form_are_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(RecipeError, match=message) as error:
        list(Task("http://localhost:1", str(tmp_path / "rows.jsonl")).pose(0))
    assert "\n" not in str(error.value)


def test_instructions_are_the_system_message_and_a_text_is_the_user(tmp_path: Path) -> None:
    params = {"input": "1 + 1?", "instructions": "Be brief."}
    (tmp_path / "rows.jsonl").write_text(json.dumps({"responses_create_params": params}))
    (row,) = Task("http://localhost:1", str(tmp_path / "rows.jsonl")).pose(0)
    assert (row.prompt, row.metadata["system"]) == ("1 + 1?", "Be brief.")
    assert "tools" not in row.metadata


@pytest.mark.parametrize(
    ("options", "message"),
    [({"url": "localhost:8000"}, "must be a server's address"), ({"url": "http://x", "low": 2.0}, "low must be lower")],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        step("tasks", "nemo_gym", {"file": "rows.jsonl", **options})()
