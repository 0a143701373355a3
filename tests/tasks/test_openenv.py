"""Environments of OpenEnv, played over its protocol: on its own server where openenv-core is installed.

SELFSOWN_OPENENV_PYTHON names the Python of another environment that has it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from other_server import serving

from selfsown.errors import RecipeError
from selfsown.evaluate.episodes import evaluate
from selfsown.generate.episodes import generate
from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.prompting.episodes import play
from selfsown.recipe.steps import step
from selfsown.records import EVALUATION_ONLY, Row
from selfsown.tasks import is_right, openenv
from selfsown.tasks.openenv import Task
from selfsown.text.chat import Conversation, Message, Prompt

PYTHON = os.environ.get("SELFSOWN_OPENENV_PYTHON") or (sys.executable if find_spec("openenv") else "")
STARTS_WITHIN = 120.0  # seconds


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("websockets")
    if not PYTHON:
        pytest.skip("openenv-core is not installed")
    yield from serving(PYTHON, Path(__file__).with_name("openenv_server.py"), STARTS_WITHIN, {"PYTHONPATH": ""})


class Player:
    """It knows the number from the prompt, or guesses another one first."""

    name, reads_conversations = "player", True

    def __init__(self, first: Sequence[int] = ()) -> None:
        self.first, self.at_once = first, [0]

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        self.at_once.append(len(prompts))
        return [[self.turn(prompt.messages)] for prompt in prompts if isinstance(prompt, Conversation)]

    def turn(self, messages: list[Message]) -> Reply:
        known = re.search(r"with (\d+) at", messages[0]["content"])
        assert known
        turn = len(messages) // 2
        number = self.first[turn] if turn < len(self.first) else int(known[1])
        return Reply("", f"<tool_call>{json.dumps({'name': 'step', 'arguments': {'number': number}})}</tool_call>")

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return []


def test_real_rows_are_seeds_with_the_first_observation_and_no_problem_is_on_both_sides(server: str) -> None:
    task = Task(f"{server}/hunt", prompt="Find the number.", rows=12, reset={"top": 100})
    rows = list(task.pose(0))
    assert rows == list(task.pose(0))
    assert len({row.key for row in rows}) == 12
    assert all(re.fullmatch(r"Find the number\.\n\nA number from 1 to \d{3,4}, with \d .*", row.prompt) for row in rows)
    out = {row.key for row in rows if EVALUATION_ONLY.items() <= row.metadata.items()}
    new = {row.key for row in task.problems(0, 20, 1)}
    assert out
    assert not out & new


def test_its_action_is_a_tool_and_its_mcp_tools_are(server: str) -> None:
    (tool,) = json.loads(Task(f"{server}/hunt").tools)
    assert tool["function"] == {
        "name": "step",
        "description": "Guess the number.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"title": "Number", "type": "integer"}},
            "required": ["number"],
            "additionalProperties": False,
        },
    }
    (tool,) = json.loads(Task(f"{server}/tools").tools)
    assert tool["function"]["name"] == "add"
    assert tool["function"]["description"] == "Add two numbers."
    assert set(tool["function"]["parameters"]["properties"]) == {"one", "two"}


def test_a_player_who_knows_solves_all_and_the_environment_ends_the_episode(server: str) -> None:
    task = Task(f"{server}/hunt", rows=4, sessions=2)
    rows = [replace(row, metadata={**row.metadata, **EVALUATION_ONLY}) for row in task.pose(0)]
    player = Player()
    scores = {score.key: score.value for score in evaluate(player, rows, task) if not score.stratum}
    assert scores == {"episodes": 1.0, "episode_calls": 1.0, "episode_invalid": 0.0}
    assert max(player.at_once) == 2


def test_each_turn_is_a_row_with_the_reward_of_its_episode(server: str) -> None:
    task = Task(f"{server}/hunt", low=-1.0, rows=4)
    (episode,) = play([next(iter(task.pose(0)))], Player([0, 9999]), task, 8, SamplingParams())
    rows = list(episode.rows())
    assert len(rows) == 3
    results = [message["content"] for message in episode.messages if message["role"] == "tool"]
    assert results == ["higher", "Error: 9999 is out of range", "Right."]
    outcome = json.loads(rows[-1].metadata["outcome"])
    assert outcome["state"] == {"reward": 0.9, "done": True, "steps": 2, "server": {"step_count": 3}}
    grade = task.check(rows[-1], rows[-1].answer)
    assert (grade.score, grade.reason) == (pytest.approx(0.95), "its reward is 0.9")
    assert not is_right(task, rows[-1], "")
    last = Task(f"{server}/hunt", rewards="last")
    (episode,) = play([next(iter(last.pose(0)))], Player([0]), last, 8, SamplingParams())
    assert is_right(last, list(episode.rows())[-1], "")
    high = Task(f"{server}/hunt", high=0.5)
    assert high.check(rows[-1], "").reason == "its reward is 0.9; set high, which is 0.5"
    assert high.check(rows[-1], "").failed


def test_episodes_that_do_not_end_fail_and_arguments_that_do_not_fit_are_answered(server: str) -> None:
    task = Task(f"{server}/hunt", rows=2)
    row = next(iter(task.pose(0)))
    (episode,) = play([row], Player([0, 0, 0]), task, 3, SamplingParams())
    assert episode.failure == "no answer within 3 turns"
    session = task.environment(row)
    with pytest.raises(ValueError, match="number: Input should be a valid integer"):
        session.call("step", {"number": "many"})
    with pytest.raises(ValueError, match="there is no tool 'fly'; there are step"):
        session.call("fly", {})
    session.close()


def test_generate_takes_its_problems_to_the_environment(server: str) -> None:
    task = Task(f"{server}/hunt", rows=4)
    made = list(generate([], Player(), task, 0, 0, count=3, n=2))  # type: ignore[arg-type]
    assert len(made) == 6
    assert all(task.check(row, row.answer).score == 1 for row in made)


def test_mcp_tools_are_called_and_rewarded(server: str) -> None:
    task = Task(f"{server}/tools", prompt="Add.", rows=3)
    rows = list(task.pose(0))
    assert {row.prompt for row in rows} == {"Add."}
    assert len({row.key for row in rows}) == 3  # seeds, where texts are alike
    session = task.environment(rows[0])
    assert session.call("add", {"one": 2, "two": 3}) == "5"
    with pytest.raises(ValueError, match="two"):
        session.call("add", {"one": 2})
    session.close()
    state = session.state()
    assert (state["reward"], state["steps"]) == (1.0, 2)


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("switch", {}, "begins otherwise with seed .* than before: it ignores seeds"),
        ("tools", {}, "its first observation is empty; say in prompt what is to be done"),
        ("nothing", {}, "plays no episodes"),
    ],
)
def test_what_cannot_be_played_is_one_line(server: str, path: str, options: dict[str, Any], message: str) -> None:
    task = Task(f"{server}/{path}", rows=2, **options)
    with pytest.raises(RecipeError, match=message) as error:
        task.environment(next(iter(task.pose(0))))
    assert "\n" not in str(error.value)


def test_more_sessions_than_the_server_plays_are_one_line(server: str) -> None:
    task = Task(f"{server}/switch", sessions=2)
    session = openenv.Session(task, 0)
    with pytest.raises(RecipeError, match="sessions is 2: lower it, or raise the server's max_concurrent_envs"):
        openenv.Session(task, 1)
    session.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "localhost:8000"}, "it must be a server's address"),
        ({"url": "http://localhost:1", "low": 1.0}, "low must be lower"),
        ({"url": "http://localhost:1", "held_out_problems": 1.0}, "between 0 and 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        step("tasks", "openenv", options)()


def test_no_server_is_one_line() -> None:
    pytest.importorskip("websockets")
    with pytest.raises(RecipeError, match=r"real\.openenv: http://localhost:1 plays no episodes: .*refused"):
        list(Task("http://localhost:1").pose(0))


def test_without_the_package_one_line_says_what_to_install() -> None:
    with (
        mock.patch.object(openenv, "find_spec", return_value=None),
        pytest.raises(RecipeError, match=r"pip install 'selfsown\[worlds\]'$"),
    ):
        Task("http://localhost:1")
