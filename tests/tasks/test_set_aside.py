"""Records that make no row are counted with their reasons: blank ones always, with skip those that cannot be read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError, SetAside
from selfsown.tasks.documents import Task as Documents
from selfsown.tasks.file import Task

GOOD = '{"prompt": "a?", "answer": "x"}'


def put(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    return str(path)


def lines(*records: str) -> str:
    return "".join(record + "\n" for record in (GOOD, *records, GOOD))


def table(*records: str) -> str:
    return "".join(record + "\n" for record in ("prompt,answer", "a?,x", *records, "a?,x"))


BAD = [
    ("rows.jsonl", lines('{"prompt": null, "answer": "x"}'), ":2", "has no value in column 'prompt'"),
    ("rows.jsonl", lines('{"prompt": NaN, "answer": "x"}'), ":2", "has no value in column 'prompt'"),
    ("rows.jsonl", lines('{"prompt": 1e999, "answer": "x"}'), ":2", "has an infinite number in column 'prompt'"),
    ("rows.jsonl", lines('{"prompt": "b?", "answer": -Infinity}'), ":2", "has an infinite number in column 'answer'"),
    ("rows.jsonl", lines('{"answer": "x"}'), ":2", "has no column 'prompt'"),
    ("rows.jsonl", lines('{"prompt": ["b?"], "answer": "x"}'), ":2", "has a list in column 'prompt'"),
    ("rows.jsonl", lines('{"prompt": "b?", "answer": {"x": 1}}'), ":2", "has a dict in column 'answer'"),
    ("rows.jsonl", lines('{"prompt": "b?", "completion": "x"}'), ":2", "has an answer in 'completion'"),
    ("rows.jsonl", lines('{"prompt": "\\ud800", "answer": "x"}'), ":2", "an unpaired surrogate"),
    ("rows.jsonl", lines('{"prompt": "b?", "answer"'), ":2", "is not JSON"),
    ("rows.jsonl", lines('{"prompt": "b?"} {"answer": "x"}'), ":2", "Extra data"),
    ("rows.jsonl", lines('{"prompt": "b?", "prompt": "c?"}'), ":2", "has the key 'prompt' twice"),
    ("rows.jsonl", lines(f'{{"prompt": {"9" * 5000}}}'), ":2", "an integer of thousands of digits"),
    ("rows.jsonl", lines('["b?", "x"]'), ":2", "is list, not an object"),
    ("rows.jsonl", f'{GOOD}\n{GOOD}\n{{"prompt": "b?", "ans', ":3", "is not JSON"),
    ("rows.jsonl", lines('{"prompt": "b?", "answer": true, "answer": "x"}'), ":2", "has the key 'answer' twice"),
    ("rows.json", f"[{GOOD}, 7, {GOOD}]", ":2", "is int, not an object"),
    ("rows.csv", table("b?,x,y"), ":3", "has 3 fields"),
    ("rows.csv", table("b?"), ":3", "has 1 fields"),
    ("rows.csv", table('"b"?,x'), ":3", "is not CSV"),
    ("rows.csv", 'prompt,answer\na?,x\na?,x\n"b?,x', ":4", "is not CSV"),
]


@pytest.mark.parametrize(("name", "content", "place", "reason"), BAD)
def test_a_record_that_cannot_be_read_ends_it_all_or_is_set_aside(
    name: str, content: str, place: str, reason: str, tmp_path: Path
) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(SelfsownError) as caught:
        list(Task(path).pose(0))
    message = str(caught.value)
    assert message.startswith(f"{path}{place} ")
    assert reason in message
    assert message.endswith("; to skip such records: --set real.file.skip_bad=true")
    task = Task(path, skip_bad=True)
    assert [(row.prompt, row.answer) for row in task.pose(0)] == [("a?", "x")] * 2
    (only,) = task.set_aside()
    assert only.place == f"{name}{place}"
    assert reason in only.reason
    assert path not in only.reason


BLANK = [
    ("rows.jsonl", lines('{"prompt": "   ", "answer": "y"}'), "has no prompt: its column 'prompt' is blank, though"),
    ("rows.jsonl", lines('{"prompt": "", "answer": "y"}'), "has no prompt: its column 'prompt' is blank, though"),
    ("rows.jsonl", lines('{"prompt": "", "answer": ""}'), "has no prompt: its column 'prompt' is blank"),
    ("rows.jsonl", lines('{"prompt": "\\t", "answer": null}'), "has no prompt: its column 'prompt' is blank"),
    ("rows.csv", table(","), "has no prompt: its column 'prompt' is blank"),
    ("rows.csv", table(" ,y"), "has no prompt: its column 'prompt' is blank, though it has an answer"),
    ("rows.csv", 'text\na\n" "\nb\n', "has no text: its column 'text' is blank"),
    ("rows.jsonl", '{"text": "a"}\n{"text": ""}\n{"text": "b"}\n', "has no text: its column 'text' is blank"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BLANK)
@pytest.mark.parametrize("skip", [False, True])
def test_a_blank_record_is_set_aside_and_counted_whether_skipped_or_not(
    name: str, content: str, reason: str, skip: bool, tmp_path: Path
) -> None:
    task = Task(put(tmp_path, name, content), skip_bad=skip)
    assert len(list(task.pose(0))) == 2
    (only,) = task.set_aside()
    assert only.place.startswith(f"{name}:")
    assert only.reason.startswith(reason)


def test_a_null_is_set_aside_in_every_format(tmp_path: Path) -> None:
    for write, name in ((pyarrow.parquet.write_table, "rows.parquet"), (to_arrow, "rows.arrow")):
        write(pyarrow.table({"text": ["a", None, "b", " "], "n": [1.0, 2.0, float("nan"), 4.0]}), tmp_path / name)
        task = Task(str(tmp_path / name), attributes=("n",), skip_bad=True)
        assert [(row.answer, row.metadata["n"]) for row in task.pose(0)] == [("a", "1")]
        assert [each.place for each in task.set_aside()] == [f"{name}:{at}" for at in (2, 3, 4)]


def to_arrow(some: pyarrow.Table, path: Path) -> None:
    with pyarrow.ipc.new_file(path, some.schema) as writer:
        writer.write_table(some)


def test_a_data_set_of_the_library_skips_likewise(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    from selfsown.tasks.dataset import Task as Dataset

    rows = {"prompt": ["a?", None, " ", "b?"], "answer": ["x", "y", "z", None]}
    datasets.Dataset.from_dict(rows).save_to_disk(tmp_path / "set")
    with pytest.raises(SelfsownError, match=r"--set real\.dataset\.skip_bad=true"):
        list(Dataset(str(tmp_path / "set")).pose(0))
    task = Dataset(str(tmp_path / "set"), skip_bad=True)
    assert [(row.prompt, row.answer) for row in task.pose(0)] == [("a?", "x"), ("b?", "")]
    assert [each.place for each in task.set_aside()] == ["set:2", "set:3"]


def test_a_chat_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    turns = '[{"role": "user", "content": "a?"}, {"role": "assistant", "content": "x"}]'
    odd = ('"hi"', "null", '[{"role": "user"}]', "[7]", '{"role": "user", "content": "a?"}')
    records = [f'{{"messages": {messages}}}\n' for messages in (turns, *odd, turns)]
    task = Task(put(tmp_path, "rows.jsonl", "".join(records)), skip_bad=True)
    assert [(row.prompt, row.answer) for row in task.pose(0)] == [("a?", "x")] * 2
    assert [each.place for each in task.set_aside()] == [f"rows.jsonl:{at}" for at in range(2, 7)]


def test_an_unclosed_quote_swallows_no_rows_even_where_bad_ones_are_skipped(tmp_path: Path) -> None:
    task = Task(put(tmp_path, "rows.csv", table('"b?,x')), skip_bad=True)
    with pytest.raises(SelfsownError, match=r"rows\.csv:3 is not CSV: .*it extends to line 4"):
        list(task.pose(0))


def test_where_nothing_is_left_it_says_what_is_wrong(tmp_path: Path) -> None:
    for skip, content in ((True, "no\nnothing\n"), (False, '{"text": ""}\n{"text": " "}\n')):
        task = Task(put(tmp_path, "rows.jsonl", content), skip_bad=skip)
        with pytest.raises(SelfsownError, match=r"no usable row; 2 records were skipped, the first one at rows"):
            list(task.pose(0))


def test_what_was_set_aside_is_that_of_the_latest_complete_reading(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.jsonl", lines("no", "no"))
    task = Task(path, skip_bad=True)
    assert task.set_aside() == []
    list(task.pose(0))
    list(task.pose(0))
    list(islice(task.pose(0), 1))
    assert [each.place for each in task.set_aside()] == ["rows.jsonl:2", "rows.jsonl:3"]
    drawn = Task(path, rows=1, skip_bad=True)
    assert len(list(drawn.pose(0))) == 1
    assert len(drawn.set_aside()) == 2
    assert task == Task(path, skip_bad=True)


def test_skip_is_set_beside_a_file_named_alone(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.jsonl", lines("no"))
    recipe = Recipe.load("answers", [f"real={path}", "real.file.skip_bad=true", ENDPOINT])
    assert len(list(recipe.real().pose(0))) == 2
    assert Recipe.of(recipe.dump()) == recipe


ENDPOINT = "teacher={endpoint: {url: http://127.0.0.1:1/v1, model: m}}"


def test_documents_that_are_skipped_or_hold_no_text_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "a.txt").write_text("some words", encoding="utf-8")
    (tmp_path / "b.txt").write_text(" \n", encoding="utf-8")
    (tmp_path / "c.txt").write_bytes(b"na\xefve")
    task = Documents(str(tmp_path), skip_bad=True)
    assert [row.answer for row in task.pose(0)] == ["some words"]
    assert task.set_aside()[0] == SetAside("b.txt", "contains no text")
    assert task.set_aside()[1].place == "c.txt"
    assert "not UTF-8" in task.set_aside()[1].reason


RECORDS = st.lists(
    st.one_of(
        st.just('{"prompt": "a?", "answer": "x"}'),
        st.sampled_from(['{"prompt": null}', '{"prompt": " "}', "no", "[1]", '{"prompt": "b?"}', '{"prompt": 4}']),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff")).map(
            lambda text: json.dumps({"prompt": text, "answer": text})
        ),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(RECORDS)
def test_every_record_is_a_row_or_set_aside(records: list[str]) -> None:
    with TemporaryDirectory() as folder:
        task = Task(put(Path(folder), "rows.jsonl", lines(*records)), skip_bad=True)
        rows = list(task.pose(0))
        places = sorted(int(place.rpartition(":")[2]) for place in [*map(maker, rows), *map(where, task.set_aside())])
        assert places == list(range(1, len(records) + 3))
        assert all(each.reason and len(each.reason.splitlines()) == 1 for each in task.set_aside())


maker: Callable[[Any], str] = lambda row: row.source  # noqa: E731
where: Callable[[SetAside], str] = lambda each: each.place  # noqa: E731
