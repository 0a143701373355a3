"""selfsown dedup writes a file without near-duplicates, and says of each dropped row what it is like."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import refused, run_in_process

DRAW = random.Random(0)
WORDS = ["".join(DRAW.choices("abcdefghijklmnoprstuvw", k=DRAW.randrange(2, 10))) for _ in range(2000)]
OWN = [" ".join(DRAW.choices(WORDS, k=40)) for _ in range(60)]
NEAR = [f"{said.partition(' ')[2]} {DRAW.choice(WORDS)}" for said in OWN[:20]]
ROWS = [{"id": place, "text": said} for place, said in enumerate([*OWN, *NEAR], 1)]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def ids(path: Path) -> list[int]:
    if path.suffix == ".parquet":
        return [int(row["id"]) for row in pq.read_table(path).to_pylist()]
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)
        return [int(row["id"]) for row in rows]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_near_duplicates_go_and_the_rest_stays_as_it_was(suffix: str, tmp_path: Path) -> None:
    rows, out = write(tmp_path / f"rows{suffix}", ROWS), tmp_path / f"out{suffix}"
    done = run_in_process(tmp_path, "dedup", str(rows), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert ids(out) == list(range(1, 61))
    assert done.stdout.startswith("Dropped 20 of 80 rows: 20 near-duplicates of an earlier row.")
    reasons = [json.loads(line) for line in Path(f"{out}.dropped.jsonl").read_text().splitlines()]
    first_line = 2 if suffix == ".csv" else 1  # a table begins with its column names
    assert [reason["line"] for reason in reasons] == list(range(60 + first_line, 80 + first_line))
    assert reasons[3]["reason"].endswith(f"with row {3 + first_line}")


def test_rows_like_those_of_other_files_go(tmp_path: Path) -> None:
    rows, real = write(tmp_path / "rows.jsonl", ROWS[50:]), write(tmp_path / "real.parquet", ROWS[:10])
    exam = write(tmp_path / "exam.jsonl", ROWS[10:15])
    done = run_in_process(
        tmp_path,
        "dedup",
        str(rows),
        "--out",
        str(tmp_path / "out.jsonl"),
        "--against",
        str(real),
        "--against",
        str(exam),
        "--json",
    )
    counts = json.loads(done.stdout)
    assert (counts["row_count"], counts["duplicates"], counts["kept"]) == (30, 0, 15)
    assert counts["copies"] == {str(real): 10, str(exam): 5}
    reasons = (tmp_path / "out.jsonl.dropped.jsonl").read_text()
    assert f"with row 1 of {real}" in reasons


def test_the_threshold_decides(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", ROWS)
    for threshold, kept in (("1", 80), ("0.5", 60)):
        done = run_in_process(
            tmp_path, "dedup", str(rows), "--out", str(tmp_path / "out.jsonl"), "--json", "--max-similarity", threshold
        )
        assert json.loads(done.stdout)["kept"] == kept


def test_what_cannot_be_done_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", ROWS)
    mine = write(tmp_path / "mine.jsonl", ROWS[:3])
    before = mine.read_bytes()

    def refusal(*arguments: str) -> str:
        return refused(run_in_process(tmp_path, "dedup", *arguments))

    assert "no such file" in refusal("none.jsonl", "--out", "out.jsonl")
    assert "is not from an earlier drop" in refusal("rows.jsonl", "--out", "mine.jsonl")
    assert "is an input" in refusal("rows.jsonl", "--out", "rows.jsonl")
    assert "name a file: --out out.jsonl" in refusal("rows.jsonl", "--out", "out.csv")
    assert "above 0 and at most 1" in refusal("rows.jsonl", "--out", "out.jsonl", "--max-similarity", "7")
    assert mine.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.jsonl", "rows.jsonl"]


def test_no_row_left_is_no_success(tmp_path: Path) -> None:
    rows, real = write(tmp_path / "rows.jsonl", ROWS[:10]), write(tmp_path / "real.jsonl", ROWS[:10])
    done = run_in_process(tmp_path, "dedup", str(rows), "--out", str(tmp_path / "out.jsonl"), "--against", str(real))
    assert (done.returncode, "no row is left" in done.stderr) == (4, True)
