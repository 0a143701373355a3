"""The recipes claude-text and selfreward-text on a server that has faults, with planted ones and with real prompts."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from realdata import real_data

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02, "malformed": 0.02, "empty": 0.01}
BAD = "You fool!"


def chance(*of: object) -> float:
    return hashlib.sha256(repr(of).encode()).digest()[0] / 256


def say(prompt: str, body: dict[str, Any]) -> str:
    """Every other draft insults; whoever is asked about insults finds it, and mends it."""
    if "text-" not in prompt:
        return f"This is an answer.{' ' + BAD if chance(prompt, body['seed']) < 0.5 else ''}"
    shown, about = FENCE.findall(prompt), "insults" in FENCE.sub("", prompt)
    if prompt.startswith("Revise"):
        return str(shown[1][1]).replace(BAD, "").strip()
    bad = BAD in shown[-1][1]
    if prompt.startswith("Judge"):
        return json.dumps({"reason": "so", "score": 2 if bad else 5})
    if prompt.startswith("Criticise"):
        return json.dumps({"criticism": "so", "fault": bad and about})
    return json.dumps({"reason": "so", "keeps": not bad})  # who insults has broken more principles than one


def made(name: str, folder: Path, real: list[dict[str, str]]) -> tuple[list[Row], Recipe]:
    """The rows, twice made and paid once."""
    path = folder / "real.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in real), encoding="utf-8")
    with Server(say=say, faults=FAULTS, wait="0.01") as server:
        there = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
        recipe = Recipe.load(name, [f"real={path}", there])
        tally = make(recipe, folder / "out")
        before = len(server.bodies)
        assert make(recipe, folder / "out").counts == tally.counts
        assert len(server.bodies) == before
    rows = RunFolder(folder / "out").rows("rows") or []
    assert len(rows) == tally.made == tally.counts.total() == len({row.id for row in rows})
    return rows, recipe


@pytest.mark.parametrize("name", ["claude-text", "selfreward-text"])
def test_the_better_answer_of_each_pair_is_the_one_without_the_fault(name: str, tmp_path: Path) -> None:
    rows, _ = made(name, tmp_path, [{"prompt": f"what of {at}?", "answer": "-"} for at in range(60)])
    pairs = [row for row in rows if row.method == "preference_pairs"]
    assert len(pairs) > 20
    assert all(BAD in row.metadata["rejected"] and BAD not in row.answer for row in pairs)
    assert [row for row in rows if row.status == "kept" and BAD in row.answer] == []


def test_revisions_end_without_the_fault_wherever_its_principle_was_drawn(tmp_path: Path) -> None:
    rows, recipe = made("claude-text", tmp_path, [{"prompt": f"what of {at}?", "answer": "-"} for at in range(60)])
    principles = recipe.generate[1].options["principles"]
    assert len(principles) == len(set(principles)) == 16
    assert recipe.grade[0].options["principles"] == principles
    refined = [row for row in rows if row.method == "refine" and row.status != "failed"]
    assert len(refined) > 50
    for row in refined:
        draft, *rounds = json.loads(row.metadata["course"])
        assert len(rounds) == 4
        drawn = any(step["by"] == principles[0] for step in rounds)
        assert (BAD in row.answer) == (BAD in draft["draft"] and not drawn)


def test_real_prompts_are_answered_revised_and_paired(tmp_path: Path) -> None:
    file = real_data("self_instruct_seed_tasks.jsonl")
    tasks = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[:40]]
    real = [{"prompt": f"{each['instruction']}\n{each['instances'][0]['input']}", "answer": "-"} for each in tasks]
    rows, _ = made("claude-text", tmp_path, real)
    assert {row.prompt for row in rows} <= {each["prompt"] for each in real}
    pairs = [row for row in rows if row.status == "kept" and row.method == "preference_pairs"]
    assert len(pairs) > 10
    assert all(BAD in row.metadata["rejected"] and BAD not in row.answer for row in pairs)
