"""A proof for two files: what is refused, what both arms train on, and that leaks are left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import refused, run_in_process

from selfsown.compare import prove
from selfsown.compare.columns import ColumnOptions
from selfsown.curate.decontaminate import curate
from selfsown.errors import DataError
from selfsown.records import Row


def write(path: Path, count: int, first: int = 0, **columns: str) -> str:
    """Rows of two columns."""
    prompt, answer = columns.get("prompt", "prompt"), columns.get("answer", "answer")
    records = [{prompt: f"What is {at} + 1?", answer: str(at + 1)} for at in range(first, first + count)]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "words", [[], ["first", "--synthetic", "a", "--against", "b"], ["--synthetic", "a"], ["--against", "b"]]
)
def test_a_recipe_or_two_files(words: list[str], tmp_path: Path) -> None:
    assert "--synthetic FILE --against REAL" in refused(run_in_process(tmp_path, "prove", *words))


def test_both_arms_have_the_same_steps_and_only_one_the_synthetic_rows(tmp_path: Path) -> None:
    ours, theirs = write(tmp_path / "a.jsonl", 200, 900, prompt="q"), write(tmp_path / "b.jsonl", 300)
    plan = prove.plan_file_proof(ours, theirs, ColumnOptions(prompt="q", answer="answer"), [], 3)
    with_rows, alone = (arm.recipe(plan.source, 0) for arm in plan.arms)
    assert (with_rows.train, with_rows.generations) == (alone.train, alone.generations)
    assert [step.method for step in with_rows.generate] == ["file"]
    assert not alone.generate
    assert with_rows.goal == "loss[answers]"
    assert [step.method for step in with_rows.evaluate] == ["loss", "accuracy"]


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    ours, theirs = write(tmp_path / "a.jsonl", 99), write(tmp_path / "b.jsonl", 300)
    with pytest.raises(DataError, match="99 rows; 100 or more"):
        prove.plan_file_proof(ours, theirs, ColumnOptions(), [], 3)
    (tmp_path / "c.txt").write_text("".join(f"line {at}\n" for at in range(200)), encoding="utf-8")
    with pytest.raises(DataError, match="has documents, but"):
        prove.plan_file_proof(str(tmp_path / "c.txt"), theirs, ColumnOptions(), [], 3)


def test_a_near_copy_of_a_held_out_row_is_rejected() -> None:
    text = "internationalization characteristically telecommunications misunderstanding stayed"
    held_out, real = [Row("", text)], [Row("", "something else entirely, on another matter")]
    rows = [
        Row("", text.replace("stayed", "stayer"), origin="synthetic"),
        Row("", "not alike at all", origin="synthetic"),
    ]
    assert [row.status for row in curate(rows, real, held_out)] == ["", ""]
    assert [row.status for row in curate(rows, real, held_out, near_copies=True)] == ["rejected", ""]
