"""Chats go out as they came in: read, asked, exported and read again, they are the same messages."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import records

from selfsown.audit.data_source import ColumnNames, open_source
from selfsown.export.export import export
from selfsown.generate import sample
from selfsown.models.endpoint.endpoint import create
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.tasks.file import Task
from selfsown.text.chat import answer_message, prompt_messages
from testing.mock_server import Server

SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "c1", "type": "function", "function": {"name": "temperature", "arguments": '{"city": "Oslo"}'}}
TALK = [{"role": role, "content": words} for role, words in (("user", "Hi"), ("assistant", "Yes?"), ("user", "Why?"))]
CALLED = [
    {"role": "user", "content": "How warm is Oslo?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "7", "tool_call_id": "c1"},
    {"role": "assistant", "content": "7 degrees."},
]
TOOLS = [{"type": "function", "function": {"name": "temperature", "parameters": {"type": "object"}}}]
CHAT = ("conversational", "conversational-prompt-completion")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)
CALLS = st.lists(
    st.builds(
        lambda name, value, id: {"id": id, "type": "function", "function": {"name": name, "arguments": value}},
        NAME,
        st.dictionaries(NAME, st.one_of(TEXT, st.integers(0, 9), st.none()), max_size=2).map(json.dumps),
        NAME,
    ),
    min_size=1,
    max_size=2,
)
SAID = st.builds(lambda role, words: {"role": role, "content": words}, st.sampled_from(("system", "user")), TEXT)
NAMED = st.builds(lambda words, name: {"role": "user", "content": words, "name": name}, TEXT, NAME)
ANSWER = st.builds(lambda words: {"role": "assistant", "content": words}, TEXT)
CALLING = st.builds(
    lambda words, calls: {"role": "assistant", "content": words, "tool_calls": calls}, st.none() | TEXT, CALLS
)
RESULT = st.builds(lambda words, of: {"role": "tool", "content": words, "tool_call_id": of}, TEXT, NAME)
FIRST = st.builds(lambda words: {"role": "user", "content": f"{words}?"}, TEXT)  # without a prompt it is a document
LAST = st.builds(lambda words: {"role": "assistant", "content": f"{words}."}, TEXT) | CALLING
TALKS = st.builds(
    lambda before, first, turns, last: [*before, first, *turns, last],
    st.lists(st.just(SYSTEM), max_size=1),
    FIRST,
    st.lists(st.one_of(SAID, NAMED, ANSWER, CALLING, RESULT), max_size=4),
    LAST,
)


def real(folder: Path, *chats: dict[str, Any]) -> Task:
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(chat) + "\n" for chat in chats), encoding="utf-8")
    return Task(str(path))


def again(out: Path) -> list[Row]:
    """The rows of an export, read as a user's file of real rows."""
    return [row for path in sorted((out / "data").iterdir()) for row in Task(str(path)).pose(0)]


def whole(row: Row) -> list[Any]:
    return [*prompt_messages(row.prompt, row.metadata), answer_message(row.answer, row.metadata)]


def made(folder: Path, rows: list[Row], **wishes: Any) -> Path:
    ends = [row.kept() for row in rows]
    return export(kept.made(folder / "made", ends), folder / "out", **wishes).out


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("format", CHAT)
@settings(max_examples=6, deadline=None)
@given(chats=st.lists(TALKS, min_size=1, max_size=3), tools=st.sampled_from([None, TOOLS]))
def test_messages_come_back_field_by_field(format: str, kind: str, chats: list[Any], tools: Any) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        rows = list(real(folder, *({"messages": chat, "tools": tools} for chat in chats)).pose(0))
        assert [whole(row) for row in rows] == chats
        found = again(made(folder, rows, format=format, file_format=kind))
        assert [whole(row) for row in found] == chats
        assert [json.loads(row.metadata.get("tools", "null")) for row in found] == [tools] * len(chats)


@settings(max_examples=8, deadline=None)
@given(chats=st.lists(TALKS, min_size=1, max_size=4))
def test_a_server_is_asked_what_stands_in_the_file_and_in_the_export(chats: list[Any]) -> None:
    with TemporaryDirectory() as name, Server(say=lambda prompt, body: "so") as server:
        task = real(Path(name), *({"messages": chat} for chat in chats))
        teacher = create([], 0, url=server.url, model="m")
        generated = sample.generate(list(task.pose(0)), teacher, task, 0, n=1)
        answers = [row.replace_fields(origin="synthetic") for row in generated]
        sent = [body["messages"] for body in server.bodies]
        found = again(made(Path(name), answers, format="conversational"))
    asked = [chat[:-1] for chat in chats]
    assert [whole(row) for row in found] == [[*each, {"role": "assistant", "content": "so"}] for each in asked]
    assert all(_sent(each) in [_sent(other) for other in sent] for each in asked)


def _sent(messages: list[Any]) -> list[Any]:
    """Without the ids of results, which are given that of the call where they fit none."""
    return [{name: value for name, value in each.items() if name != "tool_call_id"} for each in messages]


@pytest.mark.parametrize("format", ["sharegpt", *CHAT, "conversational-preference", "preference"])
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_what_selfsown_writes_it_reads(format: str, kind: str, tmp_path: Path) -> None:
    chats = [[SYSTEM, *TALK, {"role": "assistant", "content": "so"}], CALLED]
    chats = chats[:1] if "preference" in format else chats
    rows = list(real(tmp_path, *({"messages": chat} for chat in chats)).pose(0))
    worse = [rows[0].replace_fields(answer="no").graded(kept.row("", "", 0.0).grades[0]).rejected("exact: differs")]
    folder = kept.made(tmp_path / "made", [*(row.kept() for row in rows), *worse])
    found = again(export(folder, tmp_path / "out", format=format, file_format=kind).out)
    if "preference" in format:
        assert [row.metadata["rejected"] for row in found] == ["no"]
    if format == "preference":
        assert (found[0].prompt, found[0].answer) == (rows[0].prompt, "so")
    elif format == "sharegpt":
        bare = [{name: value for name, value in each.items() if name != "tool_call_id"} for each in CALLED]
        bare[1]["tool_calls"] = [{name: CALL[name] for name in ("type", "function")}]
        assert [whole(row) for row in found] == [chats[0], bare]
    else:
        assert [whole(row) for row in found] == chats


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("format", ["sharegpt", *CHAT])
def test_an_export_of_calls_opens_with_datasets_and_is_audited(format: str, kind: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = list(real(tmp_path, {"messages": CALLED, "tools": TOOLS}, {"messages": TALK[:2]}).pose(0))
    out = made(tmp_path, rows, format=format, file_format=kind)
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))["train"].to_list()
    assert found == records(out)
    read = list(open_source(str(out), ColumnNames()).rows())
    assert [(row.prompt, row.answer) for row in read] == [(row.prompt, row.answer) for row in rows]


PLAIN = kept.row("Colour?", "blue")
SPOKEN = kept.row("2+2?", "4", metadata={"system": "Be brief."})


@pytest.mark.parametrize(
    ("chat", "format"),
    [
        ({"messages": [TALK[0], TALK[1]]}, "prompt-completion"),
        ({"messages": [SYSTEM, TALK[0], TALK[1]]}, "conversational-prompt-completion"),
        ({"messages": [*TALK, TALK[1]]}, "conversational-prompt-completion"),
        ({"messages": CALLED}, "conversational-prompt-completion"),
        ({"messages": CALLED[:2]}, "conversational-prompt-completion"),
        ({"messages": TALK[:2], "tools": TOOLS}, "conversational-prompt-completion"),
        ({"prompt": "Hi", "answer": "Yes?"}, "prompt-completion"),
        ({"text": "a document"}, "text"),
    ],
)
def test_by_default_a_data_set_keeps_what_its_rows_have(chat: dict[str, Any], format: str, tmp_path: Path) -> None:
    (row,) = real(tmp_path, chat).pose(0)
    first = row if format == "text" else PLAIN  # any of the rows may be the chat
    folder = kept.made(tmp_path / "made", [first.kept(), row.replace_fields(sample_index=1).kept()])
    assert export(folder, tmp_path / "out").format == format


def test_a_chat_among_the_real_rows_counts_where_they_are_exported(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [PLAIN])
    RunFolder(folder).write_rows("real", [*real(tmp_path, {"messages": CALLED, "tools": TOOLS}).pose(0)])
    assert export(folder, tmp_path / "out").format == "prompt-completion"
    assert export(folder, tmp_path / "both", real=True).format == "conversational-prompt-completion"
    assert [each["tools"] for each in records(tmp_path / "both")] == [None, json.dumps(TOOLS)]


def test_messages_have_fields_for_tools_only_where_some_row_needs_them(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [SPOKEN])
    (found,) = records(export(folder, tmp_path / "out", format="conversational").out)
    assert found.keys() == {"messages"}
    assert all(each.keys() == {"role", "content"} for each in found["messages"])
    rows = real(tmp_path, {"messages": CALLED, "tools": TOOLS}).pose(0)
    folder = kept.made(tmp_path / "both", [SPOKEN, *(row.kept() for row in rows)])
    first, second = records(export(folder, tmp_path / "out", format="conversational").out)
    assert first["tools"] is None
    assert {tuple(each) for each in first["messages"]} == {("role", "content", "name", "tool_calls", "tool_call_id")}
    assert second["messages"][1]["tool_calls"] == [CALL]


def test_what_was_thought_in_earlier_turns_stands_beside_its_message(tmp_path: Path) -> None:
    thinking = {**TALK[1], "reasoning_content": "who is it"}
    rows = list(real(tmp_path, {"messages": [TALK[0], thinking, TALK[2], {**TALK[1], "reasoning": "so"}]}).pose(0))
    (found,) = records(made(tmp_path, rows, format="conversational", reasoning=True))
    assert [each["reasoning_content"] for each in found["messages"]] == [None, "who is it", None, "so"]


def card(folder: Path, rows: list[Row], **wishes: Any) -> str:
    return (made(folder, rows, **wishes) / "README.md").read_text(encoding="utf-8")


LEFT = ("a system message, which", "one text here", "have tools: their definitions are omitted", "not alternate")


@pytest.mark.parametrize(
    ("format", "counts"),
    [
        ("prompt-completion", (2, 2, 2, 0)),
        ("alpaca", (2, 2, 2, 0)),
        ("text", (2, 2, 2, 0)),
        ("conversational", (0, 0, 0, 0)),
        ("sharegpt", (0, 0, 0, 1)),
        ("rows", (0, 0, 0, 0)),
    ],
)
def test_the_card_counts_what_a_format_has_no_place_for(format: str, counts: tuple[int, ...], tmp_path: Path) -> None:
    chats: list[dict[str, Any]] = [
        {"messages": [SYSTEM, TALK[0], TALK[1]]},
        {"messages": [SYSTEM, TALK[0], TALK[0], TALK[1]]},
        {"messages": CALLED},
        {"messages": TALK[:2], "tools": TOOLS},
    ]
    said = card(tmp_path, list(real(tmp_path, *chats).pose(0)), format=format)
    for words, count in zip(LEFT, counts, strict=True):
        lines = [line for line in said.splitlines() if words in line]
        assert len(lines) == bool(count), said
        assert not count or f"{count} rows" in lines[0]


HUMAN, GPT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}


@pytest.mark.parametrize(
    ("messages", "in_turn"),
    [
        ([HUMAN, GPT], True),
        ([SYSTEM, HUMAN, GPT], True),
        ([SYSTEM, HUMAN, GPT, HUMAN, GPT], True),
        (CALLED, True),
        ([HUMAN, HUMAN, GPT], False),
        ([HUMAN, GPT, GPT], False),
        ([GPT, HUMAN, GPT], False),
        ([HUMAN, GPT, SYSTEM, HUMAN, GPT], False),
        ([SYSTEM, SYSTEM, HUMAN, GPT], False),
        ([*CALLED[:3], CALLED[2], GPT], False),
        ([HUMAN, {**CALLED[1], "content": "Wait."}, CALLED[2], GPT], False),
    ],
)
def test_turns_that_llama_factory_would_leave_out_are_counted(
    messages: list[Any], in_turn: bool, tmp_path: Path
) -> None:
    said = card(tmp_path, list(real(tmp_path, {"messages": messages}).pose(0)), format="sharegpt")
    assert ("In 1 rows the turns of the user" not in said) == in_turn


def test_sharegpt_has_the_names_of_its_own_for_calls_and_results(tmp_path: Path) -> None:
    two = {**CALLED[1], "tool_calls": [CALL, {**CALL, "id": "c2"}]}
    rows = real(tmp_path, {"messages": CALLED, "tools": TOOLS}, {"messages": [CALLED[0], two]}).pose(0)
    first, second = records(made(tmp_path, list(rows), format="sharegpt", file_format="jsonl"))
    assert [each["from"] for each in first["conversations"]] == ["human", "function_call", "observation", "gpt"]
    call = {"name": "temperature", "arguments": {"city": "Oslo"}}
    assert json.loads(first["conversations"][1]["value"]) == call
    assert json.loads(second["conversations"][1]["value"]) == [call, call]
    assert json.loads(first["tools"]) == TOOLS


def test_a_pair_is_of_one_conversation(tmp_path: Path) -> None:
    rows = [SPOKEN, kept.row("2+2?", "5", 0.25, metadata={"system": "Be kind."})]
    with pytest.raises(SelfsownError, match="has a kept answer and an answer with a lower score"):
        export(kept.made(tmp_path / "made", rows), tmp_path / "out", format="conversational-preference")
