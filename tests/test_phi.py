"""Phi-4's recipe for documents, whole, against a server with faults and a teacher who makes things up."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

from realdata import real_data

from selfsown.loop import run
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

FAULTS = {"busy": 0.08, "error": 0.05, "reset": 0.02, "malformed": 0.02, "empty": 0.02}
TOWNS = 100
MADE_UP = 0.3  # of the answers and of the rewritings
KING = "It was founded by a king."


def town(at: int) -> str:
    return f"The town Ard{at} has {1000 + 7 * at} people and lies on the river Bel{at % 17}, below a hill of sand."


def answers(prompt: str, luck: float) -> dict[str, Any]:
    """Data for who asks for data; what is made up is wrong in a way that its source shows."""
    name, people = re.findall(r"Ard\d+", prompt)[-1], re.findall(r"has (\d+) people", prompt)
    if prompt.startswith("Ask "):
        wrong = int(people[-1]) + (luck < MADE_UP)
        pair = {"question": f"How many people has {name}?", "quote": f"{name} has {people[-1]} people"}
        return {"pairs": [{**pair, "answer": f"{wrong} people"}]}
    if "instruction" in prompt.rpartition("schema")[2]:
        return {"instruction": f"Write a sentence on {name}."}
    if prompt.startswith("Criticise"):
        return {"criticism": "too dry", "fault": luck < 0.5 and "dear reader" not in prompt}
    if prompt.startswith("Judge"):
        return {"reason": "so it is", "score": 2 if "sand" in prompt and luck < 0.1 else 5}
    if prompt.startswith("Answer the question"):
        return {"found": people[0]}
    return {"unsupported": [{"quote": KING, "reason": "not told"}] if KING in prompt.split("The text:")[-1] else []}


def say(prompt: str, body: dict[str, Any]) -> str:
    luck = random.Random(prompt).random()
    if "schema" in prompt:
        return json.dumps(answers(prompt, luck))
    name = re.findall(r"Ard\d+", prompt)[-1]
    if prompt.startswith("Revise"):
        return f"{name}, dear reader, lies on a river below a hill of sand."
    return f"Of {name} it is told that it lies by a river. " + (KING if luck < MADE_UP else "There is sand, too.")


def made(folder: Path, lines: list[dict[str, str]], *changes: str) -> list[Row]:
    path = folder / "real.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with Server(models=("m", "judge"), say=say, faults=FAULTS, wait="0.01") as server:
        there = f"url: '{server.url}', retries: 8"
        wishes = [
            f"teacher={{endpoint: {{{there}, model: m}}}}",
            f"judge={{endpoint: {{{there}, model: judge}}}}",
            *changes,
        ]
        tally = make(Recipe.load("phi-text", [f"real={path}", *wishes]), folder / "out")
        before = len(server.bodies)
        assert make(Recipe.load("phi-text", [f"real={path}", *wishes]), folder / "out").counts == tally.counts
        assert len(server.bodies) == before, "nobody is asked again"
    rows = RunFolder(folder / "out").rows("rows") or []
    assert tally.counts.total() == len(rows)
    return rows


def test_what_is_made_up_is_rejected_by_its_way_back_and_the_rest_is_kept(tmp_path: Path) -> None:
    rows = made(tmp_path, [{"text": town(at)} for at in range(TOWNS)])
    kept, ways = [row for row in rows if row.status == "kept"], Counter(row.method for row in rows)
    assert set(ways) == {"document_qa", "rephrase", "backtranslate", "refine"}
    assert {row.method for row in kept} == set(ways)
    for row in rows:
        right = KING not in row.answer
        if row.method == "document_qa" and row.prompt:
            people = str(1000 + 7 * int(re.findall(r"Ard(\d+)", row.prompt)[0]))
            right = people in row.answer
        if row.status == "kept":
            assert right
        if not right and row.status != "failed":
            assert row.reason.startswith(("roundtrip", "judge")), row.reason
    for way in ("document_qa", "rephrase"):
        wrong = [row for row in rows if row.method == way and row.reason.startswith("roundtrip")]
        assert 0.15 * ways[way] < len(wrong) < 0.45 * ways[way]
    assert all(row.metadata["revisions"] == "1" for row in kept if row.method == "refine" and "reader" in row.answer)
    held_out = {row.answer for row in RunFolder(tmp_path / "out").rows("held_out") or []}
    assert held_out
    assert not held_out & {row.answer for row in kept}


def test_it_runs_on_real_problems(tmp_path: Path) -> None:
    lines = real_data("gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()[:60]
    texts = [json.loads(line)["question"] for line in lines]
    rows = made(tmp_path, [{"text": f"{text} (Ard{at} has {at} people.)"} for at, text in enumerate(texts)])
    kept = Counter(row.method for row in rows if row.status == "kept")
    assert min(kept[way] for way in ("document_qa", "rephrase", "backtranslate", "refine")) > 10
    told = {row.answer for row in rows if row.method == "backtranslate" and row.status == "kept"}
    assert all(any(answer.startswith(text) for text in texts) for answer in told), "documents stay as they are"


def test_the_recipe_keeps_facts_out_of_synthetic_rows(tmp_path: Path) -> None:
    small = [
        "real.sums_and_facts.sums=300",
        "real.sums_and_facts.facts=10",
        "held_out=80",
        "base_train.sft.steps=60",
        "rollback=false",
    ]
    small += [
        "train.sft.steps=30",
        "generate.propose.count=200",
        "student.tiny.width=32",
        "base_train.sft.batch_size=32",
    ]
    small += ["control=false"]
    history = run(Recipe.load("phi", small), tmp_path / "run")
    assert {score.key for score in history[-1].scores} >= {"accuracy[kind=skill]", "accuracy[kind=fact]"}
    rows = RunFolder(tmp_path / "run").rows("generation-02/rows") or []
    kept = [row for row in rows if row.status == "kept"]
    assert kept
    assert {row.metadata["kind"] for row in kept} == {"skill"}
    assert history[-1].real_share >= 0.4


def test_pivotal_pairs_come_from_the_loop_and_are_learned(tmp_path: Path) -> None:
    small = [
        "real.sums_and_facts.digits=1",
        "real.sums_and_facts.sums=50",
        "real.sums_and_facts.facts=20",
        "held_out=60",
        "generations=1",
    ]
    small += [
        "base_train.sft.steps=120",
        "base_train.sft.batch_size=32",
        "student.tiny.width=32",
        "rollback=false",
        "mix=replace",
    ]
    small += ["generate=[{pivotal_tokens: {rollouts: 16}}]", "curate=[min_score, decontaminate]"]
    small += ["train={dpo: {steps: 4, batch_size: 8, pivotal_only: true}}", "control=false"]
    run(Recipe.load("phi", small), tmp_path / "run")
    rows = RunFolder(tmp_path / "run").rows("generation-01/rows") or []
    kept = [row for row in rows if row.status == "kept"]
    assert len(kept) > 5
    for row in kept:
        begun, worse = row.metadata["prefix"], row.metadata["rejected"]
        assert row.method == "pivotal_tokens"
        assert row.answer.startswith(begun)
        assert worse.startswith(begun)
        assert row.answer[len(begun) :][:1] != worse[len(begun) :][:1]
        assert len(row.parents) == 1
