"""`datasets.load_dataset(folder)` opens every export, offline, with the columns that its card declares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the packages are imported

import datasets
import kept
import pytest
from test_formats import ROWS, WANTED

from selfsown.export import shards
from selfsown.export.export import export

datasets.disable_progress_bars()


def loaded(out: Path, cache: Path) -> Any:
    found = datasets.load_dataset(str(out), cache_dir=str(cache))
    assert list(found) == ["train"]
    return found["train"]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", list(WANTED))
def test_a_folder_opens_as_it_was_written(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record a file: the first has no parents and no reasoning from which a type could be guessed."""
    monkeypatch.setattr(shards, "ROWS_PER_FILE", 1)
    out = export(kept.made(tmp_path / "made", ROWS), tmp_path / "out", format=name, file_format=kind).out
    found = loaded(out, tmp_path / "cache")
    assert sorted(found.to_list(), key=repr) == sorted(WANTED[name], key=repr)


def test_reasoning_that_only_a_later_row_has_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_PER_FILE", 1)
    rows = [ROWS[2], ROWS[0]]
    options: dict[str, Any] = {"format": "conversational", "file_format": "jsonl", "reasoning": True}
    out = export(kept.made(tmp_path / "made", rows), tmp_path / "out", **options).out
    found = loaded(out, tmp_path / "cache")
    assert [each[-1]["reasoning_content"] for each in found["messages"]] == [None, "two and two"]
