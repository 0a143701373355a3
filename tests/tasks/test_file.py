"""The user's own file: every format gives the same rows, and what does not fit is said with its place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.records import Row, SelfsownError
from selfsown.tasks.file import Task

Records = Sequence[dict[str, str]]
COLUMNED = ("jsonl", "csv", "tsv", "parquet")
DOCUMENTS: Records = [{"text": text} for text in ("emma", 'says "hi", twice', "naïve 東京 🙂", "  spaced  ", "a, b; c")]
QUESTIONS: Records = [
    {"place": "Paris", "prompt": "2 + 2?", "answer": "4", "by": "ann"},
    {"place": "Rome", "prompt": "3 * 3, or more?", "answer": "9", "by": "bob"},
]


def written(folder: Path, kind: str, records: Records) -> str:
    """A file of these records in this format."""
    path = folder / f"rows.{kind}"
    if kind == "txt":
        path.write_text("".join(record["text"] + "\n" for record in records), encoding="utf-8", newline="")
    elif kind == "jsonl":
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        path.write_text("".join(lines), encoding="utf-8", newline="")
    elif kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(records)), path)
    else:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(records[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(records)
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return str(path)


def said(rows: Iterable[Row]) -> list[tuple[str, str]]:
    return [(row.prompt, row.answer) for row in rows]


def raw(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@pytest.mark.parametrize("kind", ["txt", *COLUMNED])
def test_documents_are_the_same_rows_in_every_format(kind: str, tmp_path: Path) -> None:
    rows = list(Task(written(tmp_path, kind, DOCUMENTS)).pose(0))
    assert said(rows) == [("", record["text"]) for record in DOCUMENTS]
    assert all(row.target == row.answer and row.origin == "real" for row in rows)
    assert [row.id for row in rows] == [row.id for row in Task(written(tmp_path, "txt", DOCUMENTS)).pose(0)]


@pytest.mark.parametrize("kind", COLUMNED)
def test_questions_and_answers_are_found_by_their_usual_names(kind: str, tmp_path: Path) -> None:
    rows = list(Task(written(tmp_path, kind, QUESTIONS)).pose(0))
    assert said(rows) == [("2 + 2?", "4"), ("3 * 3, or more?", "9")]
    assert all(row.target == row.answer and not row.metadata for row in rows)


@pytest.mark.parametrize("kind", COLUMNED)
def test_columns_are_mapped_by_name_and_attributes_become_traits(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, kind, QUESTIONS)
    assert said(Task(path, text="place").pose(0)) == [("", "Paris"), ("", "Rome")]
    rows = list(Task(path, prompt="place", answer="by", attributes=("answer", "by")).pose(0))
    assert said(rows) == [("Paris", "ann"), ("Rome", "bob")]
    assert [row.metadata for row in rows] == [{"answer": "4", "by": "ann"}, {"answer": "9", "by": "bob"}]


@pytest.mark.parametrize("kind", COLUMNED)
@pytest.mark.parametrize(
    ("record", "row"),
    [
        ({"prompt": "p", "completion": "c", "text": "t"}, ("p", "c")),
        ({"question": "q", "answer": "a", "context": "x"}, ("q", "a")),
        ({"instruction": "i", "output": "o", "text": "t"}, ("i", "o")),
        ({"instruction": "i", "input": "on this", "output": "o"}, ("i\n\non this", "o")),
        ({"instruction": "i", "input": "", "output": "o"}, ("i", "o")),
        ({"prompt": "p", "text": "t"}, ("", "t")),
    ],
)
def test_the_usual_names_of_columns_are_understood(
    kind: str, record: dict[str, str], row: tuple[str, str], tmp_path: Path
) -> None:
    assert said(Task(written(tmp_path, kind, [record])).pose(0)) == [row]


USER, OTHER = {"role": "user", "content": "2 + 2?"}, {"role": "user", "content": "Sure?"}
FOUR, YES = {"role": "assistant", "content": "4"}, {"role": "assistant", "content": "Yes."}
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize(
    ("messages", "prompt", "answer", "traits"),
    [
        ([USER, FOUR], "2 + 2?", "4", {}),
        ([SYSTEM, USER, FOUR], "2 + 2?", "4", {"system": "Be brief."}),
        (
            [USER, FOUR, OTHER, YES],
            "user: 2 + 2?\nassistant: 4\nuser: Sure?",
            "Yes.",
            {"messages": json.dumps([USER, FOUR, OTHER])},
        ),
        ([FOUR], "", "4", {}),
    ],
)
def test_a_chat_is_answered_by_its_last_assistant_turn(
    kind: str, messages: list[dict[str, str]], prompt: str, answer: str, traits: dict[str, str], tmp_path: Path
) -> None:
    records: Any = [{"prompt": "other", "messages": messages}]
    path = written(tmp_path, kind, records) if kind != "json" else raw(tmp_path, "rows.json", json.dumps(records))
    (row,) = Task(path).pose(0)
    assert (row.prompt, row.answer, row.target, row.metadata) == (prompt, answer, answer, traits)


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "tsv"])
def test_what_gzip_has_packed_is_the_same_rows(kind: str, tmp_path: Path) -> None:
    path = Path(written(tmp_path, kind, DOCUMENTS))
    packed = raw(tmp_path, f"{path.name}.gz", gzip.compress(path.read_bytes()))
    assert said(Task(packed).pose(0)) == said(Task(str(path)).pose(0))


def test_json_may_be_an_array_or_lines(tmp_path: Path) -> None:
    lines = [json.dumps(record) for record in QUESTIONS]
    array = raw(tmp_path, "array.json", f"\n[{', '.join(lines)}]")
    assert said(Task(array).pose(0)) == said(Task(raw(tmp_path, "lines.json", "\n".join(lines))).pose(0))
    assert [row.source for row in Task(array).pose(0)] == ["array.json:1", "array.json:2"]


def test_each_row_says_from_which_line_it_comes(tmp_path: Path) -> None:
    rows = list(Task(raw(tmp_path, "names.txt", "emma\n\nolivia\n")).pose(0))
    assert [row.source for row in rows] == ["names.txt:1", "names.txt:3"]


@pytest.mark.parametrize(
    "content", ["emma\nolivia", "emma\n\n  \nolivia\n", "emma\r\nolivia\r\n", "\ufeffemma\nolivia\n"]
)
def test_line_ends_blank_lines_and_a_byte_order_mark_make_no_difference(content: str, tmp_path: Path) -> None:
    assert said(Task(raw(tmp_path, "names.txt", content)).pose(0)) == [("", "emma"), ("", "olivia")]


def test_only_line_ends_divide_documents_whatever_the_line_ends_are(tmp_path: Path) -> None:
    documents = "page\x0cbreak", "line\u2028separator"
    for end in ("\n", "\r\n"):
        path = raw(tmp_path, "names.txt", "".join(document + end for document in documents))
        assert [row.answer for row in Task(path).pose(0)] == list(documents)


def test_numbers_are_read_as_text(tmp_path: Path) -> None:
    path = raw(tmp_path, "sums.jsonl", '{"prompt": "6 * 7", "answer": 42}\n')
    assert said(Task(path).pose(0)) == [("6 * 7", "42")]


def test_rows_limits_how_many_are_used_and_the_seed_draws_them(tmp_path: Path) -> None:
    path = raw(tmp_path, "names.txt", "".join(f"name{at}\n" for at in range(100)))
    everything, some = list(Task(path).pose(0)), list(Task(path, rows=10).pose(0))
    assert len(some) == 10
    assert some == list(Task(path, rows=10).pose(0))
    assert some != list(Task(path, rows=10).pose(1))
    assert [row for row in everything if row in some] == some
    assert list(Task(path, rows=1000).pose(0)) == everything


def test_a_file_checks_an_answer_against_the_known_one(tmp_path: Path) -> None:
    task = Task(written(tmp_path, "csv", QUESTIONS))
    row = next(iter(task.pose(0)))
    assert task.check(row, " 4\n").score == 1.0
    assert task.check(row, "5").score == 0.0
    assert (task.name, task.top_level, task.opening(0)) == ("rows.csv", 0, "")
    assert list(task.restate(row)) == []


def test_a_file_reads_anything_but_silence(tmp_path: Path) -> None:
    task = Task(written(tmp_path, "txt", DOCUMENTS))
    assert isinstance(task.read("", ""), str)
    read = task.read("", "zoe")
    assert isinstance(read, Row)
    assert (read.prompt, read.answer, read.origin) == ("", "zoe", "synthetic")


LONG = "x" * 200_000


@pytest.mark.parametrize("kind", ["txt", *COLUMNED])
def test_a_document_may_be_long(kind: str, tmp_path: Path) -> None:
    assert said(Task(written(tmp_path, kind, [{"text": LONG}])).pose(0)) == [("", LONG)]


@pytest.mark.parametrize(
    ("name", "content", "knobs", "fragments"),
    [
        ("gone.txt", None, {}, ["no such file", "gone.txt", "--set real=FILE"]),
        ("folder", "", {}, ["is a folder", "name a file", "real={documents: {path: "]),
        ("guide.md", "# Hi\n", {}, ["is a document", "real={documents: {path: "]),
        ("guide.pdf", "%PDF", {}, ["is a document", "real={documents: {path: "]),
        ("rows.txt.gz", "plain", {}, ["rows.txt.gz", "unpacked"]),
        ("rows.txt.gz", gzip.compress(b"emma\n" * 99, mtime=0)[:-9], {}, ["rows.txt.gz", "unpacked"]),
        ("rows.txt.gz", gzip.compress(b"emma\nna\xefve\n", mtime=0), {}, ["rows.txt.gz:2", "not UTF-8"]),
        ("rows.json", "[{", {}, ["rows.json", "not JSON"]),
        ("rows.json", '{\n"text": 1', {}, ["rows.json:1", "not JSON", "one object"]),
        ("rows.json", '[{"text": "a"}, 2]', {}, ["rows.json:2", "int", "each item must be one object"]),
        ("rows.json", "[]", {}, ["rows.json", "is empty"]),
        ("names.txt", "", {}, ["names.txt", "is empty"]),
        ("names.txt", "\n \n", {}, ["names.txt", "is empty"]),
        ("rows.csv", "text\n", {}, ["rows.csv", "column names alone (text)"]),
        ("rows.jsonl", "", {}, ["rows.jsonl", "is empty"]),
        ("names.txt", b"emma\nna\xefve\n", {}, ["names.txt:2", "not UTF-8", "0xef", "convert"]),
        ("rows.csv", b"text\nemma\nna\xefve\n", {}, ["rows.csv:3", "not UTF-8"]),
        ("rows.csv", "a,b\n1,2\n", {}, ["rows.csv", "'text'", "a, b"]),
        ("rows.csv", "a,b\n1,2\n", {"text": "body"}, ["rows.csv", "'body'", "a, b"]),
        ("rows.csv", "text,b\n1,2\n", {"attributes": ("by",)}, ["rows.csv", "'by'", "text, b"]),
        ("rows.csv", "text,b\nx,2\n", {"answer": "text"}, ["answer is 'text'", "no prompt is named"]),
        ("rows.jsonl", '{"text": "a"}\n{"body": "b"}\n', {}, ["rows.jsonl:2", "'text'", "body"]),
        ("rows.jsonl", '{"text": "a"}\n\n{"text: "b"}\n', {}, ["rows.jsonl:3", "not JSON", "one object"]),
        ("rows.jsonl", '{"text": "a"}\n["b"]\n', {}, ["rows.jsonl:2", "list", "one object"]),
        ("rows.jsonl", '{"text": "a"} {"text": "b"}\n', {}, ["rows.jsonl:1", "not JSON", "Extra data"]),
        ("rows.jsonl", '{"messages": "hi"}\n', {}, ["rows.jsonl:1", "a str in column 'messages'", "{role, content}"]),
        ("rows.jsonl", '{"messages": [{"role": "user"}]}\n', {}, ["rows.jsonl:1", "{role, content}", "'user'"]),
        ("rows.jsonl", '{"messages": []}\n', {}, ["rows.jsonl:1", "an empty chat"]),
        ("rows.jsonl", '{"text": "a"}\n{"text": "\\ud800"}\n', {}, ["rows.jsonl:2"]),
        ("rows.jsonl", '{"text": "a"}\n{"text": ["b", "c"]}\n', {}, ["rows.jsonl:2", "text"]),
        ("rows.parquet", "text\nemma\n", {}, ["rows.parquet", "not a Parquet file"]),
        ("rows.parquet", "", {}, ["rows.parquet", "not a Parquet file"]),
    ],
)
def test_what_does_not_fit_is_one_line_with_place_and_remedy(
    name: str, content: str | bytes | None, knobs: dict[str, str], fragments: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        raw(tmp_path, name, content)
    with pytest.raises(SelfsownError) as caught:
        list(Task(str(path), **knobs).pose(0))  # type: ignore[arg-type]
    message = str(caught.value)
    assert all(fragment in message for fragment in fragments), message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_value_that_is_null_is_not_called_a_missing_column(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        path.write_text('{"text": "a"}\n{"text": null}\n', encoding="utf-8")
    else:
        pyarrow.parquet.write_table(pyarrow.table({"text": ["a", None]}), path)
    with pytest.raises(SelfsownError) as caught:
        list(Task(str(path)).pose(0))
    assert f"rows.{kind}:2" in str(caught.value)
    assert "has no column" not in str(caught.value)


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=6).map(lambda texts: ["first", *texts])


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_documents_written_by_columns_read_back_the_same(documents: list[str]) -> None:
    with TemporaryDirectory() as folder:
        for kind in COLUMNED:
            rows = list(Task(written(Path(folder), kind, [{"text": document} for document in documents])).pose(0))
            assert [row.answer for row in rows] == [each for each in documents if each.strip()], kind


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff")).filter(str.strip)))
def test_any_documents_written_one_a_line_read_back_the_same(documents: list[str]) -> None:
    with TemporaryDirectory() as folder:
        records = [{"text": document} for document in ["first", *documents]]
        rows = list(Task(written(Path(folder), "txt", records)).pose(0))
        assert [row.answer for row in rows] == ["first", *documents]


def test_rows_come_one_by_one_before_the_end_of_the_file_is_seen(tmp_path: Path) -> None:
    for name, good, bad in (("rows.jsonl", '{"text": "a"}\n', "no\n"), ("rows.csv", "text\n", '"open\n')):
        rows = iter(Task(raw(tmp_path, name, good + "'a'\n" * (name == "rows.csv") + bad)).pose(0))
        assert next(rows).answer.strip("'") == "a"
        with pytest.raises(SelfsownError):
            next(rows)


PEAK = """
import re, sys
from pathlib import Path
from selfsown.tasks.file import Task
rows = sum(1 for _ in Task(sys.argv[1], rows=int(sys.argv[2])).pose(0))
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's peak")
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_memory_stays_flat_while_ten_times_as_many_rows_stream_by(kind: str, tmp_path: Path) -> None:
    peaks = list[int]()
    for size in (5_000, 50_000):
        records = [
            {"prompt": f"What is {at} plus {at % 999}? " * 24, "answer": str(at + at % 999)} for at in range(size)
        ]
        path = written(tmp_path, kind, records)
        for few in (0, 1000):
            order = [sys.executable, "-c", PEAK, path, str(few)]
            told = subprocess.run(order, capture_output=True, text=True, check=True).stdout.split()
            assert int(told[0]) == (few or size)
            peaks.append(int(told[1]))
    assert peaks[2] <= 1.2 * peaks[0], peaks
    assert peaks[3] <= 1.2 * peaks[1], peaks
