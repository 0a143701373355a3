"""Data sets of the `datasets` library: saved folders, folders of files, and names that cannot be reached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfsown.records import SelfsownError
from selfsown.tasks.dataset import Task

datasets = pytest.importorskip("datasets")
ROWS = [
    {"messages": [{"role": "user", "content": f"{at} + 1?"}, {"role": "assistant", "content": f"{at + 1}"}], "by": "x"}
    for at in range(30)
]


@pytest.fixture(scope="module", params=["saved", "saved in splits", "files"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    path, rows = tmp_path_factory.mktemp("set"), datasets.Dataset.from_list(ROWS)
    if request.param == "saved":
        rows.save_to_disk(path)
    elif request.param == "files":
        rows.to_parquet(path / "train.parquet")
    else:
        datasets.DatasetDict({"test": rows.select(range(3)), "train": rows}).save_to_disk(path)
    return str(path)


def refused(path: str, **knobs: Any) -> str:
    with pytest.raises(SelfsownError) as caught:
        list(Task(path, **knobs).pose(0))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_folder_gives_its_rows_in_order(folder: str) -> None:
    rows = list(Task(folder, attributes=("by",)).pose(0))
    assert [(row.prompt, row.answer) for row in rows] == [(f"{at} + 1?", f"{at + 1}") for at in range(30)]
    assert [row.source for row in rows] == [f"{Path(folder).name}:{at}" for at in range(1, 31)]
    assert all(row.metadata == {"by": "x"} and row.target == row.answer for row in rows)
    some = list(Task(folder, rows=5).pose(0))
    assert len(some) == 5
    assert {row.answer for row in some} < {row.answer for row in rows}


def test_a_column_that_is_not_there_is_named(folder: str) -> None:
    assert "available: messages, by" in refused(folder, text="body")


def test_a_split_that_is_not_there_is_named(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_list(ROWS)
    datasets.DatasetDict({"test": rows, "other": rows}).save_to_disk(tmp_path / "saved")
    assert "no split 'train'; available: test, other" in refused(str(tmp_path / "saved"))
    datasets.DatasetDict({"test": rows}).save_to_disk(tmp_path / "one")
    assert len(list(Task(str(tmp_path / "one")).pose(0))) == 30
    assert "no split 'dev'; available: test" in refused(str(tmp_path / "one"), split="dev")
    (tmp_path / "files").mkdir()
    rows.to_parquet(tmp_path / "files" / "train.parquet")
    assert "nope" in refused(str(tmp_path / "files"), split="nope")


def test_what_is_neither_folder_nor_on_the_hub_says_so() -> None:
    paths = ("nosuch/set", "/no/such/folder")
    code = f"""
from selfsown.records import SelfsownError
from selfsown.tasks.dataset import Task
for path in {paths}:
    try:
        list(Task(path).pose(0))
    except SelfsownError as error:
        print(error)
"""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=offline)
    lines = said.stdout.splitlines()
    assert len(lines) == len(paths)
    for path, line in zip(paths, lines, strict=True):
        assert f"{path} cannot be read as a data set: there is no such folder, and on the Hub" in line
