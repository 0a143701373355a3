"""Trajectories of agents in ATIF: what the model wrote becomes answers, all else prompts; broken ones are refused."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfsown.audit.data_source import ColumnNames, open_source
from selfsown.audit.drop import check_destination
from selfsown.calibration.labeled_rows import labeled_from_file
from selfsown.errors import SelfsownError
from selfsown.files.atif import trajectory_rows
from selfsown.holdout import split
from selfsown.models.hf.encoding import load_encoder
from selfsown.models.hf.settings import Settings
from selfsown.records import Row
from selfsown.tasks.file import Task
from selfsown.text.chat import Conversation, Message, answer_message, prompt_messages
from testing.tiny_checkpoint import write_checkpoint

SHELL = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}


def call(call_id: str = "c1", **arguments: Any) -> dict[str, Any]:
    return {"tool_call_id": call_id, "function_name": "bash", "arguments": arguments}


def step(number: int, source: str, message: Any = "", **fields: Any) -> dict[str, Any]:
    return {"step_id": number, "source": source, "message": message, **fields}


def observed(content: Any, call_id: str | None = None) -> dict[str, Any]:
    return {"results": [{"source_call_id": call_id, "content": content}]}


def trajectory(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    agent = {"name": "terminus-2", "version": "2.0.0", "model_name": "m", "tool_definitions": [SHELL]}
    return {"schema_version": "ATIF-v1.7", "session_id": "s", "agent": agent, "steps": list(steps), **fields}


WHOLE = trajectory(
    step(1, "system", "Be brief."),
    step(2, "user", "How many files?"),
    step(
        3,
        "agent",
        "I look.",
        reasoning_content="First ls.",
        tool_calls=[call(command="ls")],
        observation=observed("a\nb", "c1"),
        metrics={"prompt_tokens": 9, "completion_token_ids": [1, 2]},
    ),
    step(4, "agent", "There are 2.", timestamp="2026-01-02T03:04:05Z"),
    final_metrics={"total_steps": 4},
)
CALLED = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}


def write(folder: Path, *records: dict[str, Any]) -> str:
    path = folder / "traces.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def test_each_turn_of_the_model_is_a_row_after_the_conversation_so_far(tmp_path: Path) -> None:
    task = Task(write(tmp_path, WHOLE))
    first, last = list(task.pose(0))
    assert task.note == "each turn of an agent as a row"
    assert first.answer == 'I look.\nbash({"command": "ls"})'
    assert first.metadata["reasoning"] == "First ls."
    assert prompt_messages(first.prompt, first.metadata) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How many files?"},
    ]
    assert answer_message(first.answer, first.metadata) == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [CALLED],
    }
    assert last.answer == last.target == "There are 2."
    assert [message["role"] for message in prompt_messages(last.prompt, last.metadata)] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]
    prompt = last.full_prompt
    assert isinstance(prompt, Conversation)
    assert prompt.messages[-1] == {"role": "tool", "content": "a\nb", "name": "bash", "tool_call_id": "c1"}
    assert json.loads(prompt.tools) == [SHELL]
    assert (first.metadata["turn"], last.metadata["turn"]) == ("1 of 2", "2 of 2")
    assert first.metadata["episode"] == last.metadata["episode"]
    assert last.metadata["agent"] == "terminus-2 2.0.0"
    assert (first.source, last.source, last.sample_index) == ("traces.jsonl:1", "traces.jsonl:1", 1)


@pytest.mark.parametrize("indent", [None, 2])
def test_the_file_of_one_trajectory_may_extend_over_lines_or_be_an_array(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(WHOLE, indent=indent), encoding="utf-8")
    rows = list(Task(str(path)).pose(0))
    assert [row.answer for row in rows] == [row.answer for row in trajectory_rows(WHOLE)]
    path.write_text(json.dumps([WHOLE, WHOLE], indent=indent), encoding="utf-8")
    assert len(list(Task(str(path)).pose(0))) == 4


def test_turns_of_one_task_are_never_on_both_sides(tmp_path: Path) -> None:
    def about(number: int, files: int) -> dict[str, Any]:
        changed = copy.deepcopy(WHOLE)
        changed["steps"][1]["message"] = f"How many files in {number}?"
        changed["steps"][3]["message"] = f"There are {files}."
        return changed

    path = write(tmp_path, *(about(number, files) for number in range(20) for files in (1, 2)))
    learned, held_out = split(list(Task(path).pose(0)), 0.3, 0, "traces")
    assert len(held_out) == 24
    assert not {row.key for row in learned} & {row.key for row in held_out}
    assert len({row.metadata["episode"] for row in [*learned, *held_out]}) == 40


def texts(messages: list[Message]) -> list[tuple[str, Any]]:
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.parametrize(
    ("steps", "prompts"),
    [
        (  # a result of an action that is no call, as agents without tool calls record it
            [step(2, "agent", "ls", observation=observed("a")), step(3, "agent", "2")],
            [[], [("assistant", "ls"), ("user", "a")]],
        ),
        (  # one result of two calls
            [step(2, "agent", "", tool_calls=[call(), call("c2")], observation=observed("a")), step(3, "agent", "2")],
            [[], [("assistant", None), ("tool", "a")]],
        ),
        (  # copied from an earlier trajectory, or written by no model: context alone
            [
                step(2, "agent", "old", is_copied_context=True),
                step(3, "agent", "fixed", llm_call_count=0),
                step(4, "user", "Now?"),
                step(5, "agent", "2", llm_call_count=1),
            ],
            [[("assistant", "old"), ("assistant", "fixed"), ("user", "Now?")]],
        ),
        (  # parts of text; steps that say nothing
            [
                step(2, "user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
                step(3, "agent", ""),
                step(4, "system", " "),
                step(5, "agent", "2"),
            ],
            [[("user", "ab")]],
        ),
    ],
)
def test_what_stands_before_a_turn(steps: list[dict[str, Any]], prompts: list[list[tuple[str, Any]]]) -> None:
    rows = trajectory_rows(trajectory(step(1, "user", "Go"), *steps))
    before = [texts(prompt_messages(row.prompt, row.metadata)) for row in rows]
    assert before == [[("user", "Go"), *prompt] for prompt in prompts]


def test_a_compacted_context_is_what_the_model_saw() -> None:
    replaced = {"context_management": {"type": "compaction", "boundary": "replace"}}
    rows = trajectory_rows(
        trajectory(
            step(1, "system", "Be brief."),
            step(2, "user", "Go"),
            step(3, "agent", "one"),
            step(4, "system", "Performed context summarization.", extra=replaced),
            step(5, "user", "So far: one."),
            step(6, "agent", "two"),
        )
    )
    messages = prompt_messages(rows[1].prompt, rows[1].metadata)
    assert texts(messages) == [("system", "Be brief."), ("user", "So far: one.")]
    assert rows[0].key == rows[1].key


BROKEN = [
    ({"schema_version": "ATIF-v2.0"}, "has schema_version 'ATIF-v2.0'; trajectories of ATIF-v1.0"),
    ({"steps": []}, "has no list of steps"),
    ({"agent": None}, "has an agent that is not {name, version}: None"),
    ({"agent": {"version": "1"}}, "has an agent without a name"),
    (
        {"agent": {"name": "a", "tool_definitions": [{"x": 1}]}},
        "has a tool that is not {name, description, parameters}",
    ),
    ({"steps": [step(1, "user", "Go"), step(3, "agent", "2")]}, "has step_id 3 in place 2; steps are numbered from 1"),
    ({"steps": [step(1, "tool", "Go")]}, "has step 1 that is not by one of system, user, agent"),
    ({"steps": [step(1, "user", "Go")]}, "has no turn that a model wrote"),
    ({"steps": [step(1, "user", "Go"), step(2, "agent", None)]}, "has step 2 without a message"),
    ({"steps": [step(1, "agent", "2")]}, "has step 1 by the agent, with nothing before it to answer"),
    ({"steps": [step(1, "user", "Go", tool_calls=[call()])]}, "has step 1 by the user with tool_calls"),
    (
        {"steps": [step(1, "user", [{"type": "image", "source": {"path": "a.png"}}])]},
        "has a turn by 'user' with a part of type 'image'; rows support text only",
    ),
    (
        {"steps": [step(1, "user", "Go"), step(2, "agent", "", tool_calls=[call()], observation=observed("a", "c9"))]},
        "has step 2 with a result for 'c9', which is not one of its tool calls",
    ),
    (
        {"steps": [step(1, "user", "Go"), step(2, "agent", "", tool_calls=[call(), call()])]},
        "has step 2 with two tool calls of one tool_call_id",
    ),
    (
        {"steps": [step(1, "user", "Go"), step(2, "agent", "", tool_calls=[{"name": "bash"}])]},
        "has step 2 with a tool call that is not {tool_call_id, function_name, arguments}",
    ),
    (
        {"steps": [step(1, "user", "Go"), step(2, "agent", "x", observation={"results": ["a"]})]},
        "has step 2 whose observation is not {results: [...]}",
    ),
]


@pytest.mark.parametrize(("fields", "reason"), BROKEN)
def test_a_broken_one_is_refused_with_the_reason_and_others_are_read(
    fields: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = write(tmp_path, WHOLE, {**WHOLE, **fields}, WHOLE)
    with pytest.raises(SelfsownError) as error:
        list(Task(path).pose(0))
    assert f"traces.jsonl:2 {reason}" in str(error.value)
    assert "\n" not in str(error.value)
    assert "skip_bad=true" in str(error.value)
    task = Task(path, skip_bad=True)
    assert len(list(task.pose(0))) == 4
    (skipped,) = task.set_aside()
    assert reason in skipped.reason


def test_a_record_of_another_kind_among_trajectories_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE, {"messages": [{"role": "user", "content": "Hi"}]})
    with pytest.raises(SelfsownError, match=r"traces\.jsonl:2 has schema_version None"):
        list(Task(path).pose(0))


def test_columns_of_the_recipe_are_in_each_turn(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)
    rows = list(Task(path, metadata=("session_id",), system="{{ agent.name }} speaks").pose(0))
    assert [(row.metadata["session_id"], row.metadata["system"]) for row in rows] == [("s", "terminus-2 speaks")] * 2


def test_what_takes_one_row_a_record_refuses_trajectories(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)
    with pytest.raises(SelfsownError, match="has trajectories of agents, not rows with labels"):
        labeled_from_file(Path(path), Task(path), 10, 0)
    source = open_source(path, ColumnNames())
    assert len(list(source.rows())) == 2
    with pytest.raises(SelfsownError, match=r"a record of traces\.jsonl is a trajectory of several rows"):
        check_destination(tmp_path / "out.jsonl", source, [])


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
SAID = TEXTS.filter(str.strip)
OBJECTS = st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS), max_size=3)


@st.composite
def agent_steps(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(0, 2))
    ids = [f"c{number}" for number in range(count)]
    calls = [{"tool_call_id": name, "function_name": draw(SAID), "arguments": draw(OBJECTS)} for name in ids]
    sources = st.sampled_from([*ids, None])
    results = draw(st.lists(st.tuples(sources, st.none() | TEXTS), max_size=3))
    fields: dict[str, Any] = {"tool_calls": calls} if calls else {}
    if results:
        fields["observation"] = {"results": [{"source_call_id": name, "content": text} for name, text in results]}
    if draw(st.booleans()):
        fields["reasoning_content"] = draw(TEXTS)
    if draw(st.booleans()):
        fields["is_copied_context"] = draw(st.booleans())
    return {"source": "agent", "message": draw(TEXTS), **fields}


def other_steps() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"source": st.sampled_from(["user", "system"]), "message": TEXTS})


@st.composite
def trajectories(draw: st.DrawFn) -> dict[str, Any]:
    """Trajectories that are right by the models of Harbor, with a task first and an answer last."""
    middle = draw(st.lists(agent_steps() | other_steps(), max_size=6))
    steps = [{"source": "user", "message": draw(SAID)}, *middle, {"source": "agent", "message": draw(SAID)}]
    return trajectory(*({"step_id": number, **item} for number, item in enumerate(steps, 1)))


def is_written(item: dict[str, Any]) -> bool:
    is_turn = item["source"] == "agent" and (item["message"].strip() or item.get("tool_calls"))
    return bool(is_turn) and not item.get("is_copied_context")


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(trajectories())
def test_prompt_and_answer_together_are_the_trajectory_and_answers_are_what_the_model_wrote(
    record: dict[str, Any],
) -> None:
    before = copy.deepcopy(record)
    rows = trajectory_rows(record)
    assert record == before
    written = [item for item in record["steps"] if is_written(item)]
    assert len(rows) == len(written)
    longer: list[Message] = []
    for row, item in zip(rows, written, strict=True):
        prompt, answer = prompt_messages(row.prompt, row.metadata), answer_message(row.answer, row.metadata)
        assert prompt[: len(longer)] == longer  # each prompt goes on from the turn before, without its thoughts
        assert (answer["content"] or "") == item["message"]
        called = [json.loads(used["function"]["arguments"]) for used in answer.get("tool_calls", ())]
        assert called == [used["arguments"] for used in item.get("tool_calls", ())]
        longer = prompt
    said = [item["message"] for item in record["steps"] if item["source"] != "agent" and item["message"].strip()]
    results = [
        result["content"]
        for item in record["steps"]
        for result in item.get("observation", {"results": []})["results"]
        if result["content"]
    ]
    assert all(text in "\n".join(str(message["content"]) for message in longer) for text in [*said, *results])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@QUICK
@given(trajectories(), st.data())
def test_whatever_is_in_a_field_a_record_makes_rows_or_a_reason_of_one_line(
    record: dict[str, Any], data: st.DataObject
) -> None:
    record = copy.deepcopy(record)
    places = list(_places(record))
    owner, key = places[data.draw(st.integers(0, len(places) - 1))]
    owner[key] = data.draw(JSON)
    rows, reason = read_or_reason(record)
    assert all(isinstance(row, Row) and row.prompt.strip() and row.answer for row in rows)
    assert bool(rows) != bool(reason)
    assert re.fullmatch("has .*", reason) or rows


def read_or_reason(record: dict[str, Any]) -> tuple[list[Row], str]:
    try:
        return trajectory_rows(record), ""
    except ValueError as error:
        return [], str(error)


def _places(value: Any) -> Any:
    """Every (container, key) inside of a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def test_training_learns_what_the_model_wrote_and_nothing_else(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    encoder = load_encoder(tmp_path, Settings(model=str(tmp_path)), "tiny")
    for row, learned in zip(trajectory_rows(WHOLE), ("I look.", "There are 2."), strict=True):
        tokens, start = encoder.row(row)
        before, after = encoder.decode(tokens[:start]), encoder.decode(tokens[start:])
        assert learned in after
        assert learned not in before
        assert "How many files?" in before
        assert "a\nb" not in after
    assert "a\nb" in before
    assert tokens[-1] == encoder.end
