"""A teacher for the task storeroom that knows what to do: a model of one's own, as one file.

selfsown run tools --set 'teacher={./examples/storeroom_player.py: {}}' --set student.hf.model=FOLDER
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import JsonObject, Row
from selfsown.text.chat import Conversation, Prompt


class Player:
    """It reads the conversation, and either calls a tool or answers."""

    name, reads_conversations = "storeroom-player", True

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        """As of every model: `params.n` replies to each prompt."""
        return [[Reply(str(prompt), _turn(prompt))] * params.n for prompt in prompts]

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """It cannot measure texts."""
        raise NotImplementedError("this player only plays")


def create(rows: Sequence[Row], seed: int) -> Player:
    """As a recipe asks for it."""
    return Player()


def load(folder: Path) -> Player:
    """There is nothing to load: it learns nothing."""
    return Player()


def _turn(prompt: Prompt) -> str:
    messages = prompt.messages if isinstance(prompt, Conversation) else [{"role": "user", "content": prompt}]
    problem = next(message["content"] for message in messages if message["role"] == "user")
    seen = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    if found := re.match(r"How many (\w+) are on shelf (\w)\?", problem):
        item, shelf = found.groups()
        return f"There are {seen[0][item]}." if seen else _call("look", shelf=shelf)
    if found := re.match(r"Move (\d+) (\w+) from shelf (\w) to shelf (\w)\.", problem):
        amount, item, source, target = found.groups()
        return str(seen[0][target][item]) if seen else _move(item, int(amount), source, target)
    item = re.findall(r"fewer (\w+)\.", problem)[0]
    one, two = re.findall(r"shelves (\w) and (\w),", problem)[0]
    if len(seen) < 2:
        return _call("look", shelf=(one, two)[len(seen)])
    few, many = sorted((one, two), key=lambda shelf: seen[(one, two).index(shelf)][item])
    if len(seen) == 2:
        return _move(item, seen[(one, two).index(few)][item], few, many)
    return str(seen[2][many][item])


def _move(item: str, amount: int, source: str, target: str) -> str:
    return _call("move", item=item, amount=amount, source=source, target=target)


def _call(name: str, **arguments: object) -> str:
    call: JsonObject = {"name": name, "arguments": arguments}
    return f"<tool_call>{json.dumps(call)}</tool_call>"
