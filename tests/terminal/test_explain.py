"""`explain` takes what a person has: a name, a path, the beginning of an id; and says where ids are."""

from __future__ import annotations

from pathlib import Path

import made
import pytest
from command import Finished, refused, run_in_process

from selfsown.records import Row


@pytest.fixture
def rows() -> list[Row]:
    return [made.judged(index) for index in range(3)]


def explained(folder: Path, *arguments: str) -> Finished:
    return run_in_process(folder, "explain", *arguments)


def test_the_name_alone_is_found_in_runs_and_made(tmp_path: Path, rows: list[Row]) -> None:
    made.folder(tmp_path / "made" / "mine", rows)
    story = explained(tmp_path, "made/mine", rows[0].id)
    assert story.stdout.startswith(f"synthetic row {rows[0].id}: 'what of 0?' → 'answer 0'")
    for arguments in (("mine", rows[0].id), ("mine", rows[0].id[:6]), ("made/mine/", rows[0].id.upper())):
        assert explained(tmp_path, *arguments).stdout == story.stdout
    assert "No model server was asked" in run_in_process(tmp_path, "cost", "mine").stdout
    made.folder(tmp_path / "runs" / "mine", rows)
    both = refused(explained(tmp_path, "mine", rows[0].id))
    assert "mine is runs/mine or made/mine; name one of them" in both


def test_an_unknown_folder_names_the_likest(tmp_path: Path, rows: list[Row]) -> None:
    made.folder(tmp_path / "made" / "answers", rows)
    assert "there is no folder answer; did you mean made/answers?" in refused(explained(tmp_path, "answer", "1"))
    assert "did you mean made/answers?" in refused(run_in_process(tmp_path, "report", "made/anwsers"))
    assert "folders of runs: made/answers" in refused(run_in_process(tmp_path, "cost", "nothing"))
    (tmp_path / "page.html").touch()
    assert "page.html is a file" in refused(explained(tmp_path, "page.html", "1"))


def test_an_unknown_id_says_where_ids_are(tmp_path: Path, rows: list[Row]) -> None:
    made.folder(tmp_path / "made" / "mine", rows)
    line = refused(explained(tmp_path, "mine", "zz"))
    assert "made/mine has no row 'zz'; the page that selfsown report made/mine writes has them, such as" in line
    assert rows[0].id in line
    assert "give more digits of the id" in refused(explained(tmp_path, "mine", ""))
    empty = made.folder(tmp_path / "made" / "empty", [])
    assert "it has no synthetic rows yet" in refused(explained(tmp_path, str(empty), "zz"))


def test_the_terminal_obeys_nothing_in_a_row(tmp_path: Path) -> None:
    row = made.row(1, answer="\x1b[2J", metadata={"name": "\x1b[31m"}).rejected("judge: \x1b[2Jbad\u202e")
    made.folder(tmp_path / "made" / "mine", [row])
    out = explained(tmp_path, "mine", row.id).stdout
    assert not set(out) & {"\x1b", "\u202e"}
    assert "\\x1b[2Jbad" in out
