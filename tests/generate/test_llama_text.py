"""The recipe for code with execution feedback, on real problems that have tests, and on snippets that have none."""

from __future__ import annotations

import gzip
import json
import random
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
from testing.mutants import mutants

pytestmark = pytest.mark.usefixtures("walled")


def made(folder: Path, server: Server, *changes: str) -> list[Row]:
    teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
    make(Recipe.load("llama-text", [teacher, *changes]), folder)
    return RunFolder(folder).rows("rows") or []


@pytest.mark.slow
def test_humaneval_s_problems_are_solved_by_their_own_tests_and_failed_drafts_become_pairs(tmp_path: Path) -> None:
    path = real_data("humaneval.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        some = [json.loads(line) for line in lines][:40]
    right = {each["prompt"]: each["prompt"] + each["canonical_solution"] for each in some}
    wrong = {each["prompt"]: [text for _, text in mutants(right[each["prompt"]], each["entry_point"])] for each in some}
    (tmp_path / "problems.jsonl").write_text("".join(json.dumps(each) + "\n" for each in some), encoding="utf-8")

    def say(prompt: str, body: dict[str, Any]) -> str:
        """Two first drafts in three have one thing wrong; of those that are to be mended, one in three still has."""
        asked = next(text for text in right if text in prompt)
        draw = random.Random(f"{prompt} {body['seed']}").random()
        if prompt.startswith("Judge the"):
            return json.dumps({"reason": "so it is", "score": 3})
        good = draw < (1 / 3 if prompt.startswith("Write Python") else 2 / 3)
        return json.dumps({"program": right[asked] if good else random.Random(draw).choice(wrong[asked])})

    told = "prompt: prompt, answer: canonical_solution, attributes: [test, entry_point]"
    changes = [f"real={{file: {{path: '{tmp_path / 'problems.jsonl'}', {told}}}}}", "held_out=0"]
    changes += [
        f"{step}.{knob}"
        for step in ("generate.self_debug", "grade.unit_tests")
        for knob in ("tests=test", "entry_point=entry_point")
    ]
    changes.append(
        "grade.unit_tests.answer_continues_prompt=true"
    )  # its known answers are bodies, each of which goes on from the prompt
    with Server(say=say, faults={"busy": 0.1, "reset": 0.05, "malformed": 0.05}, wait="0.01") as server:
        rows = made(tmp_path / "out", server, *changes)
    first = [row for row in rows if row.method == "self_debug"]
    drafts = [json.loads(row.metadata["revision_history"]) for row in first]
    failing = [steps for steps in drafts if len(steps) > 1]
    mended = [steps for steps in failing if steps[-1]["outcome"] == "passes its tests"]
    print(f"{len(failing)} of {len(first)} failed at first, {len(mended)} of them were mended")
    assert len(first) == 80
    assert 0.35 <= len(failing) / 80 <= 0.75
    assert 0.75 <= len(mended) / len(failing) <= 1.0  # 8 in 9, and where the tests do not see what is wrong
    assert {row.metadata["test"] for row in first} == {each["test"] for each in some}, "given tests stay as they are"
    kept = [row for row in rows if row.status == "kept"]
    assert len({row.prompt for row in kept}) >= 36
    assert all(row.score == 1 for row in kept)
    pairs = [row for row in kept if row.method == "preference_pairs"]
    assert all(row.metadata["rejected"] != row.answer for row in pairs)


def test_snippets_without_tests_inspire_problems_and_no_row_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "snippets.jsonl"
    snippets = [f"total = sum(x * {at} for x in items if x > {at})" for at in range(2, 14)]
    path.write_text("".join(json.dumps({"text": each}) + "\n" for each in snippets), encoding="utf-8")

    def say(prompt: str, body: dict[str, Any]) -> str:
        if prompt.startswith("Judge the"):
            return json.dumps({"reason": "so it is", "score": 3})
        (k,) = set(re.findall(r"x \* (\d+) for|times (\d+),", prompt))
        number = int(k[0] or k[1])
        right = f"def times(v):\n    return [x * {number} for x in v]"
        if prompt.startswith("Below is a piece"):
            return json.dumps({"prompt": f"Write times, which returns the numbers of a list times {number}, in order."})
        if prompt.startswith("Write tests"):
            return json.dumps({"tests": f"assert times([1, 2]) == [{number}, {2 * number}]\nassert times([]) == []"})
        if prompt.startswith("Write Python") and number % 3 == 0:
            return json.dumps({"program": right.replace("*", "+")})
        if prompt.startswith("Write Python"):
            return json.dumps({"program": right})
        return json.dumps({"program": right, "tests": f"assert times([1, 2]) == [{number}, {2 * number}]"})

    with Server(say=say) as server:
        rows = made(
            tmp_path / "out",
            server,
            f"real={path}",
            "held_out=0",
            "generate.self_debug.n=1",
            "curate.dedup_near.max_similarity=1",
        )
    assert len(rows) == len(snippets)
    assert {row.status for row in rows} == {"kept"}
    assert sum(row.metadata["revisions"] == "1" for row in rows) == 4
    assert all("assert times" in row.metadata["tests"] for row in rows)
