"""A stand-in for a pretrained student in the dry run: real answers, without asking the model for hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.models import DEFAULT_PARAMS, Model, Pretrained, Reply, SamplingParams
from selfsown.records import JsonObject, Row, answered
from selfsown.text.chat import Prompt

NO_ANSWER = "…"  # where no real row has an answer


@dataclass
class StubStudent:
    """It replies with the answers of the rows, in turn, and finds all texts equally likely."""

    name: str
    student: Any
    rows: Sequence[Row]
    reads_conversations: bool = True
    is_stand_in: bool = True

    def harness_arguments(self) -> JsonObject:
        """Those of the student."""
        arguments: JsonObject = self.student.harness_arguments()
        return arguments

    def free_memory(self) -> None:
        """As of the student."""
        self.student.free_memory()

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As in `Model`."""
        rows = answered(self.rows) or [Row("", NO_ANSWER)]
        replies = []
        for place, prompt in enumerate(prompts):
            row = rows[place % len(rows)]
            whole = row.prompt or row.answer if params.continue_prompt else str(prompt)
            replies.append([Reply(whole, row.answer, 1)] * params.n)
        return replies

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """One bit a character."""
        return [(len(row.answer) + 1.0, len(row.answer) + 1) for row in rows]

    def answer_bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """The same."""
        return self.bits(rows)


def stand_in(student: Model, rows: Sequence[Row]) -> Model:
    """The student itself, or a stand-in for one that was trained before: these are large. It is asked for one token."""
    if not isinstance(student, Pretrained):
        return student
    prompts = [row.full_prompt for row in rows if row.prompt][:1] or [""]
    student.complete(prompts, SamplingParams(max_tokens=1))
    return StubStudent(student.name, student, rows)
