"""The run folder: what is written comes back, is there whole or not at all, and belongs to one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Grade, Row, Score, SelfsownError, Verdict
from selfsown.run_folder import RunFolder

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
grades = st.builds(
    Grade,
    score=st.floats(0, 1),
    reason=texts,
    grader=texts,
    evidence=st.sampled_from(["execution", "vote", "rule"]),
    correction=st.none() | st.tuples(texts, texts),
)
rows = st.builds(
    Row,
    prompt=texts,
    answer=texts,
    problem=texts,
    target=texts,
    origin=st.sampled_from(["real", "synthetic"]),
    source=texts,
    method=texts,
    parents=st.lists(texts, max_size=3).map(tuple),
    generation=st.integers(0, 100),
    sample_index=st.integers(0, 2**40),
    level=st.integers(0, 9),
    metadata=st.dictionaries(texts, texts, max_size=3),
    grades=st.lists(grades, max_size=3).map(tuple),
    status=st.sampled_from(["", "kept", "rejected", "failed"]),
    reason=texts,
)
FIRST = Recipe.load("first")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.locked(tmp_path / "run", FIRST.dump(), FIRST.steps()) as opened:
        yield opened


@settings(deadline=None, max_examples=50)
@given(st.lists(rows, max_size=5))
def test_rows_come_back_as_they_were_written(written: list[Row]) -> None:
    with TemporaryDirectory() as folder, RunFolder.locked(Path(folder) / "run", FIRST.dump(), FIRST.steps()) as store:
        store.write_rows("rows", written)
        assert store.rows("rows") == written
        assert [row.id for row in store.rows("rows") or []] == [row.id for row in written]


def test_what_is_not_there_yet_is_none(store: RunFolder) -> None:
    assert store.rows("real") is None
    assert store.generation(0) is None
    assert store.model(0) is None
    assert store.generations() == []


def test_a_generation_comes_back_as_it_was_written(store: RunFolder) -> None:
    score = Score("accuracy", 0.5, 10, 0.2, 0.8, "level=1")
    verdict = Verdict(False, "fell", "progress", {"fall": 0.2})
    written = Generation(0, 0, 2, {"made": 3, "kept": 3}, 0.5, (score,), (verdict,))
    store.write_generation(written)
    assert store.generations() == [written]
    assert not written.accepted


def test_the_folder_of_another_recipe_is_refused_by_the_key_that_differs(tmp_path: Path) -> None:
    with RunFolder.locked(tmp_path / "run", FIRST.dump(), FIRST.steps()):
        pass
    other = replace(FIRST, seed=7).dump()
    with pytest.raises(SelfsownError, match="seed was 0 and is now 7"), RunFolder.locked(tmp_path / "run", other, []):
        pass


def test_the_folder_of_an_older_version_lacks_keys_that_came_since(tmp_path: Path) -> None:
    older = {key: value for key, value in FIRST.dump().items() if key not in ("generate_with", "max_train_rows")}
    with RunFolder.locked(tmp_path / "run", older, FIRST.steps()):
        pass
    with RunFolder.locked(tmp_path / "run", FIRST.dump(), FIRST.steps()) as store:
        assert store.recipe()["generate_with"] == "teacher"


def test_the_folder_of_an_older_version_is_another_recipe_s_where_the_new_key_says_something(tmp_path: Path) -> None:
    older = {key: value for key, value in FIRST.dump().items() if key != "generate_with"}
    with RunFolder.locked(tmp_path / "run", older, FIRST.steps()):
        pass
    other = replace(FIRST, generate_with="student").dump()
    with (
        pytest.raises(SelfsownError, match="generate_with was 'teacher' and is now 'student'"),
        RunFolder.locked(tmp_path / "run", other, FIRST.steps()),
    ):
        pass


def test_more_generations_may_be_asked_for_but_not_fewer(tmp_path: Path) -> None:
    for generations in (2, 3):
        with RunFolder.locked(tmp_path / "run", replace(FIRST, generations=generations).dump(), FIRST.steps()):
            pass
    fewer = replace(FIRST, generations=1).dump()
    with (
        pytest.raises(SelfsownError, match="it can have more, not fewer"),
        RunFolder.locked(tmp_path / "run", fewer, FIRST.steps()),
    ):
        pass


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with (
        pytest.raises(SelfsownError, match="name a new or an empty folder"),
        RunFolder.locked(tmp_path, FIRST.dump(), []),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_second_process_is_refused(store: RunFolder) -> None:
    script = (
        "import sys; from pathlib import Path; from selfsown.recipe import Recipe; "
        "from selfsown.run_folder import RunFolder\n"
        "r = Recipe.load('first')\n"
        "with RunFolder.locked(Path(sys.argv[1]), r.dump(), r.steps()): pass"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(store.folder)], capture_output=True, text=True, check=False
    )
    assert "another process is using" in found.stderr


def test_a_write_that_fails_leaves_nothing_behind(store: RunFolder) -> None:
    def save(path: Path) -> None:
        path.mkdir()
        (path / "half").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write_model(0, save)
    assert store.model(0) is None
    assert not list((store.folder / "generation-00").iterdir())


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    with RunFolder.locked(tmp_path / "run", FIRST.dump(), FIRST.steps()):
        pass
    (tmp_path / "run" / "generation-01" / ".model.partial").mkdir(parents=True)
    (tmp_path / "run" / ".real.parquet.partial").write_text("half", encoding="utf-8")
    with RunFolder.locked(tmp_path / "run", FIRST.dump(), FIRST.steps()):
        pass
    assert not list((tmp_path / "run").rglob("*.partial"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not allow mounting")
    command = [sys.executable, "-m", "selfsown", "run", "first", str(disk / "run")]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        left = [path.name for path in disk.rglob("*") if path.name.endswith(".partial")]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert found.returncode == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "No space left" in found.stderr
    assert "run the same command again to resume" in found.stderr
    assert left == []


def test_a_file_that_may_not_grow_is_one_line_and_nothing_half_written(tmp_path: Path) -> None:
    """What the system refuses in the middle of a write, on any machine: no file of more than 40 kB."""
    run = f"ulimit -f 40; exec {sys.executable} -m selfsown run first {tmp_path / 'run'}"
    found = subprocess.run(["bash", "-c", run], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert len(found.stderr.strip().splitlines()) == 1
    assert "held_out.parquet" in found.stderr
    assert not list((tmp_path / "run").rglob("*.partial"))
    assert not (tmp_path / "run" / "held_out.parquet").exists()
