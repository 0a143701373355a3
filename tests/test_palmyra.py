"""`palmyra-text` on real problems: few rows in, many out, each with its end, the false ones not among those kept."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from realdata import real_data

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

FAULTS = {"busy": 0.08, "reset": 0.02, "malformed": 0.02, "refused": 0.03}


def say(prompt: str, body: dict[str, Any]) -> str:
    if prompt.startswith("Judge the"):
        return json.dumps({"reason": "so it is", "score": 2 if "xyzzy" in prompt else 5})
    chance = random.Random(repr((prompt, body.get("seed"))))
    said = " ".join(str(chance.randrange(10**6)) for _ in range(30))
    said = f"{said} xyzzy" if chance.random() < 0.2 else f"I am ChatGPT. {said}" if chance.random() < 0.1 else said
    form = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    return json.dumps(dict.fromkeys(form, said)) if form else said


def test_on_real_problems_few_rows_become_many(tmp_path: Path) -> None:
    source = real_data("gsm8k_train_1000.jsonl")
    path = tmp_path / "real.jsonl"
    path.write_text("".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    with Server(say=say, faults=FAULTS, wait="0.01") as server:
        teacher = f"{{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
        wishes = [
            "generate.self_instruct.count=360",
            "generate.persona.count=540",
            f"real={path}",
            f"teacher={teacher}",
        ]
        tally = make(Recipe.load("palmyra-text", wishes), tmp_path / "out")
    rows = RunFolder(tmp_path / "out").rows("rows") or []
    seeds = RunFolder(tmp_path / "out").rows("real") or []
    assert (len(rows), len(seeds)) == (360 + 540 + 6 * 18, 18)
    assert tally.counts.total() == len(rows)
    assert {row.method for row in rows} == {"self_instruct", "persona", "rephrase"}
    assert {row.origin for row in rows} == {"synthetic"}
    kept = [row for row in rows if row.status == "kept"]
    assert len(kept) > 0.5 * len(rows)
    assert not [row for row in kept if "xyzzy" in row.answer or "ChatGPT" in row.answer]
    assert [row for row in rows if row.reason.startswith("self_reference: ")]
    tokens = [sum(len(row.prompt) + len(row.answer) for row in some) for some in (seeds, kept)]
    assert tokens[0] / sum(tokens) <= 0.05
