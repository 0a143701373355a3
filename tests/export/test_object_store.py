"""A data set at an address: all of it, in place of an earlier one, and of nothing else."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import kept
import pytest
from command import refused, run_in_process

from selfsown.contamination.questions import read_benchmarks
from selfsown.errors import DataError
from selfsown.export import shards
from selfsown.export.export import export
from selfsown.export.object_store import push

fsspec = pytest.importorskip("fsspec")
ROWS = [kept.row(f"{at}?", str(at), sample_index=at) for at in range(4)]


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    """An S3 server, which fsspec reaches by the variables of Amazon's clients."""
    pytest.importorskip("s3fs", reason="neither s3fs nor a server for it are among what is installed for tests")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        requests = pytest.importorskip("werkzeug.serving").WSGIRequestHandler
        patch.setattr(requests, "log", lambda *_: None)  # standard error is the command's
        server.start()
        host, port = server.get_host_and_port()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "anything")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        fsspec.filesystem("s3").mkdir("bucket")
        yield
        server.stop()


@pytest.fixture(params=["memory", "file", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where nothing is yet."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    place = tmp_path / "bucket" if request.param == "file" else f"bucket/{uuid.uuid4()}"
    return f"{request.param}://{place}"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return export(kept.made(tmp_path / "made", ROWS), tmp_path / "sums").out


def files(address: str) -> dict[str, bytes]:
    system, place = fsspec.url_to_fs(address)
    system.invalidate_cache()
    return {str(path).removeprefix(f"{place}/"): system.cat_file(path) for path in system.find(place)}


def files_of(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_all_of_it_is_there_and_a_smaller_one_replaces_a_larger_one(
    out: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS_PER_FILE", 1)
    larger = export(out.parent / "made", out.parent / "larger").out
    assert len(files_of(larger)) > len(files_of(out))
    for data in (larger, out, larger):
        done = run_in_process(out.parent, "push", str(data), f"{address}/")
        assert (done.returncode, done.stdout) == (0, f"{address}\n"), done.stderr
        assert files(address) == files_of(data)


def test_rows_at_an_address_are_audited_and_deduplicated(out: Path, address: str) -> None:
    push(out, address)
    rows = f"{address}/data/train-00000-of-00001.parquet"
    here = str(out / "data" / "train-00000-of-00001.parquet")
    done = run_in_process(out.parent, "audit", rows, "--against", here, "--benchmark", rows)
    assert done.returncode == 4, done.stderr  # all of them are questions of the benchmark
    assert "4 synthetic rows" in done.stdout
    for benchmark in (rows, {"file": rows}):
        ((name, questions),) = read_benchmarks([benchmark]).items()
        assert name == "train-00000-of-00001.parquet"
        assert [question.text for question in questions] == ["0?", "1?", "2?", "3?"]
    done = run_in_process(out.parent, "dedup", rows, "--against", rows, "--out", "rest.parquet")
    assert done.returncode == 4, done.stderr
    assert "Dropped 4 of 4 rows" in done.stdout


def test_what_a_lost_connection_left_says_so_and_is_replaced(
    out: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(out, address)
    with monkeypatch.context() as patch:
        system, _ = fsspec.url_to_fs(address)

        def lost(*_: object, **__: object) -> None:
            raise OSError("connection lost")

        patch.setattr(system, "put_file", lost)
        with pytest.raises(DataError, match=r"cannot be written .OSError: connection lost.; check"):
            push(out, address)
    assert b"not complete" in files(address)["README.md"]
    push(out, address)
    assert files(address) == files_of(out)


@pytest.mark.parametrize(
    "name", ["notes.txt", "data/train/notes.txt", "data/other.parquet", "data/train-0.parquet", "README.md"]
)
def test_other_files_are_neither_replaced_nor_deleted(out: Path, address: str, name: str) -> None:
    system, place = fsspec.url_to_fs(address)
    if address.startswith("file"):
        os.makedirs(os.path.dirname(f"{place}/{name}"))
    system.pipe_file(f"{place}/{name}", b"---\ntags: [mine]\n---\n")
    before = files(address)
    done = run_in_process(out.parent, "push", str(out), address)
    assert f"{address} holds other files than an export" in refused(done)
    assert files(address) == before


def test_what_does_not_fit_is_one_line(out: Path) -> None:
    for arguments, reason in (
        (("sums", "nonsense://bucket/x"), "nonsense://bucket/x cannot be written"),
        (("sums", "memory://bucket/x", "--public"), "--public is for the hub"),
        (("made", "memory://bucket/x"), "made is not an export"),
    ):
        assert reason in refused(run_in_process(out.parent, "push", *arguments))
    assert not files("memory://bucket/x")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "first", "s3://bucket/x"),
        ("make", "answers", "s3://bucket/x", "--set", "real=prompts.txt", "--set", "teacher={endpoint: {url: U}}"),
        ("export", "made", "s3://bucket/x"),
        ("export", "s3://bucket/x", "elsewhere"),
        ("report", "s3://bucket/x"),
        ("dedup", "prompts.txt", "--out", "s3://bucket/x"),
        ("audit", "prompts.txt", "--against", "prompts.txt", "--html", "s3://bucket/x"),
    ],
)
def test_a_path_that_must_be_on_this_machine_is_no_address(out: Path, arguments: tuple[str, ...]) -> None:
    (out.parent / "prompts.txt").write_text("one\ntwo\n", encoding="utf-8")
    before = sorted(out.parent.iterdir())
    line = refused(run_in_process(out.parent, *arguments))
    assert "s3://bucket/x is an address, and this must be a path on this machine" in line
    assert sorted(out.parent.iterdir()) == before, "no folder with the name s3:"
