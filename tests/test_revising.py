"""Revisions, conversations and corrections, and the graders that ask a judge, through `make` with a faulty server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
FAULTS = {"busy": 0.05, "reset": 0.03, "error": 0.03, "cut": 0.02}
ASKED = 100


def say(prompt: str, body: dict[str, Any]) -> str:
    """A teacher and judge who knows squares, and whose drafts are sometimes wrong."""
    form = body.get("response_format")
    if not form:
        if prompt.startswith(("Revise", "Below")):
            return "now it is right" if prompt.startswith("Revise") else "and the next?"
        talk = "".join(str(message["content"]) for message in body["messages"])
        return "it is wrong" if sum(map(ord, talk)) % 3 == 0 else f"it is right {body['seed'] % 2}"
    wanted = form["json_schema"]["schema"]["properties"]
    answer = FENCE.findall(prompt)[-1][1]
    reply: dict[str, Any] = {"reason": "so", "criticism": "so", "fault": "wrong" in answer, "found": "it is right"}
    reply |= {"score": 1 if "wrong" in answer else 5, "keeps": "wrong" not in answer, "better": "first"}
    reply |= {"right": "second" if "it is right" in answer else "first"}
    reply["errors"] = [{"quote": "wrong", "reason": "so", "correction": "right"}] if "wrong" in answer else []
    return json.dumps({name: reply[name] for name in wanted})


def made(folder: Path, server: Server, **changes: Any) -> list[Row]:
    real = folder / "real.jsonl"
    lines = (
        json.dumps({"prompt": f"what of {at}?", "answer": "it is wrong" if at % 4 == 0 else "it is right"})
        for at in range(ASKED)
    )
    real.write_text("\n".join(lines) + "\n", encoding="utf-8")
    there = {"url": server.url, "max_in_flight": 32, "retries": 8}
    tree: dict[str, Any] = {"real": str(real), "curate": ["min_score"]}
    tree |= {"teacher": {"endpoint": {**there, "model": "m"}}, "judge": {"endpoint": {**there, "model": "judge"}}}
    tally = make(Recipe.of({**tree, **changes}), folder / "out")
    rows = RunFolder(folder / "out").rows("rows") or []
    assert tally.made == len(rows) == sum(tally.counts.values()) == len({row.id for row in rows})
    return rows


@pytest.mark.parametrize(
    ("generate", "kept"),
    [
        ({"refine": {"rounds": 2}}, 100),
        ({"refine": {"principles": ["It is right.", "It is kind."], "rounds": 6}}, 100),
        ({"multi_turn": {"turns": 2}}, range(20, 95)),
        ({"correct_errors": {}}, 100),
        ({"correct_errors": {"confirm": False}}, 100),
    ],
    ids=repr,
)
def test_every_real_row_becomes_one_with_its_end_and_done_again_it_asks_nobody(
    generate: dict[str, Any], kept: int | range, tmp_path: Path
) -> None:
    with Server(models=("m", "judge"), say=say, faults=FAULTS, wait="0.01") as server:
        rows = made(tmp_path, server, generate=[generate], grade=["judge"])
        before = len(server.bodies)
        assert made(tmp_path, server, generate=[generate], grade=["judge"]) == rows
        assert len(server.bodies) == before
    assert len(rows) == ASKED
    ends = [row.status for row in rows]
    assert "failed" not in ends
    assert ends.count("kept") in (kept if isinstance(kept, range) else [kept])
    real = {row.id for row in RunFolder(tmp_path / "out").rows("real") or []}
    assert {parent for row in rows for parent in row.parents} == real


@pytest.mark.parametrize(
    "grade",
    [
        {"panel": {"rubrics": ["Is it right?", "Is it clear?"]}},
        {"constitution": {"principles": ["It is right.", "It is kind.", "It is short."], "samples": 2}},
        {"pairwise": {}},
        {"roundtrip": {"direction": "question"}},
        {"solver_gap": {"samples": 2}},
    ],
    ids=repr,
)
def test_every_row_of_several_answers_has_one_grade_and_done_again_it_asks_nobody(
    grade: dict[str, Any], tmp_path: Path
) -> None:
    with Server(models=("m", "judge"), say=say, faults=FAULTS, wait="0.01") as server:
        rows = made(tmp_path, server, generate=[{"sample": {"n": 3}}], grade=[grade], curate=[])
        before = len(server.bodies)
        assert made(tmp_path, server, generate=[{"sample": {"n": 3}}], grade=[grade], curate=[]) == rows
        assert len(server.bodies) == before
    assert len(rows) == 3 * ASKED
    assert {row.status for row in rows} == {"kept"}
    assert all([each.grader for each in row.grades] == list(grade) for row in rows)
    if next(iter(grade)) in ("panel", "constitution"):
        assert {(row.score > 0.5) == ("right" in row.answer) for row in rows} == {True}
    if "pairwise" in grade:  # this judge says "first" whatever it is shown
        assert {row.score for row in rows} == {0.5}
