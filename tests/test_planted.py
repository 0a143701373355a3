"""A teacher of whose answers four in ten are known to be wrong: what a verifier accepts is right, nearly all of it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from selfsown.stats.intervals import share
from selfsown.tasks.programs import OPERATIONS, Task, run
from testing.mock_server import Body, Server

WRONG = 0.4
WORLD = Task(rows=1000)
ROWS = WORLD.pose(0)
TARGETS = {row.prompt: row.answer for row in ROWS}


def right(prompt: str, answer: str) -> bool:
    """By running the program, without asking the world."""
    if prompt[0] != "|":
        return answer == TARGETS[prompt]
    digits, wanted = prompt[1:].split(">")
    known = answer[:1] in ("a", "b") and 2 <= len(answer) <= 3 and set(answer[1:]) <= set(OPERATIONS)
    return known and run(answer, digits) == wanted


def planted(prompt: str, body: Body) -> str:
    """The right answer, or one of a few kinds of wrong ones; the request decides."""
    chance = random.Random(repr((prompt, body.get("seed"))))
    if chance.random() >= WRONG:
        return TARGETS[prompt]
    while True:
        said = TARGETS[prompt]
        at = chance.randrange(len(said))
        other = chance.choice([answer for answer in TARGETS.values() if len(answer) == len(said)][:200])
        wrongs = (other, said[:at] + chance.choice("0123456789arti") + said[at + 1 :], said[:-1], f"It is {said}.", "?")
        if not right(prompt, wrong := chance.choice(wrongs)):
            return wrong


@pytest.mark.parametrize("grade", ["verify", "exact_match", {"verify": {"correct": True}}], ids=str)
def test_of_four_wrong_answers_in_ten_a_verifier_lets_none_pass_and_keeps_the_right_ones(
    grade: Any, tmp_path: Path
) -> None:
    with Server(say=planted) as server:
        teacher = {"endpoint": {"url": server.url, "model": "m", "max_in_flight": 64}}
        tree = {"real": {"programs": {"rows": len(ROWS)}}, "teacher": teacher, "generate": [{"sample": {"n": 3}}]}
        make(Recipe.of({**tree, "grade": [grade], "curate": ["min_score"]}), tmp_path / "out")
    rows = RunFolder(tmp_path / "out").rows("rows") or []
    written = [row for row in rows if row.method == "sample"]
    good = {row.id for row in written if right(row.prompt, row.answer)}
    assert len(written) == 3 * len(ROWS)
    assert len(good) / len(written) == pytest.approx(1 - WRONG, abs=0.03)
    kept = [row for row in rows if row.status == "kept"]
    hits = sum(right(row.prompt, row.answer) for row in kept)
    precision, recall = share(hits, len(kept)), share(len(good & {row.id for row in kept}), len(good))
    assert precision[0] >= 0.98
    assert recall[0] >= 0.95
    if grade not in ("verify", "exact_match"):
        assert len(kept) > len(good), "corrections come on top"
