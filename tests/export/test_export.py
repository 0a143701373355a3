"""An export is there whole or not at all, and holds each kept row that stands exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import folders
import kept
import pytest
from command import run_in_process
from forked import begun
from hypothesis import given, settings
from hypothesis import strategies as some
from kept import records
from test_make import prompts, recipe, serving

from selfsown.export import shards
from selfsown.export.export import export
from selfsown.pipeline import make
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder, generation_dir

TEXTS = some.text(some.characters(exclude_categories=["Cs"]), max_size=12)
ENDS = some.sampled_from(["kept", "rejected", "failed"])
LAPS = some.lists(some.tuples(some.booleans(), some.lists(some.tuples(TEXTS, TEXTS, ENDS), max_size=8)), max_size=4)


@settings(deadline=None, max_examples=20)
@given(LAPS, some.sampled_from(["parquet", "jsonl"]))
def test_every_kept_row_that_stands_is_in_the_export_exactly_once(
    laps: list[tuple[bool, list[tuple[str, str, str]]]], kind: str
) -> None:
    generations = [
        [
            replace(kept.row(prompt, answer, sample_index=at, generation=number), status=end, reason="why")
            for at, (prompt, answer, end) in enumerate(rows)
        ]
        for number, (_, rows) in enumerate(laps, 1)
    ]
    wanted = [
        row
        for (stands, _), rows in zip(laps, generations, strict=True)
        for row in rows
        if stands and row.status == "kept"
    ]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "out")
        folder = kept.run(Path(scratch, "run"), *generations, stands=[stands for stands, _ in laps])
        if not wanted:
            with pytest.raises(SelfsownError, match="no row was kept" if laps else "has no finished rows yet"):
                export(folder, out)
            assert not out.exists()
            return
        export(folder, out, format="rows", file_format=kind)
        assert [record["id"] for record in records(out)] == [row.id for row in wanted]
        export(folder, out, format="text", separator="\t", file_format=kind)
        said = Counter(f"{row.prompt}\t{row.answer}" if row.prompt else row.answer for row in wanted)
        assert Counter(record["text"] for record in records(out)) == said


def test_a_real_run_is_exported(tmp_path: Path) -> None:
    folder = folders.run(tmp_path / "run")
    store = RunFolder(folder)
    rows = [row for at in (1, 2) for row in store.rows(f"{generation_dir(at)}/rows") or []]
    done = export(folder, tmp_path / "out")
    wanted = [{"prompt": row.prompt, "completion": row.answer} for row in rows if row.status == "kept"]
    assert records(tmp_path / "out") == wanted
    assert done.rows == len(wanted) > 10


def test_the_rows_that_make_leaves_are_exported(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        make(recipe(tmp_path, server, curate=["min_score"]), tmp_path / "made")
    done = export(tmp_path / "made", tmp_path / "out")
    rows = RunFolder(tmp_path / "made").rows("rows") or []
    wanted = [{"prompt": row.prompt, "completion": row.answer} for row in rows if row.status == "kept"]
    assert records(done.out) == wanted
    card = (done.out / "README.md").read_text(encoding="utf-8")
    assert "| teacher | `m` | `127.0.0.1` |" in card
    assert "## Cost" in card


def test_real_rows_come_after_the_others_if_asked_for_and_held_out_ones_never(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [kept.row("a?", "b")])
    export(folder, tmp_path / "out", real=True)
    wanted = [("a?", "b"), *((row.prompt, row.answer) for row in kept.REAL)]
    assert [(each["prompt"], each["completion"]) for each in records(tmp_path / "out")] == wanted


def test_rows_are_spread_over_files_that_say_how_many_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_PER_FILE", 3)
    rows = [kept.row(f"{at}?", str(at), sample_index=at) for at in range(7)]
    export(kept.made(tmp_path / "made", rows), tmp_path / "out", file_format="jsonl")
    names = [path.name for path in sorted((tmp_path / "out/data").iterdir())]
    assert names == [f"train-{at:05d}-of-00003.jsonl" for at in range(3)]
    assert [each["completion"] for each in records(tmp_path / "out")] == [row.answer for row in rows]


def test_only_an_export_of_ours_is_replaced(tmp_path: Path) -> None:
    folder, out = kept.made(tmp_path / "made", [kept.row("a?", "b")]), tmp_path / "out"
    out.mkdir()
    export(folder, out)
    export(folder, out, format="text", file_format="jsonl")
    assert [path.name for path in (out / "data").iterdir()] == ["train-00000-of-00001.jsonl"]
    (out / "notes.txt").write_text("mine")
    for place_taken in (out, folder, folder / "recipe.yaml"):
        with pytest.raises(SelfsownError, match="name a new or an empty folder"):
            export(folder, place_taken)
    assert records(out) == [{"text": "a?\nb"}]


def test_where_nothing_was_kept_nothing_is_written(tmp_path: Path) -> None:
    folder = kept.run(tmp_path / "run", [kept.row("a?", "b", 0.0)], [kept.row("a?", "b")], stands=[True, False])
    for chosen in ("", "preference", "rows"):
        with pytest.raises(SelfsownError, match=r"no row was kept in .* of 1 generated.*generation 2, rolled back"):
            export(folder, tmp_path / "new/out", format=chosen, real=chosen == "rows")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "sharegtp"}, "did you mean 'sharegpt'"),
        ({"file_format": "csv"}, "unknown file format 'csv'; available: jsonl, parquet"),
        ({"format": "alpaca", "reasoning": True}, "cannot hold reasoning; formats that can: conversational"),
        ({"separator": " "}, "has no separator between prompt and answer; only text has"),
    ],
)
def test_an_invalid_option_is_refused(options: dict[str, object], said: str, tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [kept.row("a?", "b")])
    with pytest.raises(SelfsownError, match=said):
        export(folder, tmp_path / "out", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_what_was_killed_before_its_rows_were_whole_is_to_be_given_again(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [])
    (folder / "rows.parquet").unlink()
    with pytest.raises(SelfsownError, match=r"has no finished rows yet; repeat its command"):
        export(folder, tmp_path / "out")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match=r"no recipe\.yaml"):
        export(tmp_path / "gone", tmp_path / "out")
    folder = kept.made(tmp_path / "made", [kept.row("a?", "b")] * 5000)
    whole = (folder / "rows.parquet").read_bytes()
    (folder / "rows.parquet").write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    with pytest.raises(SelfsownError, match=r"rows\.parquet is damaged"):
        export(folder, tmp_path / "out")
    (tmp_path / "many").mkdir()
    (tmp_path / "many/compare.json").write_text("{}")
    with pytest.raises(SelfsownError, match="name one of its runs"):
        export(tmp_path / "many", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def order(folder: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "selfsown", "export", str(folder), str(out), *more]


def test_the_command_takes_every_option_and_reports_the_result(tmp_path: Path) -> None:
    folder, out = kept.made(tmp_path / "made", [kept.row("a?", "b")]), tmp_path / "out"
    options = ("--format", "text", "--file-format", "jsonl", "--separator", "=", "--real")
    done = subprocess.run(order(folder, out, *options), check=True, capture_output=True, text=True)
    assert done.stdout == f"4 text rows are in {out}; {out}/README.md describes them\n"
    assert records(out) == [{"text": f"{row.prompt}={row.answer}"} for row in [kept.row("a?", "b"), *kept.REAL]]
    assert (
        run_in_process(tmp_path, *order(folder, out, "--format", "conversational", "--reasoning")[3:]).returncode == 0
    )
    assert set(records(out)[0]["messages"][0]) == {"role", "content", "reasoning_content"}


def many(folder: Path, rows: int) -> Path:
    """A folder of so many rows, with four answers to each prompt, each of 4,000 characters of its own."""
    rng = random.Random(rows)
    said = (rng.randbytes(2000).hex() for _ in range(rows))
    made: list[Row] = [
        kept.row(f"question {at // 4}", text, at % 4 / 3, sample_index=at) for at, text in enumerate(said)
    ]
    return kept.made(folder, made)


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_the_earlier_export_whole_or_none(tmp_path: Path) -> None:
    folder, out = many(tmp_path / "made", 10_000), tmp_path / "out"
    partial = tmp_path / ".out.partial/data/0.parquet"
    for earlier in (False, True):
        before = records(out) if earlier else None
        running = begun(tmp_path, "export", str(folder), str(out), "--format", "rows")
        while not (partial.exists() and partial.stat().st_size):
            assert running.is_alive()
            time.sleep(0.001)
        running.kill()
        running.join()
        assert running.exitcode == -signal.SIGKILL
        assert out.exists() == earlier
        assert before is None or records(out) == before
        done = run_in_process(tmp_path, "export", str(folder), str(out))
        assert done.stdout.startswith("5,000 prompt-completion rows are in ")
        assert not partial.exists()


PEAK = """
import sys
from selfsown import cli
cli.app(sys.argv[1:], result_action="return_value")
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture(scope="module")
def few_and_many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("many")
    return many(folder / "few", 5_000), many(folder / "many", 50_000)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("options", [("--file-format", "jsonl"), ("--format", "rows"), ("--format", "preference")])
def test_memory_does_not_grow_with_the_rows(
    options: tuple[str, ...], few_and_many: tuple[Path, Path], tmp_path: Path
) -> None:
    peaks = []
    for folder in few_and_many:
        arguments = ["export", str(folder), str(tmp_path / folder.name), *options]
        done = subprocess.run([sys.executable, "-c", PEAK, *arguments], check=True, capture_output=True, text=True)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] / peaks[0] <= 1.3, peaks
