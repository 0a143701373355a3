"""What selfsown writes, selfsown reads: an export in any format gives the prompts and answers that went into it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import kept
import pytest
from command import run_in_process
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.audit.data_source import ColumnNames, open_source
from selfsown.export.export import export
from selfsown.records import Row
from selfsown.tasks.file import Task

TEXT = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text + "?")
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5)
FORMATS = ("prompt-completion", "alpaca", "rows")


def read(out: Path) -> list[tuple[str, str]]:
    """The rows of the only file of an export, as a recipe would have them."""
    (path,) = (out / "data").iterdir()
    return [(row.prompt, row.answer) for row in Task(str(path)).pose(0)]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=6, deadline=None)
@given(pairs=PAIRS)
def test_prompts_and_answers_come_back(format: str, kind: str, pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        made = kept.made(Path(folder) / "run", [kept.row(*pair, sample_index=at) for at, pair in enumerate(pairs)])
        done = export(made, Path(folder) / "out", format=format, file_format=kind)
        assert read(done.out) == pairs


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("format", ["text", "rows"])
@settings(max_examples=6, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_documents_come_back(format: str, kind: str, texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        made = kept.made(Path(folder) / "run", [kept.row("", text, sample_index=at) for at, text in enumerate(texts)])
        done = export(made, Path(folder) / "out", format=format, file_format=kind)
        assert read(done.out) == [("", text) for text in texts]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@settings(max_examples=6, deadline=None)
@given(pairs=st.dictionaries(TEXT, TEXT, min_size=1, max_size=5))
def test_of_a_preference_the_chosen_answer_comes_back(kind: str, pairs: dict[str, str]) -> None:
    rows = [kept.row(prompt, answer, sample_index=at) for at, (prompt, answer) in enumerate(pairs.items())]
    worse = [kept.row(row.prompt, f"not {row.answer}", 0.0, sample_index=row.sample_index) for row in rows]
    with TemporaryDirectory() as folder:
        made = kept.made(Path(folder) / "run", [*rows, *worse])
        done = export(made, Path(folder) / "out", format="preference", file_format=kind)
        assert sorted(read(done.out)) == sorted(pairs.items())


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("format", [*FORMATS, "text", "preference"])
def test_a_folder_of_an_export_is_audited(format: str, kind: str, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    rows = [kept.row(f"what of {at}?", f"it is {at}", sample_index=at) for at in range(8)]
    worse = [kept.row(row.prompt, "nothing", 0.0, sample_index=row.sample_index) for row in rows]
    done = export(kept.made(tmp_path / "run", [*rows, *worse]), tmp_path / "out", format=format, file_format=kind)
    found = list(open_source(str(done.out), ColumnNames()).rows())
    joined = {f"{row.prompt}\n{row.answer}" for row in rows}
    assert {f"{row.prompt}\n{row.answer}" if row.prompt else row.answer for row in found} == joined


def test_the_audit_command_takes_an_export(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    rows: list[Row] = [kept.row(f"what of {at}?", f"it is {at}", sample_index=at) for at in range(8)]
    done = export(kept.made(tmp_path / "run", rows), tmp_path / "out", format="alpaca")
    ended = run_in_process(tmp_path, "audit", str(done.out), "--against", str(done.out), "--json")
    assert json.loads(ended.stdout)["rows"] == {"synthetic": 8, "real": 8}, ended.stderr
