"""A student of instructions in one file: it keeps a kind after a demonstration, or once it is learned."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Mixture, Row
from selfsown.text.chat import Conversation, Prompt

ANSWERS = {"lowercase": "a calm lake below the pines", "no_digits": "Seven herons stand in Shallow reeds"}
WRONG = "At 7 o'clock the Lake is calm"
LEARNED_AFTER = 3  # rows of a kind; one demonstration is not enough


class Follower:
    name = "follower"
    reads_conversations = True

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = set(kinds)

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        return [[Reply(str(prompt), self._answer(prompt, draw)) for draw in range(params.n)] for prompt in prompts]

    def _answer(self, prompt: Prompt, draw: int) -> str:
        shown = isinstance(prompt, Conversation)
        last = prompt.messages[-1]["content"] if isinstance(prompt, Conversation) else prompt
        kind = "no_digits" if "digits" in last else "lowercase"
        return f"{ANSWERS[kind]} {'and' * draw}".strip() if shown or kind in self.kinds else WRONG

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return [(float(len(row.answer) + 1), len(row.answer) + 1) for row in rows]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "kinds.json").write_text(json.dumps(sorted(self.kinds)), encoding="utf-8")


def create(rows: Sequence[Row], seed: int) -> Follower:
    return Follower([])


def load(folder: Path) -> Follower:
    return Follower(json.loads((folder / "kinds.json").read_text(encoding="utf-8")))


def train(mixture: Mixture, parent: Follower, seed: int, tick: Callable[[int, int], None]) -> Follower:
    counts = Counter(row.metadata.get("kind", "") for row in mixture.rows)
    tick(1, 1)
    return Follower([*parent.kinds, *(kind for kind, count in counts.items() if count >= LEARNED_AFTER)])
