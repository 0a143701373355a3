"""The loop on instructions: hints by demonstration, learned without them, no held-out prompt posed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import follower
import pytest

from selfsown import loop
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.tasks import measurable

RECIPE = {
    "description": "a student learns to keep constraints",
    "name": "following",
    "held_out": 0.1,
    "student": "./follower.py",
    "generate": [{"solve": {"count": 24, "n": 2, "hint": "half"}}],
    "grade": ["verify", "instructions"],
    "curate": ["min_score", "dedup", "decontaminate", {"cap": {"max_per_prompt": 2}}],
    "mix": "accumulate",
    "train": ["./follower.py"],
    "evaluate": [{"accuracy": {"by": ["kind", "level"]}}, "instructions", "loss"],
    "goal": "accuracy",
    "guard": ["regression"],
    "generations": 2,
}


def recipe(folder: Path, answers: int = 40, **changes: Any) -> Recipe:
    folder.mkdir(exist_ok=True)
    shutil.copy(follower.__file__, folder)
    records = [{"prompt": f"Describe the lake by village {chr(97 + at % 26)}{at}."} for at in range(60)]
    records = [{**record, **({"answer": "It is deep."} if at < answers else {})} for at, record in enumerate(records)]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    options = {"path": str(folder / "prompts.jsonl"), "kinds": ["lowercase", "no_digits"], "held_out_rows": 40}
    return Recipe.of({**RECIPE, "real": {"instructions": options}, **changes}, folder)


def test_it_learns_from_hinted_answers_and_is_measured_on_prompts_without_an_answer(tmp_path: Path) -> None:
    following = recipe(tmp_path / "mine")
    history = loop.run(following, tmp_path / "run")
    assert [generation.score("accuracy").value for generation in history] == [0.0, 1.0, 1.0]  # type: ignore[union-attr]
    accuracy, loss = history[2].score("accuracy"), history[2].score("loss")
    assert accuracy
    assert loss
    store = RunFolder(tmp_path / "run")
    real, held_out = store.rows("real") or [], store.rows("held_out") or []
    measured = measurable(held_out, following.real())
    assert history[2].score("accuracy[kind=lowercase]")
    assert 0 < accuracy.n < sum(not row.answered for row in measured)
    assert 0 < loss.n < sum(row.answered for row in measured)
    rows = store.rows(f"{generation_dir(1)}/rows") or []
    assert not {row.key for row in rows} & {row.key for row in held_out}
    assert {parent for row in rows for parent in row.parents} <= {row.id for row in real}
    kept = [row for row in rows if row.status == "kept"]
    assert kept
    assert {row.metadata["hint"] for row in kept} == {"yes"}
    assert all("messages" not in row.metadata for row in rows)
    wrong = [row for row in rows if row.metadata["hint"] == "no"]
    assert all(
        row.reason.startswith(("verify: lowercase: it has", "verify: no_digits: it has 1 digits")) for row in wrong
    )
    assert any(
        row.metadata["hint"] == "no" for row in store.rows(f"{generation_dir(2)}/rows") or [] if row.status == "kept"
    )


def test_a_file_without_answers_is_measured_too_but_not_by_loss(tmp_path: Path) -> None:
    kinds = {"instructions": {"path": str(tmp_path / "mine/prompts.jsonl"), "held_out_rows": 40}}
    history = loop.run(recipe(tmp_path / "mine", 0, real=kinds, evaluate=["accuracy"], generations=0), tmp_path / "run")
    assert history[0].score("accuracy")
    with pytest.raises(SelfsownError, match="no held-out row has an answer"):
        loop.run(recipe(tmp_path / "mine", 0, real=kinds, generations=0), tmp_path / "other")
    assert not (tmp_path / "other").exists()
