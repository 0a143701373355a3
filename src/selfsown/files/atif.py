"""Trajectories of agents in ATIF, the Agent Trajectory Interchange Format of Harbor, as rows.

Each turn that a model wrote is a row: its prompt is the conversation so far with the tools, its answer what the model
wrote. So training learns what the model wrote, and never the results of tools or the words of the user. Errors are
ValueErrors with the reason, without the record's line.

Source: Harbor, RFC 0001 (ATIF-v1.0 to v1.8), and the models in `harbor.models.trajectories`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from selfsown.files.chat_records import content_text
from selfsown.files.record_fields import Record, checked_text
from selfsown.files.tool_calls import tools_metadata
from selfsown.records import EPISODE, TURN, Row
from selfsown.text.chat import (
    INSTRUCTION_ROLES,
    Message,
    answer_metadata,
    message_text,
    messages_metadata,
    messages_text,
)

COLUMNS = ("schema_version", "agent", "steps")  # those that rows are made from
SOURCES = ("system", "user", "agent")
AGENT_FIELDS = ("reasoning_content", "tool_calls")  # that no other step may have
NOTE = "each turn of an agent as a row"
_VERSION = re.compile(r"ATIF-v1\.\d+")


def is_trajectory(record: Mapping[str, object]) -> bool:
    """Whether the record names ATIF, in any version, as its schema."""
    return str(record.get("schema_version", "")).startswith("ATIF")


def trajectory_rows(record: Record) -> list[Row]:
    """The turns of a trajectory that its model wrote, in their order, with the same metadata `episode` in all.

    Turns copied from another trajectory, and agent steps that no model wrote, are context alone. ValueError: the record
    is not such a trajectory, or its steps do not fit together.
    """
    version = record.get("schema_version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError(f"has schema_version {version!r:.80}; trajectories of ATIF-v1.0 and later of v1 are read")
    steps = record.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ValueError("has no list of steps")
    whole = json.dumps(record, sort_keys=True, default=str)
    shared = {**_agent_metadata(record.get("agent")), EPISODE: hashlib.sha256(whole.encode()).hexdigest()[:16]}
    turns = list(_turns(steps))
    written = [(before, message) for before, message, is_written in turns if is_written]
    if not written:
        raise ValueError("has no turn that a model wrote")
    problem = messages_text(turns[0][0])
    return [
        Row(
            messages_text(before),
            message_text(message),
            problem=problem,
            metadata={
                **messages_metadata(before),
                **shared,
                TURN: f"{number} of {len(written)}",
                **answer_metadata(message),
            },
        )
        for number, (before, message) in enumerate(written, 1)
    ]


def _turns(steps: Sequence[object]) -> Iterator[tuple[list[Message], Message, bool]]:
    """The messages before each turn of the agent, the turn, and whether a model wrote it here."""
    messages = list[Message]()
    for number, item in enumerate(steps, 1):
        step = _checked_step(number, item)
        if _replaces_context(step):
            messages = list(takewhile(lambda message: message["role"] in INSTRUCTION_ROLES, messages))
            continue
        message = _message(number, step)
        if message and step["source"] == "agent":
            if not messages_text(messages).strip():
                raise ValueError(f"has step {number} by the agent, with nothing before it to answer")
            yield list(messages), message, not step.get("is_copied_context") and step.get("llm_call_count") != 0
        messages += [message] if message else []
        messages += _results(number, step, message.get("tool_calls") or () if message else ())


def _checked_step(number: int, step: object) -> Record:
    if not isinstance(step, dict) or step.get("source") not in SOURCES:
        raise ValueError(f"has step {number} that is not by one of {', '.join(SOURCES)}: {step!r:.80}")
    if step.get("step_id") != number:
        raise ValueError(f"has step_id {step.get('step_id')!r:.80} in place {number}; steps are numbered from 1")
    if step["source"] != "agent" and (field := next((name for name in AGENT_FIELDS if step.get(name)), "")):
        raise ValueError(f"has step {number} by the {step['source']} with {field}, which only an agent's step may have")
    return step


def _replaces_context(step: Record) -> bool:
    """Whether the agent's context was replaced here, so that the model has not seen what stands before."""
    extra = step.get("extra")
    management = extra.get("context_management") if isinstance(extra, dict) else None
    return isinstance(management, dict) and management.get("boundary") == "replace"


def _message(number: int, step: Record) -> Message | None:
    """The message of a step, None where it says nothing and calls nothing."""
    text, _ = content_text(step.get("message"), step["source"])
    if text is None:
        raise ValueError(f"has step {number} without a message")
    if step["source"] != "agent":
        return {"role": step["source"], "content": text} if text.strip() else None
    calls = _calls(number, step.get("tool_calls"))
    if not text.strip() and not calls:
        return None
    message: Message = {"role": "assistant", "content": None if calls and not text else text}
    if calls:
        message["tool_calls"] = calls
    if step.get("reasoning_content"):
        message["reasoning_content"] = checked_text(step["reasoning_content"], "reasoning")
    return message


def _calls(number: int, calls: object) -> list[Message]:
    """The tool calls of a step in the form of OpenAI's chat API."""
    if calls is None:
        return []
    if not isinstance(calls, list):
        raise ValueError(f"has step {number} whose tool_calls are not a list: {calls!r:.80}")
    converted = [_call(number, call) for call in calls]
    if len({call["id"] for call in converted}) < len(converted):
        raise ValueError(f"has step {number} with two tool calls of one tool_call_id")
    return converted


def _call(number: int, call: object) -> Message:
    if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict):
        raise ValueError(
            f"has step {number} with a tool call that is not {{tool_call_id, function_name, arguments}}: {call!r:.80}"
        )
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    name = checked_text(call.get("function_name"), "function_name")
    function = {"name": name, "arguments": checked_text(arguments, "arguments")}
    return {"id": checked_text(call.get("tool_call_id"), "tool_call_id"), "type": "function", "function": function}


def _results(number: int, step: Record, calls: Sequence[Message]) -> Iterator[Message]:
    """The results of the step's calls as messages of tools; of an action that is no call, as a message of the user.

    A result that names no call belongs to the first call without one.
    """
    names = {call["id"]: call["function"]["name"] for call in calls}
    results = _observed(number, step)
    named = [result.get("source_call_id") for result in results]
    unanswered = [call_id for call_id in names if call_id not in named]
    for result in results:
        text, _ = content_text(result.get("content"), "tool")
        call_id = result.get("source_call_id")
        if call_id is not None and (not isinstance(call_id, str) or call_id not in names):
            raise ValueError(f"has step {number} with a result for {call_id!r:.80}, which is not one of its tool calls")
        if call_id is None and unanswered:
            call_id = unanswered.pop(0)
        if call_id is not None:
            yield {"role": "tool", "content": text or "", "name": names[call_id], "tool_call_id": call_id}
        elif text:
            yield {"role": "user", "content": text}


def _observed(number: int, step: Record) -> list[Record]:
    observation = step.get("observation")
    if observation is None:
        return []
    results = observation.get("results") if isinstance(observation, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise ValueError(f"has step {number} whose observation is not {{results: [...]}}: {observation!r:.80}")
    return results


def _agent_metadata(agent: object) -> dict[str, str]:
    """The agent's name and version, and the definitions of its tools."""
    if not isinstance(agent, dict):
        raise ValueError(f"has an agent that is not {{name, version}}: {agent!r:.80}")
    if not agent.get("name"):
        raise ValueError("has an agent without a name")
    words = [checked_text(agent[name], f"{name} of its agent") for name in ("name", "version") if agent.get(name)]
    return {"agent": " ".join(words), **tools_metadata({"tools": agent.get("tool_definitions")}, ("tools",))}
