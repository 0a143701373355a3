"""A taskset of the package verifiers: its prompts, and its rewards as the verifier of single replies.

Rewards are those that need no runtime: a taskset whose agent acts in a container, or with tools, is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from selfsown.errors import RecipeError, SelfsownError, one_line
from selfsown.files.functions import blame, load_function
from selfsown.option_types import Natural, Positive
from selfsown.records import Grade, JsonObject, Row
from selfsown.text.chat import messages_metadata, messages_text

INDEX_KEY = "task_index"  # metadata: the task's position in its taskset


@dataclass(frozen=True)
class Task:
    """taskset: ./file.py:Class, package.module:Class, or the name of an installed taskset. config: its configuration.
    rows: use its first so many tasks; 0 uses all. answer: the field of its data that has the known answer, to learn
    from; without it, rows are prompts. high: the sum of weighted rewards that a right answer gets; 0 is the lowest."""

    taskset: str
    config: JsonObject | None = None
    rows: Natural = 0
    answer: str = ""
    high: Positive = 1.0

    name = "verifiers"
    top_level = 0
    verifiable = True
    forms = ()
    right_score = 1.0

    def pose(self, seed: int) -> Iterator[Row]:
        """The tasks in their order. RecipeError: they cannot be loaded, or need more than a reply."""
        for index, task in enumerate(self._tasks):
            data = task.data
            if self.answer and not hasattr(data, self.answer):
                fields = ", ".join(sorted(_own_fields(data))) or "none"
                raise _error(f"answer: its data have no field {self.answer!r}; its own: {fields}")
            answer = str(getattr(data, self.answer)) if self.answer else ""
            messages = _messages(data)
            metadata = {**messages_metadata(messages), INDEX_KEY: str(index)}
            yield Row(
                messages_text(messages),
                answer,
                target=answer,
                source=self.taskset,
                sample_index=index,
                metadata=metadata,
            )

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "the answer is empty"

    def checks(self, row: Row) -> bool:
        return INDEX_KEY in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """The sum of the rewards of this reply, as a share of `high`."""
        index = int(row.metadata.get(INDEX_KEY, "-1"))
        if not 0 <= index < len(self._tasks):
            return Grade(0.0, "the taskset does not have this task", evidence="rule", failed=True)
        try:
            rewards = _rewards(self._tasks[index], row.prompt, answer)
        except Exception as error:
            return Grade(0.0, f"its reward failed: {blame(error)}", evidence="rule", failed=True)
        if not rewards:
            return Grade(0.0, "none of its rewards can be computed without a runtime", evidence="rule", failed=True)
        score = min(1.0, max(0.0, sum(rewards.values()) / self.high))
        reason = ", ".join(f"{name} {value:.3g}" for name, value in rewards.items())
        correction = (row.prompt, row.target) if row.target and score < 1 else None
        return Grade(score, reason, evidence="rule", correction=correction)

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    @cached_property
    def _tasks(self) -> list[Any]:
        if not find_spec("verifiers"):
            raise _error("the package verifiers is not installed: pip install verifiers")
        taskset = self._taskset
        if not self.rows and not taskset.bounded:
            raise _error(f"{self.taskset} has tasks without end; set rows")
        try:
            tasks = list(taskset.take(self.rows) if self.rows else taskset)
        except Exception as error:
            raise _error(f"{self.taskset} cannot be loaded: {blame(error)}") from error
        if not tasks:
            raise _error(f"{self.taskset} has no tasks")
        if type(tasks[0]).NEEDS_CONTAINER:
            raise _error(f"{self.taskset} needs a container; only tasks that one reply answers can be used")
        return tasks

    @property
    def _taskset(self) -> Any:
        import verifiers.v1 as vf
        from verifiers.v1.utils.generic import concrete_type
        from verifiers.v1.utils.loaders import taskset_class

        try:
            if ":" in self.taskset:
                kind: Any = load_function(self.taskset, "real.verifiers.taskset")
            else:
                kind = taskset_class(self.taskset)
            return kind((concrete_type(kind, vf.TasksetConfig) or vf.TasksetConfig)(**self.config or {}))
        except SelfsownError:
            raise
        except Exception as error:
            raise _error(f"{self.taskset} cannot be created: {one_line(error)}") from error


def _messages(data: Any) -> list[dict[str, Any]]:
    from verifiers.v1.types import content_text

    system = [{"role": "system", "content": data.system_prompt}] if data.system_prompt else []
    if isinstance(data.prompt, str):
        return [*system, {"role": "user", "content": data.prompt}]
    return system + [{"role": turn.role, "content": content_text(turn.content)} for turn in data.prompt or []]


def _own_fields(data: Any) -> set[str]:
    """The fields of a taskset's data that not every taskset has."""
    import verifiers.v1 as vf

    kind: Any = type(data)
    return set(kind.model_fields) - set(vf.TaskData.model_fields)


def _rewards(task: Any, prompt: str, answer: str) -> dict[str, float]:
    """The weighted rewards of a reply, by name."""
    import verifiers.v1 as vf
    from verifiers.v1.state import state_cls

    trace: Any = vf.Trace(
        task=vf.TraceTask(type=type(task).__name__, data=task.data, key=task.key, hash=task.hash),
        state=state_cls(type(task))(),
        agent=vf.AgentInfo(config=vf.AgentConfig(), name="selfsown", trainable=False),
    )
    question, reply = vf.UserMessage(content=prompt), vf.AssistantMessage(content=answer)
    trace.nodes = [vf.MessageNode(message=question), vf.MessageNode(parent=0, message=reply, sampled=True)]
    asyncio.run(task.score(trace))
    return {name: reward.value for name, reward in trace.rewards.items() if reward is not None}


def _error(message: str) -> RecipeError:
    return RecipeError(f"real.verifiers: {message}")
