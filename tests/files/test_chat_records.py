"""Chats of other people's files: each shape gives the same messages, and what no row can hold is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from selfsown.records import Row, SelfsownError
from selfsown.tasks.file import Task
from selfsown.text.chat import answer_message, prompt_messages

SYSTEM = {"role": "system", "content": "Be brief."}
USER, OTHER = {"role": "user", "content": "2 + 2?"}, {"role": "user", "content": "Sure?"}
FOUR, YES = {"role": "assistant", "content": "4"}, {"role": "assistant", "content": "Yes."}
ADD = {"type": "function", "function": {"name": "add", "description": "A sum", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "4", "tool_call_id": "c1"}
SHARED = [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}]


def read(folder: Path, *records: dict[str, Any], kind: str = "jsonl") -> list[Row]:
    path = folder / f"rows.{kind}"
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(records)), path)
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return list(Task(str(path)).pose(0))


def whole(row: Row) -> list[Any]:
    """All messages of the row; of one that nobody has answered, those that ask."""
    asked = prompt_messages(row.prompt, row.metadata)
    return [*asked, answer_message(row.answer, row.metadata)] if row.answer else asked


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("record", "messages"),
    [
        ({"messages": [SYSTEM, USER, FOUR]}, [SYSTEM, USER, FOUR]),
        ({"messages": [USER, FOUR, SYSTEM, OTHER, YES]}, [USER, FOUR, SYSTEM, OTHER, YES]),
        ({"messages": [SYSTEM, SYSTEM, USER, FOUR]}, [SYSTEM, SYSTEM, USER, FOUR]),
        ({"messages": [{**SYSTEM, "role": "developer"}, USER, FOUR]}, [{**SYSTEM, "role": "developer"}, USER, FOUR]),
        ({"messages": [{**USER, "name": "Ann"}, FOUR]}, [{**USER, "name": "Ann"}, FOUR]),
        ({"messages": [USER, FOUR, OTHER]}, [USER, FOUR, OTHER]),
        ({"messages": [USER, CALLING, RESULT]}, [USER, CALLING, RESULT]),
        ({"messages": [USER, CALLING]}, [USER, CALLING]),
        ({"messages": [USER, CALLING, RESULT, FOUR]}, [USER, CALLING, RESULT, FOUR]),
        (
            {"messages": [USER, {**CALLING, "content": ""}, RESULT, FOUR]},
            [USER, {**CALLING, "content": ""}, RESULT, FOUR],
        ),
        ({"conversations": SHARED}, [USER, FOUR]),
        ({"conversation": [USER, FOUR]}, [USER, FOUR]),
        ({"conversations": SHARED, "system": "Be brief."}, [SYSTEM, USER, FOUR]),
        ({"conversations": [{"from": "system", "value": "Be brief."}, *SHARED]}, [SYSTEM, USER, FOUR]),
        ({"messages": [SYSTEM, USER, FOUR], "system": "Be brief."}, [SYSTEM, USER, FOUR]),
        ({"prompt": [SYSTEM, USER], "completion": [FOUR]}, [SYSTEM, USER, FOUR]),
        ({"prompt": [USER], "completion": "4"}, [USER, FOUR]),
        ({"prompt": [USER, CALLING], "completion": [RESULT, FOUR]}, [USER, CALLING, RESULT, FOUR]),
        ({"prompt": [USER, {**YES, "content": "It "}], "completion": [FOUR]}, [USER, {**YES, "content": "It "}, FOUR]),
        ({"instruction": "2 + 2?", "output": "4", "system": "Be brief."}, [SYSTEM, USER, FOUR]),
        ({"instruction": "Sure?", "output": "Yes.", "history": [["2 + 2?", "4"]]}, [USER, FOUR, OTHER, YES]),
        ({"instruction": "2 + 2?", "input": "", "output": "4", "system": "", "history": []}, [USER, FOUR]),
    ],
)
def test_each_shape_gives_its_messages(record: dict[str, Any], messages: list[Any], kind: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, record, kind=kind)
    assert whole(row) == messages


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({**USER, "content": [{"type": "text", "text": "2 + "}, {"type": "text", "text": "2?"}]}, USER),
        ({**USER, "content": ["2 + ", "2?"]}, USER),
        ({**USER, "content": [{"type": "input_text", "text": "2 + 2?"}]}, USER),
        ({**USER, "content": [{"text": "2 + 2?"}]}, USER),
        ({**USER, "tool_calls": None, "name": None, "images": [], "refusal": None}, USER),
        ({"role": "human", "value": "2 + 2?"}, USER),
        ({**USER, "country": "no", "timestamp": 5}, USER),
    ],
)
def test_parts_of_text_are_joined_and_what_says_nothing_is_left_out(
    turn: dict[str, Any], message: dict[str, Any], tmp_path: Path
) -> None:
    (row,) = read(tmp_path, {"messages": [turn, FOUR]})
    assert whole(row) == [message, FOUR]
    assert row.prompt == "2 + 2?"


@pytest.mark.parametrize(
    ("turn", "calls"),
    [
        ({**CALLING, "content": "Well"}, [CALL]),
        ({"role": "assistant", "tool_calls": [CALL]}, [CALL]),
        ({**CALLING, "tool_calls": [CALL, CALL]}, [CALL, CALL]),
        ({**CALLING, "tool_calls": [{**CALL, "function": {"name": "add", "arguments": {"a": 2}}}]}, [CALL]),
        ({**CALLING, "tool_calls": [{"id": "c1", "function": CALL["function"]}]}, [CALL]),
        ({**CALLING, "tool_calls": [{"id": "c1", "name": "add", "arguments": {"a": 2}}]}, [CALL]),
        ({"role": "assistant", "content": None, "function_call": CALL["function"]}, [{**CALL, "id": None}]),
        ({"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2}}'}, [{**CALL, "id": None}]),
        ({"from": "function_call", "value": '[{"name": "add", "arguments": {"a": 2}}]'}, [{**CALL, "id": None}]),
        ({**CALLING, "tool_calls": [{"name": "add"}]}, [{"function": {"name": "add", "arguments": "{}"}}]),
    ],
)
def test_calls_are_read_in_every_spelling(turn: dict[str, Any], calls: list[Any], tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"messages": [USER, turn, RESULT, FOUR]})
    message = whole(row)[1]
    assert message["content"] == turn.get("content")
    assert [call["function"] for call in message["tool_calls"]] == [call["function"] for call in calls]
    assert [call.get("id") for call in message["tool_calls"]] == [call.get("id") for call in calls]


@pytest.mark.parametrize("role", ["tool", "observation", "function", "function_response", "tool_response", "ipython"])
def test_results_of_tools_are_read_under_every_name(role: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"messages": [USER, CALLING, {**RESULT, "role": role}, FOUR]})
    assert whole(row) == [USER, CALLING, RESULT, FOUR]


@pytest.mark.parametrize(
    "tools",
    [[ADD], json.dumps([ADD]), [ADD["function"]], json.dumps([ADD["function"]])],
)
@pytest.mark.parametrize("name", ["tools", "functions"])
def test_definitions_of_tools_are_read(tools: Any, name: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"messages": [USER, FOUR], name: tools})
    assert json.loads(row.metadata["tools"]) == [ADD]


def test_nulls_that_arrow_set_into_definitions_are_none_of_them(tmp_path: Path) -> None:
    other = {"type": "function", "function": {"name": "sub", "parameters": {"required": ["b"]}}}
    (row,) = read(tmp_path, {"messages": [USER, FOUR], "tools": [ADD, other]}, kind="parquet")
    assert json.loads(row.metadata["tools"]) == [ADD, other]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_what_was_thought_is_kept(field: str, tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"messages": [USER, {**FOUR, field: "two twos"}, OTHER, {**YES, field: "sure"}]})
    assert whole(row) == [USER, {**FOUR, "reasoning_content": "two twos"}, OTHER, YES]
    assert row.metadata["reasoning"] == "sure"
    parts = [{"type": "thinking", "thinking": "sure"}, {"type": "text", "text": "Yes."}]
    (row,) = read(tmp_path, {"messages": [USER, {**YES, "content": parts}]})
    assert (row.answer, row.metadata) == ("Yes.", {"reasoning": "sure"})


@pytest.mark.parametrize(
    "messages", [[USER], [SYSTEM, USER], [USER, FOUR, OTHER], [USER, CALLING, RESULT], [USER, FOUR, SYSTEM]]
)
def test_a_talk_that_does_not_end_with_the_assistant_is_a_prompt_that_nobody_has_answered(
    messages: list[Any], tmp_path: Path
) -> None:
    (row,) = read(tmp_path, {"messages": messages})
    assert (row.answer, row.target) == ("", "")
    assert whole(row) == messages


@pytest.mark.parametrize("prompt", [[USER], "2 + 2?", None])
def test_the_chosen_answer_is_the_row_s_and_the_rejected_one_its_metadata(prompt: Any, tmp_path: Path) -> None:
    before = [] if prompt else [USER]
    record = {"prompt": prompt} if prompt else {}
    record |= {"chosen": [*before, FOUR], "rejected": [*before, {**FOUR, "content": "5"}]}
    (row,) = read(tmp_path, record)
    assert (row.prompt, row.answer, row.metadata) == ("2 + 2?", "4", {"rejected": "5"})


def test_preferences_of_text_and_those_whose_talk_holds_the_prompt(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"})
    assert (row.prompt, row.answer, row.metadata) == ("2 + 2?", "4", {"rejected": "5"})
    record = {"prompt": "2 + 2?", "messages": [USER], "chosen": [USER, FOUR], "rejected": [USER, YES]}
    (row,) = read(tmp_path, record)
    assert (row.prompt, row.answer, row.metadata) == ("2 + 2?", "4", {"rejected": "Yes."})


IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (
            {"messages": [{**USER, "role": "narrator"}, FOUR]},
            ["'narrator'", "available roles: system, developer, user"],
        ),
        ({"messages": [{**USER, "role": ""}, FOUR]}, ["{role, content}"]),
        ({"messages": [{**USER, "content": [IMAGE]}, FOUR]}, ["'user'", "type 'image_url'", "text only"]),
        ({"messages": [{**USER, "content": [{"type": "input_audio"}]}, FOUR]}, ["type 'input_audio'"]),
        ({"messages": [{**USER, "content": [{"type": "tool_result", "content": "4"}]}, FOUR]}, ["type 'tool_result'"]),
        ({"messages": [{**USER, "content": [5]}, FOUR]}, ["type '5'"]),
        ({"messages": [{**USER, "content": {"a": 1}}, FOUR]}, ["{'a': 1}"]),
        ({"messages": [{**USER, "content": None}, FOUR]}, ["{role, content} with text"]),
        ({"messages": [USER, {**FOUR, "content": None}]}, ["{role, content} with text"]),
        ({"messages": [USER, FOUR], "images": ["a.png"]}, ["images", "text only"]),
        ({"messages": [{**USER, "audio": "a.wav"}, FOUR]}, ["audio in a turn by 'user'"]),
        ({"messages": [USER, {**FOUR, "refusal": "no"}]}, ["refusal in a turn by 'assistant'"]),
        ({"messages": [USER, {**FOUR, "weight": 0}]}, ["weight: 0"]),
        ({"messages": [USER, {**FOUR, "train": False}]}, ["train: False"]),
        ({"messages": [{**USER, "tool_calls": [CALL]}, FOUR]}, ["'user' that calls tools"]),
        ({"messages": [USER, {**CALLING, "tool_calls": "add"}]}, ["not a list: 'add'"]),
        ({"messages": [USER, {**CALLING, "tool_calls": [{"function": {}}]}]}, ["{function: {name, arguments}}"]),
        ({"messages": [USER, {**CALLING, "tool_calls": [{**CALL, "type": "custom"}]}]}, ["{function: {name"]),
        ({"messages": [USER, {"from": "function_call", "value": "add 2"}]}, ["not JSON {name, arguments}"]),
        ({"messages": [USER, {**FOUR, "reasoning": {"a": 1}}]}, ["a reasoning that is not text"]),
        ({"messages": [USER, FOUR], "tools": "add"}, ["tools that are not JSON"]),
        ({"messages": [USER, FOUR], "tools": {"add": 1}}, ["not a list of definitions"]),
        ({"messages": [USER, FOUR], "tools": [{"add": 1}]}, ["{name, description, parameters}"]),
        ({"messages": [USER, FOUR], "system": ["Be"]}, ["a system that is not text"]),
        ({"messages": []}, ["an empty chat"]),
        ({"messages": None}, ["no value in column 'messages'"]),
        ({"messages": ["hi"]}, ["{role, content}"]),
        ({"prompt": [USER], "completion": 4}, ["int in column 'completion'"]),
        ({"chosen": [USER, FOUR], "rejected": [OTHER, FOUR]}, ["differ in more than the last"]),
        ({"chosen": [USER, FOUR], "rejected": [USER]}, ["differ in more than the last"]),
        ({"chosen": [], "rejected": []}, ["differ in more than the last"]),
        ({"instruction": "a", "output": "b", "history": "c"}, ["a history that is not a list of pairs"]),
        ({"instruction": "a", "output": "b", "history": [["c"]]}, ["a history that is not a list of pairs"]),
    ],
)
def test_unsupported_fields_are_errors_with_their_line(
    record: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    good = {"instruction": "a", "output": "b"} if "instruction" in record else {"messages": [USER, FOUR]}
    good = {"prompt": [USER], "completion": [FOUR]} if "completion" in record else good
    good = {"chosen": [USER, FOUR], "rejected": [USER, YES]} if "chosen" in record else good
    with pytest.raises(SelfsownError) as caught:
        read(tmp_path, good, record)
    assert str(caught.value).startswith(f"{tmp_path / 'rows.jsonl'}:2 ")
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


def test_an_unpaired_surrogate_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "\\ud800"}]}\n', encoding="utf-8")
    with pytest.raises(SelfsownError, match=r"rows\.jsonl:1 has an unpaired surrogate in content"):
        list(Task(str(path)).pose(0))


def test_columns_beside_a_chat_count_in_every_record_that_has_them(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        {"messages": [USER, FOUR]},
        {"messages": [USER, FOUR], "system": "Be brief.", "tools": [ADD]},
    )
    assert [sorted(row.metadata) for row in rows] == [[], ["system", "tools"]]
    rows = read(
        tmp_path,
        {"instruction": "2 + 2?", "output": "4"},
        {"instruction": "Sure?", "output": "Yes.", "history": [["2 + 2?", "4"]], "system": "Be brief."},
    )
    assert [whole(row) for row in rows] == [[USER, FOUR], [SYSTEM, USER, FOUR, OTHER, YES]]


def test_what_is_not_a_number_stands_for_nothing_beside_a_chat(tmp_path: Path) -> None:
    nothing = float("nan")
    record = {"instruction": "2 + 2?", "output": "4", "system": nothing, "history": nothing, "tools": nothing}
    (row,) = read(tmp_path, record, kind="parquet")
    assert (row.prompt, row.answer, row.metadata) == ("2 + 2?", "4", {})
    (row,) = read(tmp_path, {"messages": [USER, FOUR], "system": nothing, "image": nothing}, kind="parquet")
    assert whole(row) == [USER, FOUR]


def test_columns_that_the_user_named_are_all_that_is_read(tmp_path: Path) -> None:
    read(tmp_path, {"instruction": "2 + 2?", "output": "4", "system": "Windows"})
    (row,) = Task(str(tmp_path / "rows.jsonl"), prompt="instruction", answer="output").pose(0)
    assert (row.prompt, row.answer, row.metadata) == ("2 + 2?", "4", {})
