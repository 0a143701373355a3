"""Real rows at an address: copied once, read like a file of this machine, refused in one line."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import refused, run_in_process

from selfsown.files.remote import local_file
from selfsown.recipe.recipe import Recipe
from testing.mock_server import Server

pytest.importorskip("fsspec")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """The address at which a web server has the files of a folder."""
    (tmp_path / "files").mkdir()
    lines = [json.dumps({"prompt": f"question {at}", "answer": f"{at}"}) + "\n" for at in range(30)]
    (tmp_path / "files" / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "files"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_rows_at_an_address_are_those_of_the_file(tmp_path: Path, host: str) -> None:
    recipe = {"teacher": {"endpoint": {"url": "http://localhost:1/v1", "model": "m"}}, "generate": ["sample"]}
    there = Recipe.of({**recipe, "real": f"{host}/rows.jsonl"}).real()
    here = Recipe.of({**recipe, "real": str(tmp_path / "files" / "rows.jsonl")}).real()
    assert there.name == "rows.jsonl"
    assert [(row.prompt, row.answer, row.source) for row in there.pose(0)] == [
        (row.prompt, row.answer, row.source) for row in here.pose(0)
    ]
    assert local_file(f"{host}/rows.jsonl") == local_file(f"{host}/rows.jsonl")


def test_make_reads_its_prompts_at_an_address(tmp_path: Path, host: str) -> None:
    with Server() as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m}}}}"
        changes = ("--set", f"real={host}/rows.jsonl", "--set", teacher, "--set", "grade=", "--set", "curate=dedup")
        done = run_in_process(tmp_path, "make", "answers", "out", "--no-report", *changes)
    assert done.returncode == 0, done.stderr
    assert "30 real rows" in done.stdout


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("HOST/none.jsonl", "none.jsonl cannot be read"),
        ("nonsense://bucket/rows.jsonl", "nonsense://bucket/rows.jsonl cannot be read"),
        ("http://127.0.0.1:1/rows.jsonl", "cannot be read"),
    ],
)
def test_an_address_without_rows_is_one_line(tmp_path: Path, host: str, address: str, reason: str) -> None:
    address = address.replace("HOST", host)
    teacher = "teacher={endpoint: {url: http://localhost:1/v1, model: m}}"
    done = run_in_process(tmp_path, "make", "answers", "out", "--set", f"real={address}", "--set", teacher)
    assert reason in refused(done)
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = "teacher={endpoint: {url: http://localhost:1/v1, model: m}}"
    for package, address, remedy in (
        ("fsspec", "memory://bucket/rows.jsonl", "pip install 'selfsown[remote]'"),
        ("gcsfs", "gs://bucket/rows.jsonl", "one for gs://: ImportError: Please install gcsfs"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        done = run_in_process(tmp_path, "make", "answers", "out", "--set", f"real={address}", "--set", teacher)
        assert f"{address} needs a package that is not installed" in refused(done)
        assert remedy in refused(done)
        monkeypatch.undo()
