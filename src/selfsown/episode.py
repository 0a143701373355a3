"""An episode: a model acts in an environment by calling tools, turn after turn, until it answers.

Each turn becomes a row: its prompt is the conversation so far, its answer what the model wrote. So training learns what
the model wrote, and never the results of tools or the words of the user. How the episode ended is the same in the
metadata of all of its rows: `outcome`, written by this program and not by a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from selfsown.records import EPISODE, TURN, JsonObject, Row
from selfsown.text.chat import Conversation, Message, answer_metadata, message_text, messages_metadata, messages_text
from selfsown.text.tool_use import BadCall, split_calls

OUTCOME = "outcome"  # metadata: how the episode ended
MAX_RESULT_CHARS = 2_000  # of a tool, as the model sees it


class Environment(Protocol):
    """A place that tools act in, from the state that a row describes."""

    def call(self, name: str, arguments: JsonObject) -> str:
        """The result of a tool. Raises ValueError, whose text the model reads, where the call does not fit."""
        ...

    def state(self) -> JsonObject:
        """Where it is now, as JSON."""
        ...


@runtime_checkable
class Served(Protocol):
    """An environment elsewhere, which may end an episode itself, and is closed after it."""

    @property
    def done(self) -> bool: ...

    def close(self, answer: str | None) -> None:
        """End it, with the model's final answer where it gave one. Its state can still be asked for."""
        ...


@dataclass
class Episode:
    """A problem, its environment, and the messages so far.

    tools: definitions, as JSON. turns: the places of the model's messages. calls: of tools; invalid: those that did not
    fit. failure: why it ended without an answer. answer: None until it ends with one.
    """

    problem: Row
    environment: Environment
    tools: str
    messages: list[Message]
    turns: list[int] = field(default_factory=list)
    calls: int = 0
    invalid: int = 0
    failure: str = ""
    answer: str | None = None

    @property
    def ended(self) -> bool:
        is_over = isinstance(self.environment, Served) and self.environment.done
        return bool(self.failure) or self.answer is not None or is_over

    def close(self) -> None:
        """End the environment, where it is elsewhere."""
        if isinstance(self.environment, Served):
            self.environment.close(self.answer)

    @property
    def prompt(self) -> Conversation:
        """What the model is asked next."""
        return Conversation(messages_text(self.messages), json.dumps(self.messages, ensure_ascii=False), self.tools)

    def take(self, text: str, calls: Sequence[Message] = ()) -> None:
        """Add the model's turn, and the results of the tools that it calls in `calls` or in its text."""
        try:
            content, called = (text, [*calls]) if calls else split_calls(text)
        except BadCall as error:
            self._say({"role": "assistant", "content": text})
            self.calls, self.invalid = self.calls + 1, self.invalid + 1
            self.messages.append({"role": "user", "content": f"Error: {error}"})
            return
        called = [{"id": f"call_{self.calls + place}", **call} for place, call in enumerate(called, 1)]
        self._say({"role": "assistant", "content": content, **({"tool_calls": called} if called else {})})
        if not called:
            self.answer = content
        for call in called:
            name, result = call["function"]["name"], self._result(call["function"])
            self.messages.append({"role": "tool", "name": name, "tool_call_id": call["id"], "content": result})

    def fail(self, text: str, reason: str) -> None:
        """End with a turn that is no answer, so that the episode has a row that says why."""
        self._say({"role": "assistant", "content": text})
        self.failure = reason

    def rows(self) -> Iterator[Row]:
        """One for each turn of the model."""
        key = hashlib.sha256(f"{self.problem.id} {json.dumps(self.messages)}".encode()).hexdigest()[:16]
        outcome = {
            "state": self.environment.state(),
            "calls": self.calls,
            "invalid": self.invalid,
            "answer": self.answer,
        }
        for number, place in enumerate(self.turns, 1):
            before, written = self.messages[:place], self.messages[place]
            metadata = {
                **self.problem.metadata,
                **messages_metadata(before),
                "tools": self.tools,
                OUTCOME: json.dumps(outcome, ensure_ascii=False),
                EPISODE: key,
                TURN: f"{number} of {len(self.turns)}",
                **answer_metadata(written),
            }
            row = replace(self.problem, prompt=messages_text(before), answer=message_text(written), metadata=metadata)
            yield row.failed(self.failure) if self.failure else row

    def _say(self, message: Message) -> None:
        self.turns.append(len(self.messages))
        self.messages.append(message)

    def _result(self, function: Message) -> str:
        self.calls += 1
        try:
            arguments = json.loads(function["arguments"])
            if not isinstance(arguments, dict):
                raise ValueError("its arguments are not an object")
            return self.environment.call(function["name"], arguments)[:MAX_RESULT_CHARS]
        except (ValueError, RecursionError) as error:
            self.invalid += 1
            return f"Error: {error}"
