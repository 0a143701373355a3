"""A record is what the head of its file says, and what does not fit is named with its line and its counts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.files.bad_records import BadRecord
from selfsown.files.readers import records
from selfsown.files.record_copy import copy_records
from selfsown.records import SelfsownError

DEEP = "[" * 100_000


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault(path: Path) -> str:
    with pytest.raises(SelfsownError) as caught:
        list(records(path))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path}")


@pytest.mark.parametrize(
    ("name", "content", "place", "said"),
    [
        ("r.csv", "p,a\nSay hello, world,Hi\n", ":2", "has 3 fields, but the first line has 2: p, a"),
        ("r.csv", '"p\nq",a\nx\n', ":3", "has 2: 'p\\nq', a"),
        ("r.csv", ",".join(f"c{at}" for at in range(99)) + "\nx\n", ":2", "c28, c29, … and 69 more"),
        ("r.csv", "p,a\nx,y\n\nName a hill.,Ben Nevis, in Scotland\n", ":4", "has 3 fields"),
        ("r.csv", "p,a\nx,y\nonly one\n", ":3", "has 1 fields"),
        ("r.csv", "p,a,note\nx,y\n", ":2", "has 2 fields, but the first line has 3"),
        ("r.csv", 'p,a\n"two\nlines",y\nx,y,z\n', ":4", "has 3 fields"),
        ("r.csv", "p,a\nx,y\ncut of", ":3", "has 1 fields"),
        ("r.csv", "p,a\nx,y,\n", ":2", "has 3 fields"),
        ("r.tsv", "p\ta\nx\ty\tz\n", ":2", "quote fields that contain '\\t'"),
        ("r.csv", b"\xef\xbb\xbfp,a\nx,y,z\n", ":2", "has 2: p, a"),
        ("r.csv", "p,a,a\nx,y,z\n", ":1", "has the column 'a' twice"),
        ("r.csv", b'\xef\xbb\xbf"p",p\nx,y\n', ":1", "has the column 'p' twice"),
        ("r.tsv", "p\tp\nx\ty\n", ":1", "has the column 'p' twice"),
        ("r.csv", ",,\nx,y,z\n", ":1", "has no column names"),
        ("r.csv", "p;a\nx\ny\n", ":1", "one column, 'p;a'; if ';' separates its fields, every line needs as many"),
        (
            "r.csv",
            "p;a\nx;y\nz\nx;y\n",
            ":3",
            "has 1 fields, but the first line has 2: p, a; quote fields that contain ';'",
        ),
        ("r.csv", 'p,a\nx,y\n"open,z\nx,y\nx,y\n', ":3", "is not CSV: unexpected end of data"),
        ("r.csv", 'p,a\n"x"y,z\n', ":2", "is not CSV"),
        ("r.jsonl", '{"a": 1}\n{"a": 4, "p": "x", "a": 5}\n', ":2", "has the key 'a' twice in one object"),
        ("r.jsonl", '{"m": [{"role": "x", "role": "y"}]}\n', ":1", "has the key 'role' twice"),
        ("r.json", '[{"a": 1}, {"a": 4, "a": 5}]', ":2", "has the key 'a' twice"),
        ("r.json", '[{"a": 1}, {"a": 4} {"a": 5}]', ":2", "Expecting ',' delimiter"),
        ("r.json", '[{"a": 1}] []', ":1", "Extra data"),
        ("r.json", '[{"a": 1},', ":2", "is not JSON"),
        ("r.jsonl", f'{{"a": 1}}\n{{"a": {"9" * 5000}}}\n', ":2", "an integer of thousands of digits"),
        ("r.json", f'[{{"a": {"9" * 5000}}}]', ":1", "an integer of thousands of digits"),
        ("r.jsonl", f'{{"a": {DEEP}\n', ":1", "nested too deeply"),
        ("r.json", f'[{{"a": {DEEP}', ":1", "nested too deeply"),
    ],
)
def test_malformed_records_are_errors_with_their_line(
    name: str, content: str | bytes, place: str, said: str, tmp_path: Path
) -> None:
    message = fault(put(tmp_path, name, content))
    assert message.startswith(f"{place} "), message
    assert said in message
    assert "sys." not in message


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("r.csv", ",p,a\n0,x,y\n1,z,w\n", [{"p": "x", "a": "y"}, {"p": "z", "a": "w"}]),  # an index without a name
        ("r.csv", "p,a,,\nx,y,,\n", [{"p": "x", "a": "y"}]),
        ("r.csv", "p,a\nx,y\n   \n\nz,w", [{"p": "x", "a": "y"}, {"p": "z", "a": "w"}]),
        ("r.csv", b"\xef\xbb\xbfp,a\r\nx,y\r\n", [{"p": "x", "a": "y"}]),
        ("r.csv", 'p,a\n"a, ""b""\nc",y\n', [{"p": 'a, "b"\nc', "a": "y"}]),
        ("r.csv", "p,a\n,\n", [{"p": "", "a": ""}]),
        ("r.csv", "p;a\nx, y;1,5\n", [{"p": "x, y", "a": "1,5"}]),
        ("r.csv", b"\xef\xbb\xbfp\ta\nx;y\tz\n", [{"p": "x;y", "a": "z"}]),
        ("r.csv", "p;q,a\nx;y,z\n", [{"p;q": "x;y", "a": "z"}]),  # the comma, where it fits
        ("r.csv", "p;q, a;r\nx;y;z\n", [{"p": "x", "q, a": "y", "r": "z"}]),
        ("r.csv", "p,a\n", []),
        ("r.csv", "", []),
        ("r.csv", b"\xef\xbb\xbf", []),
        ("r.json", " [ ] \n", []),
        ("r.json", '\ufeff\n[\n{"a": 1}\n,\t{"a": [1, {"b": 2}]}\r\n]\n', [{"a": 1}, {"a": [1, {"b": 2}]}]),
        ("r.jsonl", '\ufeff{"a": {"a": {"a": 1}}}\n', [{"a": {"a": {"a": 1}}}]),
        ("r.jsonl", f'{{"a": {"9" * 4000}}}\n', [{"a": int("9" * 4000)}]),
    ],
)
def test_what_fits_is_read(name: str, content: str | bytes, found: list[dict[str, object]], tmp_path: Path) -> None:
    assert [record for _, record in records(put(tmp_path, name, content))] == found


def test_duplicate_columns_in_parquet_and_arrow_are_errors(tmp_path: Path) -> None:
    table = pyarrow.table([pyarrow.array(["x"]), pyarrow.array(["y"])], names=["a", "a"])
    pyarrow.parquet.write_table(table, tmp_path / "r.parquet")
    with pyarrow.ipc.new_file(tmp_path / "r.arrow", table.schema) as writer:
        writer.write_table(table)
    for name in ("r.parquet", "r.arrow"):
        assert "has two columns called 'a'" in fault(tmp_path / name)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
OBJECTS = st.dictionaries(TEXT, st.recursive(st.none() | st.booleans() | st.integers() | TEXT, st.lists, max_leaves=4))


@settings(max_examples=30, deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=5), st.integers(0, 9), st.booleans())
def test_any_json_is_read_alike_as_lines_and_as_an_array(
    objects: list[dict[str, object]], indent: int, ascii_only: bool
) -> None:
    lines = "\n".join(json.dumps(each, ensure_ascii=ascii_only) for each in objects)
    array = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    with TemporaryDirectory() as folder:
        for path in (put(Path(folder), "r.jsonl", lines), put(Path(folder), "r.json", array)):
            assert list(records(path)) == list(enumerate(objects, 1))


FIELDS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n",\0'), min_size=1))


@settings(max_examples=30, deadline=None)
@given(st.lists(FIELDS.filter(lambda fields: "".join(fields).strip()), min_size=1, max_size=6))
def test_every_record_of_a_table_is_read_or_reported_never_cut(rows: list[list[str]]) -> None:
    bad = list[BadRecord]()
    with TemporaryDirectory() as folder:
        path = put(Path(folder), "r.csv", "p,a\n" + "".join(",".join(row) + "\n" for row in rows))
        good = [tuple(record.values()) for _, record in records(path, bad=bad.append)]
    assert good == [tuple(row) for row in rows if len(row) == 2]
    assert [error.line for error in bad] == [at for at, row in enumerate(rows, 2) if len(row) != 2]


FIELDS = st.text(st.sampled_from('ab ,;\t"\n'), max_size=8)


@settings(deadline=None)
@given(
    st.sampled_from([",", ";", "\t"]),
    st.integers(2, 4).flatmap(lambda size: st.lists(st.lists(FIELDS, min_size=size, max_size=size), max_size=8)),
    st.booleans(),
)
def test_a_table_is_read_the_same_whichever_character_separates_its_fields(
    delimiter: str, rows: list[list[str]], quoted: bool
) -> None:
    names = [f"c{at}" for at in range(len(rows[0]) if rows else 2)]
    if quoted:
        names[0] = "first, or; other\tname"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "r.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(
                [names, *rows]
            )
        assert [record for _, record in records(path)] == [dict(zip(names, row, strict=True)) for row in rows]


def test_one_object_over_several_lines_is_one_record_and_is_copied_whole(tmp_path: Path) -> None:
    path, copy = tmp_path / "one.json", tmp_path / "copy.json"
    path.write_text('{\n  "text": "a",\n  "n": [1,\n 2]\n}\n', encoding="utf-8")
    assert list(records(path)) == [(1, {"text": "a", "n": [1, 2]})]
    copy_records(path, copy, ())
    assert list(records(copy)) == list(records(path))
    copy_records(path, copy, (1,))
    assert json.loads(copy.read_text(encoding="utf-8")) == []
