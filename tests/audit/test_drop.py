"""`--drop OUT` writes the rows that are safe to train on, in the format of the input, and why the others are not."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from unittest import mock

import pyarrow.feather
import pyarrow.parquet
import pytest
from auditing import alarms, audit, records, rows, texts
from command import refused, run_in_process, tree

import selfsown
from selfsown.files.readers import records as read

QUESTION = "which of these nine planets has the longest day of all of them in the outer solar system"
REAL = texts(60, 2, length=60)
FRESH = texts(6, 1, length=60)
MIXED = [  # and why a row is dropped
    (FRESH[0], ""),
    (f"please tell me {QUESTION} now", "contains a question of exam.txt"),
    ("  ", "blank: no text, or none after the prompt"),
    (REAL[3].upper(), "copy of real row 4"),
    (f"{REAL[5]} x", "near copy of real row 6"),
    (f'{FRESH[1]}, "zoë"', ""),
    (f'{FRESH[1]},  "ZOË"', "duplicate of row 6"),
    (f'{FRESH[1]}, "zoë" x', "near duplicate of row 6"),
    (FRESH[2], ""),
    (FRESH[3], ""),
]
ROWS = [{"id": str(at), "text": text, "region": "north" if at % 2 else "süd"} for at, (text, _) in enumerate(MIXED, 1)]
KINDS = ["benchmark", "blank", "copy", "near_copy", "duplicate", "near_duplicate"]


def files(folder: Path) -> list[str]:
    """The real rows and the benchmark, as arguments of an audit."""
    real = records(folder / "real.jsonl", [{"text": text} for text in REAL])
    (folder / "exam.txt").write_text(f"{QUESTION}\n", encoding="utf-8")
    return ["--against", real, "--benchmark", str(folder / "exam.txt")]


def written(path: Path) -> Path:
    table = pyarrow.Table.from_pylist(ROWS)
    match path.suffix:
        case ".parquet":
            pyarrow.parquet.write_table(table, path, row_group_size=4)
        case ".arrow":
            pyarrow.feather.write_feather(table, path)
        case ".json":
            path.write_text(json.dumps(ROWS), encoding="utf-8")
        case ".jsonl":  # no two lines in the same style
            lines = [json.dumps(row, ensure_ascii=bool(at % 2), indent=None) + "  " * at for at, row in enumerate(ROWS)]
            path.write_text("\n".join(lines), encoding="utf-8")
        case _:
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                table_writer = csv.DictWriter(file, [*ROWS[0]], delimiter="\t" if path.suffix == ".tsv" else ",")
                table_writer.writeheader()
                table_writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow"])
def test_every_unsafe_row_is_dropped_from_every_format(suffix: str, tmp_path: Path) -> None:
    source, out = written(tmp_path / f"rows{suffix}"), tmp_path / f"clean{suffix}"
    options = files(tmp_path)
    code, found, said = audit(str(source), *options, "--drop", str(out))
    assert code == 4, said
    first = 1 + (suffix in (".csv", ".tsv"))  # its first line names the columns
    why = [(at, reason) for at, (_, reason) in enumerate(MIXED, first) if reason]
    noted = [json.loads(line) for line in (tmp_path / f"clean{suffix}.dropped.jsonl").read_text("utf-8").splitlines()]
    assert [(each["line"], each["reason"]) for each in noted] == [
        (at, reason.replace("of row 6", f"of row {5 + first}")) for at, reason in why
    ]
    kept = [row for row, (_, reason) in zip(ROWS, MIXED, strict=True) if not reason]
    assert [record for _, record in read(out)] == kept
    assert (found["drop"]["dropped"], found["drop"]["rows"]) == (dict.fromkeys(KINDS, 1), 10)
    assert found["drop"]["written"] == 4
    if suffix in (".jsonl", ".csv", ".tsv"):
        lines = source.read_bytes().splitlines(keepends=True)
        dropped = {each["line"] for each in noted}
        assert out.read_bytes() == b"".join(line for at, line in enumerate(lines, 1) if at not in dropped)
    again = audit(str(out), *options, "--drop", str(tmp_path / f"again{suffix}"))[1]
    assert (again["benchmark_matches"], sum(again["drop"]["dropped"].values())) == (0, 0)
    assert (tmp_path / f"again{suffix}").stat().st_size == out.stat().st_size


def test_records_over_several_lines_and_compressed_input(tmp_path: Path) -> None:
    options = files(tmp_path)
    text = f'id,text\r\n1,"{FRESH[0]}\r\n{FRESH[1]}"\r\n\r\n2,"{REAL[0]}"\r\n3,"{FRESH[2]}\nand more"'
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8", newline="")
    assert audit(str(tmp_path / "rows.csv"), *options, "--drop", str(tmp_path / "out.csv"))[0] != 2
    left_out = f'\r\n2,"{REAL[0]}"\r\n'
    assert (tmp_path / "out.csv").read_bytes().decode() == text.replace(left_out, "")
    plain = tmp_path / "rows.txt"
    plain.write_text(f"{FRESH[0]}\r\n\r\n{REAL[0]}\r\n{FRESH[1]}", encoding="utf-8", newline="")
    assert audit(str(plain), *options, "--drop", str(tmp_path / "out.txt"))[0] != 2
    assert (tmp_path / "out.txt").read_bytes().decode() == f"{FRESH[0]}\r\n{FRESH[1]}"
    with pyarrow.CompressedOutputStream(str(tmp_path / "rows.jsonl.gz"), "gzip") as packed:
        packed.write(written(tmp_path / "rows.jsonl").read_bytes())
    assert audit(str(tmp_path / "rows.jsonl.gz"), *options, "--drop", str(tmp_path / "out.jsonl"))[0] == 4
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 4


def test_a_folder_of_the_datasets_library_becomes_parquet(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "rows")
    options = [str(tmp_path / "rows"), *files(tmp_path), "--drop"]
    assert f"name a file: --drop {tmp_path / 'out.parquet'}" in audit(*options, str(tmp_path / "out.jsonl"))[2]
    assert audit(*options, str(tmp_path / "out.parquet"))[0] == 4
    assert [row["id"] for _, row in read(tmp_path / "out.parquet")] == ["1", "6", "9", "10"]


def test_a_second_audit_has_none_of_the_alarms_and_all_rows_are_searched(tmp_path: Path) -> None:
    real, fresh = texts(600, 2), texts(300, 1)
    near = [f"{text} x" for text in real[-40:]]
    rows(tmp_path / "real.jsonl", real)
    rows(tmp_path / "a.jsonl", [*fresh, *fresh[:20], *(f"{text} x" for text in fresh[20:50]), *near, *[""] * 20])
    options = ["--against", "real.jsonl", "--sample", "120", "--max-duplicates", "0.01", "--max-copies", "0.01"]
    ended = run_in_process(tmp_path, "audit", "a.jsonl", *options, "--drop", "out.jsonl")
    assert ended.returncode == 4
    said = "Dropped 110 of 410 rows: 20 are blank, 40 are near copies of real rows, 20 are duplicates of another row, "
    assert said in ended.stdout
    assert "300 rows written to out.jsonl" in ended.stdout
    assert "Variety and bias cannot be repaired by dropping rows" in ended.stdout
    names = {"duplicate rows", "copies of real rows", "blank rows"}
    full = ["--against", str(tmp_path / "real.jsonl"), "--max-copies", "0.01", "--max-duplicates", "0.01"]
    assert alarms(audit(str(tmp_path / "a.jsonl"), *full)[1]) >= names
    assert not alarms(audit(str(tmp_path / "out.jsonl"), *full)[1]) & names


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("rows.jsonl", "rows.jsonl is an input; name another file"),
        ("./folder/../rows.jsonl", "is an input; name another file"),
        ("link.jsonl", "link.jsonl is an input; name another file"),
        ("real.jsonl", "real.jsonl is an input; name another file"),
        ("other.jsonl", "other.jsonl exists and is not from an earlier drop; name a new file"),
        ("out.csv", "but the rows of rows.jsonl are written as .jsonl; name a file: --drop out.jsonl"),
        ("folder", "it is a folder"),
        ("nowhere/out.jsonl", "there is no folder nowhere"),
    ],
)
def test_nothing_that_the_user_has_is_replaced(out: str, said: str, tmp_path: Path) -> None:
    files(tmp_path)
    written(tmp_path / "rows.jsonl")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.jsonl").symlink_to("rows.jsonl")
    (tmp_path / "other.jsonl").write_text('{"line": 1, "reason": "mine"}\n', encoding="utf-8")
    before = {name: (tmp_path / name).read_bytes() for name in tree(tmp_path) if (tmp_path / name).is_file()}
    line = refused(run_in_process(tmp_path, "audit", "rows.jsonl", "--against", "real.jsonl", "--drop", out))
    assert said in line
    assert {name: (tmp_path / name).read_bytes() for name in tree(tmp_path) if (tmp_path / name).is_file()} == before


def test_an_earlier_drop_is_replaced_and_a_kill_leaves_it_as_it_is(tmp_path: Path) -> None:
    source, options = written(tmp_path / "rows.jsonl"), files(tmp_path)
    out = tmp_path / "out.jsonl"
    arguments = [str(source), *options, "--drop", str(out)]
    with (
        mock.patch("selfsown.audit.drop.copy_records", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        selfsown.audit(source, tmp_path / "real.jsonl", drop=out)
    assert not [name for name in tree(tmp_path) if "out.jsonl" in name]
    assert audit(*arguments)[0] == 4
    before = {path: path.read_bytes() for path in (out, tmp_path / "out.jsonl.dropped.jsonl")}
    written(source).write_text(f"{source.read_text()}\n{json.dumps({'text': FRESH[5]})}\n", encoding="utf-8")
    with (
        mock.patch("selfsown.audit.drop.copy_records", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        selfsown.audit(source, tmp_path / "real.jsonl", drop=out)
    assert {path: path.read_bytes() for path in before} == before
    assert audit(*arguments)[1]["drop"]["written"] == 5
    assert len(out.read_text("utf-8").splitlines()) == 5


def test_rows_in_memory_can_be_cleaned_from_python(tmp_path: Path) -> None:
    found = selfsown.audit(ROWS, [{"text": text} for text in REAL], drop=tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").column("id").to_pylist() == ["1", "2", "6", "9", "10"]
    assert found.data["drop"]["written"] == 5
