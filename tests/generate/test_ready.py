"""The ready recipes for data sets, each against a server with faults: counts add up, and nothing is paid twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from testing.mock_server import Server
from testing.mock_teacher import letters, reply

FAULTS = {"busy": 0.08, "error": 0.05, "reset": 0.02, "malformed": 0.02, "empty": 0.03, "refused": 0.03}
REAL = 80  # rows
COUNT = 80  # rows of a method that makes them from all real ones together: two chunks

# Of each recipe: its options for the test, how many rows come out, and from how many real rows at most.
RECIPES: dict[str, tuple[list[str], int]] = {
    "self-instruct": ([f"generate.self_instruct.count={COUNT}"], COUNT),
    "evol-instruct": (["generate.evol_instruct.rounds=2"], 2 * REAL * 9 // 10),
    "personas": ([f"generate.persona.count={COUNT}"], COUNT),
    "rephrase": ([], 2 * REAL),
    "backtranslation": ([], REAL),
    "gemma-text": ([], 2 * REAL),
    "magpie": ([f"generate.magpie.count={COUNT}"], COUNT),
}


def recipe(name: str, folder: Path, server: Server, key: str) -> Recipe:
    path = folder / "real.jsonl"
    text = {"text": ""} if name in ("rephrase", "backtranslation") else {"prompt": "", "answer": "An answer."}
    real = [{**text, next(iter(text)): f"{letters(at)} is what row {at} is about."} for at in range(REAL)]
    path.write_text("".join(json.dumps(row) + "\n" for row in real), encoding="utf-8")
    server_options = f"url: '{server.url}', retries: 8"
    style = ", style: completions" if name == "magpie" else ""
    roles = [
        f"teacher={{endpoint: {{{server_options}, model: m{style}}}}}",
        f"judge={{endpoint: {{{server_options}, model: judge}}}}",
    ]
    return Recipe.load(name, [f"real={path}", *roles, *RECIPES[name][0], f"seed={key}"])


@pytest.mark.parametrize("name", RECIPES)
def test_every_row_has_its_end_and_made_again_nobody_is_asked(name: str, tmp_path: Path) -> None:
    with Server(models=("m", "judge"), say=reply, faults=FAULTS, wait="0.01") as server:
        made = recipe(name, tmp_path, server, "0")
        tally = make(made, tmp_path / "out")
        before, first = len(server.bodies), (tmp_path / "out/rows.parquet").read_bytes()
        assert make(made, tmp_path / "out").counts == tally.counts
        assert len(server.bodies) == before
        assert (tmp_path / "out/rows.parquet").read_bytes() == first
        asked = {json.dumps(body, sort_keys=True) for body in server.bodies}
        assert server.did["answered"] == len(asked) < before, "each request was answered once, some at a later try"
    rows = RunFolder(tmp_path / "out").rows("rows") or []
    assert len(rows) == tally.made == RECIPES[name][1] == tally.counts.total()
    assert len({row.id for row in rows}) == len(rows)
    assert {row.status for row in rows} == {"kept", "rejected", "failed"}
    assert all(row.reason for row in rows if row.status != "kept")
    assert tally.counts["kept"] > 0.6 * len(rows)
    assert {(row.origin, row.source, row.method) for row in rows} == {("synthetic", "m", made.generate[0].method)}
    real = {row.id for row in RunFolder(tmp_path / "out").rows("real") or []}
    assert all(set(row.parents) <= real for row in rows)
    assert all(row.parents for row in rows) == (name != "magpie")
    said = [(row.prompt, row.answer) for row in rows if row.status == "kept"]
    assert len(set(said)) == len(said)
    twice = {"rejected: dedup", "rejected: dedup_prompts"}
    assert not twice & tally.reasons.keys(), "no two chunks make the same rows"


@pytest.mark.parametrize("name", ["self-instruct", "personas", "magpie"])
def test_a_larger_count_keeps_what_was_made_before(name: str, tmp_path: Path) -> None:
    with Server(models=("m", "judge"), say=reply) as server:
        made = recipe(name, tmp_path, server, "1")
        make(made, tmp_path / "out")
        rows = RunFolder(tmp_path / "out").rows("rows") or []
        before, method = len(server.bodies), made.generate[0].method
        tree = made.dump()
        tree["generate"][0][method]["count"] = 64 + 64
        make(Recipe.of(tree), tmp_path / "out")
    more = RunFolder(tmp_path / "out").rows("rows") or []
    assert len(more) == 128
    assert [row.id for row in more[:64]] == [row.id for row in rows[:64]], "whole chunks stay as they were"
    assert len(server.bodies) < before * 128 / 64
