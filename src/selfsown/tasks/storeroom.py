"""A storeroom with shelves, looked at and rearranged by tools: problems that no answer from memory solves.

    level 1    "How many pears are on shelf B?"
    level 2    "Move 4 pears from shelf B to shelf D. How many pears are on shelf D then?"
    level 3    "Of shelves B and D, one has fewer pears. Move all of them to the other. How many has it then?"

A problem is solved if the storeroom is in the right state at the end, the answer names the right number and no other,
and the model has used a tool. Real rows are turns of solved problems, written by this program.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from selfsown.episode import OUTCOME, Environment, Episode
from selfsown.errors import RecipeError
from selfsown.option_types import Count, Level
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Grade, JsonObject, Row

ITEMS = ("apples", "pears", "plums", "lemons", "figs")
SHELVES = ("A", "B", "C", "D", "E")
Shelves = dict[str, dict[str, int]]
STATE, GOAL, SOLUTION = "shelves", "goal", "solution"  # metadata: at the beginning, at the end; how it is solved


def _tool(name: str, description: str, properties: JsonObject) -> JsonObject:
    parameters = {"type": "object", "properties": properties, "required": [*properties]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


_SHELF, _TEXT, _NUMBER = {"type": "string", "enum": [*SHELVES]}, {"type": "string"}, {"type": "integer"}
TOOLS = [
    _tool("look", "What is on a shelf, with its number.", {"shelf": _SHELF}),
    _tool(
        "move",
        "Move a number of one item from a shelf to another.",
        {"item": _TEXT, "amount": _NUMBER, "source": _SHELF, "target": _SHELF},
    ),
]


class Storeroom:
    """The shelves, and the tools that change them."""

    def __init__(self, shelves: Shelves) -> None:
        self.shelves = {name: dict(items) for name, items in shelves.items()}

    def call(self, name: str, arguments: JsonObject) -> str:
        """As in `Environment`."""
        tools: dict[str, Callable[..., str]] = {"look": self._look, "move": self._move}
        if name not in tools:
            raise ValueError(f"there is no tool {name!r}; there are {', '.join(tools)}")
        needed = next(tool["function"]["parameters"]["required"] for tool in TOOLS if tool["function"]["name"] == name)
        if sorted(arguments) != sorted(needed):
            raise ValueError(f"{name} takes {', '.join(needed)}, not {', '.join(arguments) or 'nothing'}")
        return tools[name](**arguments)

    def state(self) -> JsonObject:
        """As in `Environment`: shelves with what is on them."""
        return {name: {item: n for item, n in items.items() if n} for name, items in self.shelves.items()}

    def _look(self, shelf: Any) -> str:
        return json.dumps({item: n for item, n in self._on(shelf).items() if n})

    def _move(self, item: Any, amount: Any, source: Any, target: Any) -> str:
        start, end = self._on(source), self._on(target)
        available = start.get(item, 0) if isinstance(item, str) else 0
        if type(amount) is not int or not 0 < amount <= available:
            raise ValueError(f"shelf {source} has {available} {item}, so {amount} cannot be moved")
        start[item] = available - amount
        end[item] = end.get(item, 0) + amount
        return json.dumps({source: {item: start[item]}, target: {item: end[item]}})

    def _on(self, shelf: Any) -> dict[str, int]:
        if not isinstance(shelf, str) or shelf not in self.shelves:
            raise ValueError(f"there is no shelf {shelf!r}; there are {', '.join(self.shelves)}")
        return self.shelves[shelf]


@dataclass(frozen=True)
class Task:
    """rows: problems that are held out. demonstrations: solved problems whose turns are learned from. levels: of the
    hardest problem."""

    rows: Count = 100
    demonstrations: Count = 12
    levels: Level = 3

    name = "storeroom"
    verifiable = True
    forms = ()

    def __post_init__(self) -> None:
        if self.levels > 3:
            raise RecipeError(f"real.storeroom.levels is {self.levels}; there are levels 1 to 3")

    @property
    def top_level(self) -> int:
        return self.levels

    @property
    def tools(self) -> str:
        return json.dumps(TOOLS)

    def environment(self, row: Row) -> Environment:
        """The storeroom of the row's problem, as it is at the beginning."""
        return Storeroom(json.loads(row.metadata[STATE]))

    def pose(self, seed: int) -> Iterator[Row]:
        """Turns of solved problems, to learn from, then held-out problems. No storeroom is on both sides."""
        rng = random.Random(f"storeroom {seed}")
        rows = [row for number in range(self.demonstrations) for row in self._solved(rng, number)]
        rows += [
            replace(row, metadata={**row.metadata, **EVALUATION_ONLY})
            for row in (self._problem(rng, 1 + number % self.levels) for number in range(self.rows))
        ]
        for index, row in enumerate(rows):
            yield replace(row, source="storeroom", sample_index=index)

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """New problems: half of the level itself, half of any level up to it."""
        rng = random.Random(f"storeroom problems {seed}")
        for _ in range(count):
            yield self._problem(rng, level if rng.random() < 0.5 else rng.randint(1, level))

    def hinted(self, row: Row) -> str:
        raise RecipeError("storeroom: an answer is no help where the shelves must be changed; leave hint out")

    def opening(self, level: int) -> str:
        raise RecipeError("storeroom poses its problems itself; take generate: episodes")

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic")

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def checks(self, row: Row) -> bool:
        return STATE in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """Whether the row's episode ended with the right shelves and the right number, and tools were used."""
        if OUTCOME not in row.metadata:
            return Grade(0.0, "no episode was recorded", evidence="execution", failed=True)
        outcome = json.loads(row.metadata[OUTCOME])
        if outcome["state"] != json.loads(row.metadata[GOAL]):
            return Grade(0.0, "the shelves are not as they should be", evidence="execution")
        if not outcome["calls"]:
            return Grade(0.0, "it answers without having looked", evidence="execution")
        numbers = set(re.findall(r"\d+", outcome["answer"] or ""))
        if numbers != {row.target}:
            return Grade(0.0, f"its answer has {', '.join(sorted(numbers)) or 'no number'}", evidence="execution")
        return Grade(1.0, "the shelves and the number are right", evidence="execution")

    def _problem(self, rng: random.Random, level: int) -> Row:
        shelves = {name: {item: rng.randint(2, 40) for item in rng.sample(ITEMS, 3)} for name in SHELVES}
        return _posed(level, shelves, rng)

    def _solved(self, rng: random.Random, number: int) -> Iterator[Row]:
        row = self._problem(rng, 1 + number % self.levels)
        yield from (replace(turn, metadata={**turn.metadata, **TRAINING_ONLY}) for turn in self.solved(row).rows())

    def solved(self, row: Row) -> Episode:
        """The episode of a program that knows what to do: it looks, moves if it must, and answers."""
        episode = Episode(row, self.environment(row), self.tools, [{"role": "user", "content": row.prompt}])
        for call in json.loads(row.metadata[SOLUTION]):
            episode.take(f"<tool_call>{json.dumps(call)}</tool_call>")
        episode.take(f"{row.target}.")
        return episode


def _posed(level: int, shelves: Shelves, rng: random.Random) -> Row:
    """A problem of the level about these shelves, its answer as its target and the shelves at its end as metadata."""
    item = rng.choice([item for item in ITEMS if sum(item in items for items in shelves.values()) >= 2])
    one, two = rng.sample([name for name in SHELVES if item in shelves[name]], 2)
    if level == 1:
        calls, place = [_look(one)], one
        text = f"How many {item} are on shelf {one}?"
    elif level == 2:
        amount = rng.randint(1, shelves[one][item])
        calls, place = [_move(item, amount, one, two)], two
        text = f"Move {amount} {item} from shelf {one} to shelf {two}. How many {item} are on shelf {two} then?"
    else:
        shelves[two][item] += shelves[one][item] == shelves[two][item]
        few, place = sorted((one, two), key=lambda name: shelves[name][item])
        calls = [_look(one), _look(two), _move(item, shelves[few][item], few, place)]
        text = f"Of shelves {one} and {two}, one has fewer {item}. Move all of them to the other. How many has it then?"
    end = Storeroom(shelves)
    for call in calls:
        end.call(call["name"], call["arguments"])
    metadata = {STATE: json.dumps(shelves), GOAL: json.dumps(end.state()), SOLUTION: json.dumps(calls)}
    problem = f"{text} {metadata[STATE]}"  # the same text is another problem where the shelves hold something else
    return Row(text, "", problem=problem, target=str(end.shelves[place][item]), level=level, metadata=metadata)


def _look(shelf: str) -> JsonObject:
    return {"name": "look", "arguments": {"shelf": shelf}}


def _move(item: str, amount: int, source: str, target: str) -> JsonObject:
    return {"name": "move", "arguments": {"item": item, "amount": amount, "source": source, "target": target}}
