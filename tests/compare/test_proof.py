"""Whether synthetic rows help is a verdict: better, worse, or no proof."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfsown.compare import proof
from selfsown.compare.plan import Plan
from selfsown.records import Generation, Score, SelfsownError
from selfsown.store import Store

KEYS = ("accuracy", "accuracy[level=1]", "accuracy[level=2]", "loss", "diversity")


def compared(plan: Plan, folder: Path, **ends: list[float]) -> dict[str, Any]:
    """A comparison with these last scores of the arms; the first run is on disk as far as it is read."""
    better = {"loss": "lower", "diversity": "neither"}
    scores = tuple(Score(key, 0.5, 100, 0.4, 0.6, better=better.get(key, "higher")) for key in KEYS)  # type: ignore[arg-type]
    first = plan.runs(folder)[0].folder
    first.mkdir(parents=True, exist_ok=True)
    (first / "recipe.yaml").write_text("name: first\n")
    Store(first).write_generation(Generation(0, 0, 1, {}, 1.0, scores))
    arms = [{"name": name, "scores": {key: {"last": values} for key in KEYS}} for name, values in ends.items()]
    return {"arms": arms}


def judged(folder: Path, goal: str = "accuracy", **ends: list[float]) -> dict[str, Any]:
    plan = proof.planned("first", [f"goal={goal}"], len(ends["graded"]))
    return proof.prove(plan, folder, compared(plan, folder, **ends))


@pytest.mark.parametrize(
    ("graded", "real", "goal", "verdict"),
    [
        ([0.80, 0.82, 0.81], [0.60, 0.63, 0.59], "accuracy", "better"),
        ([0.60, 0.63, 0.59], [0.80, 0.82, 0.81], "accuracy", "worse"),
        ([0.60, 0.83, 0.59], [0.62, 0.72, 0.61], "accuracy", "no proof"),
        ([1.60, 1.63, 1.59], [1.80, 1.82, 1.81], "loss", "better"),
        ([0.60, 0.60, 0.60], [0.50, 0.50, 0.50], "accuracy", "no proof"),  # no spread at all is no proof
        ([0.30, 0.60, 0.80], [0.20, 0.50, 0.70], "accuracy", "no proof"),  # nor is the rounding of such numbers
    ],
)
def test_the_verdict(tmp_path: Path, graded: list[float], real: list[float], goal: str, verdict: str) -> None:
    found = judged(tmp_path, goal, graded=graded, real=real, shuffled=real)
    assert found["verdict"] == verdict
    assert json.loads((tmp_path / "compare.json").read_text())["proof"]["verdict"] == verdict


def test_no_proof_says_how_many_seeds_it_takes(tmp_path: Path) -> None:
    found = judged(tmp_path, graded=[0.60, 0.70, 0.66], real=[0.61, 0.65, 0.60], shuffled=[0.6, 0.6, 0.6])
    assert found["verdict"] == "no proof"
    assert "it takes about" in " ".join(found["sentences"])


def test_no_proof_where_every_seed_differs_by_the_same_is_told_as_such(tmp_path: Path) -> None:
    said = " ".join(judged(tmp_path, graded=[0.6] * 3, real=[0.5] * 3, shuffled=[0.5] * 3)["sentences"])
    assert "says nothing of chance" in said
    assert "a difference of 0 would have shown" not in said


def test_a_goal_of_which_neither_more_nor_less_is_better_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match="neither more nor less of it is better"):
        judged(tmp_path, "diversity", graded=[0.6] * 3, real=[0.5] * 3, shuffled=[0.5] * 3)


def test_strata_are_corrected_for_being_many(tmp_path: Path) -> None:
    graded, real = [0.80, 0.85, 0.80, 0.83], [0.74, 0.80, 0.79, 0.75]
    found = judged(tmp_path, graded=graded, real=real, shuffled=real)
    assert found["verdict"] == "better"
    assert 0.025 < found["gain"]["p"] < 0.05
    assert [each["verdict"] for each in found["strata"].values()] == ["no proof", "no proof"]


def test_the_control_says_whether_choosing_counts(tmp_path: Path) -> None:
    graded, real = [0.80, 0.82, 0.81], [0.60, 0.63, 0.59]
    same = " ".join(judged(tmp_path, graded=graded, real=real, shuffled=[0.81, 0.81, 0.82])["sentences"])
    assert "nothing shows that choosing by grades" in same
    worse = " ".join(judged(tmp_path, graded=graded, real=real, shuffled=[0.50, 0.53, 0.50])["sentences"])
    assert "by choosing the right ones" in worse


def test_what_proves_nothing_is_refused() -> None:
    with pytest.raises(SelfsownError, match="a verdict takes 3"):
        proof.planned("first", [], 2)
    with pytest.raises(SelfsownError, match="no uplift to prove"):
        proof.planned("first", ["generate=[]"], 3)


@pytest.mark.slow
def test_the_command_from_end_to_end(tmp_path: Path) -> None:
    small = ["real.programs.rows=400", "held_out=200", "generations=1", "goal=accuracy", "curate=[passed, duplicates]"]
    small += ["generate=[{propose: {count: 300}}]", "evaluate=[{accuracy: {by: [form]}}]", "guard=[]"]
    small += ["base={tiny: {steps: 10, batch: 16}}", "train={tiny: {steps: 10, batch: 16}}"]
    changes = [word for change in small for word in ("--set", change)]
    order = [sys.executable, "-m", "selfsown", "prove", "first", str(tmp_path / "proof"), "--seeds", "3", *changes]
    ended = subprocess.run(order, capture_output=True, text=True, timeout=500)
    assert ended.returncode in (0, 4, 5), ended.stderr
    assert "on held-out real rows" in ended.stdout
    found = json.loads((tmp_path / "proof" / "compare.json").read_text())["proof"]
    assert found["verdict"] == {0: "better", 4: "worse", 5: "no proof"}[ended.returncode]
    page = (tmp_path / "proof" / "report.html").read_text()
    assert found["headline"] in page
    again = subprocess.run([*order, "--json"], capture_output=True, text=True, timeout=100)
    assert again.returncode == ended.returncode
    assert json.loads(again.stdout) == found
