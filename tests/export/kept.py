"""Folders to export from, written as a run, or a command that only makes rows, leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import yaml

from selfsown.records import Generation, Grade, Row, Verdict
from selfsown.run_folder import RunFolder, generation_dir

TEACHER = {"endpoint": {"url": "https://models.example.org/v1", "model": "big-one", "api_key": "MY_SECRET_KEY"}}
RECIPE: dict[str, Any] = {
    "name": "mine",
    "description": "rows | of *mine*",
    "real": {"file": {"path": "/home/somebody/seeds.jsonl", "license": "MIT"}},
    "teacher": TEACHER,
    "generate": [{"sample": {"n": 2}}],
    "grade": ["exact_match"],
    "curate": ["min_score"],
}
REAL = [Row(f"real {at}?", str(at), source=f"seeds.jsonl:{at}", sample_index=at) for at in range(3)]


def row(prompt: str, answer: str, score: float = 1.0, **more: Any) -> Row:
    """A graded row, kept where its score is at least a half."""
    grade = Grade(score, "seen", "exact_match", "oracle")
    found = Row(prompt, answer, origin="synthetic", source="big-one", method="sample", grades=(grade,), **more)
    return found.kept() if score >= 0.5 else found.rejected("exact_match: differs")


def run(folder: Path, *generations: Sequence[Row], stands: Sequence[bool] = (), **changes: Any) -> Path:
    """The folder of a run whose generations, from the first on, made these rows."""
    store = _begun(folder, changes)
    store.write_generation(Generation(0, 0, 0, {}, 1.0, ()))
    for number, rows in enumerate(generations, 1):
        store.write_rows(f"{generation_dir(number)}/rows", rows)
        good = not stands or stands[number - 1]
        verdicts = (Verdict(good, "" if good else "worse", "regression"),)
        store.write_generation(Generation(number, 0, 0, {}, 0.5, (), verdicts))
    return folder


def made(folder: Path, rows: Sequence[Row], **changes: Any) -> Path:
    """A folder of rows that nobody was trained on."""
    _begun(folder, changes).write_rows("rows", rows)
    return folder


def records(out: Path) -> list[dict[str, Any]]:
    """What stands in the files, in their order."""
    found: list[dict[str, Any]] = []
    for path in sorted((out / "data").iterdir()):
        if path.suffix == ".jsonl":
            found += map(json.loads, path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
        else:
            found += pyarrow.parquet.read_table(path).to_pylist()
    return found


def _begun(folder: Path, changes: dict[str, Any]) -> RunFolder:
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump({**RECIPE, **changes}), encoding="utf-8")
    store = RunFolder(folder)
    store.write_rows("real", REAL)
    store.write_rows("held_out", [Row("held?", "out", source="seeds.jsonl:99")])
    return store
