"""A student and a trainer in one file, as a user may write them: it learns rows by heart, in no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Mixture, Row


class Pupil:
    """It gives the answer that it memorized for a prompt; an unconditional sample is one of its rows, in turn."""

    name = "pupil"

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def complete(
        self,
        prompts: Sequence[str],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        if params.continue_prompt:
            texts = list(self.known.items()) or [("", "")]
            return [[Reply(*texts[(at + params.seed) % len(texts)])] * params.n for at in range(len(prompts))]
        return [[Reply(prompt, self.known.get(prompt, "?"))] * params.n for prompt in prompts]

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return [(float(len(row.answer) + 1), len(row.answer) + 1) for row in rows]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "known.json").write_text(json.dumps(self.known), encoding="utf-8")


def create(rows: Sequence[Row], seed: int, *, first: int = 0) -> Pupil:
    return Pupil({row.prompt: row.answer for row in rows[:first]})


def load(folder: Path) -> Pupil:
    return Pupil(json.loads((folder / "known.json").read_text(encoding="utf-8")))


def train(mixture: Mixture, parent: Pupil, seed: int, tick: Callable[[int, int], None], *, share: float = 1.0) -> Pupil:
    rows = mixture.rows[: round(share * len(mixture.rows))]
    tick(1, 1)
    return Pupil(parent.known | {row.prompt: row.answer for row in rows})


RECIPE = {
    "description": "a student learns by heart",
    "real": {"programs": {"rows": 60, "levels": 1}},
    "held_out": 20,
    "student": "./pupil.py",
    "generate": [{"propose": {"count": 30}}],
    "grade": "verify",
    "curate": ["min_score", "decontaminate"],
    "mix": "accumulate",
    "train": [{"./pupil.py": {"share": 0.5}}],
    "evaluate": ["accuracy", "loss"],
    "goal": "accuracy",
    "generations": 1,
}
