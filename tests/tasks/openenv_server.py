"""Environments of OpenEnv's own server, for the tests of its client: python openenv_server.py PORT, with openenv-core.

A hunt for a number, which takes seeds, on /hunt; a switch that ignores them on /switch; and MCP tools on /tools.
"""

from __future__ import annotations

import random
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastmcp import FastMCP
from openenv.core.env_server.http_server import create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation
from openenv.core.env_server.types import Action, Observation, State


class Guess(Action):
    """Guess the number."""

    number: int


class Hint(Observation):
    text: str = ""


class Hunt(Environment):  # type: ignore[misc]
    """1 for the number, -0.1 for each wrong guess; it ends with the right one."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self.top, self.number, self._state = 0, 0, State()

    def reset(self, seed: int | None = None, top: int = 9, **_: Any) -> Hint:
        rng = random.Random(seed)
        self.top, self.number = top + rng.randint(0, 900), rng.randint(1, 9)
        self._state = State(episode_id=str(random.random()), step_count=0)
        return Hint(text=f"A number from 1 to {self.top}, with {self.number} at its heart.")

    def step(self, action: Guess, **_: Any) -> Hint:
        self._state.step_count += 1
        if action.number == self.number:
            return Hint(text="Right.", reward=1.0, done=True)
        if action.number > self.top:
            raise ValueError(f"{action.number} is out of range")
        return Hint(text="higher" if action.number < self.number else "lower", reward=-0.1)

    @property
    def state(self) -> State:
        return self._state


class Switch(Hunt):
    """It begins otherwise each time, whatever the seed."""

    SUPPORTS_CONCURRENT_SESSIONS = False

    def reset(self, seed: int | None = None, **_: Any) -> Hint:
        return super().reset(seed=None)


class Tools(MCPEnvironment):  # type: ignore[misc]
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        mcp = FastMCP("tools")

        @mcp.tool
        def add(one: int, two: int) -> int:
            """Add two numbers."""
            return one + two

        super().__init__(mcp)
        self._state = State()

    def reset(self, seed: int | None = None, **_: Any) -> Observation:
        return Observation(done=False, reward=0.0)

    def _step_impl(self, action: Action, **_: Any) -> Observation:
        return Observation(done=False, reward=0.0)

    async def step_async(self, action: Action, **options: Any) -> Observation:
        self._state.step_count += 1
        observation = await super().step_async(action, **options)
        observation.reward = 1.0 if getattr(observation, "error", None) is None else 0.0
        return observation

    @property
    def state(self) -> State:
        return self._state


app = FastAPI()
app.mount("/hunt", create_fastapi_app(Hunt, Guess, Hint, max_concurrent_envs=4))
app.mount("/switch", create_fastapi_app(Switch, Guess, Hint))
app.mount("/tools", create_fastapi_app(Tools, CallToolAction, CallToolObservation, max_concurrent_envs=4))

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
