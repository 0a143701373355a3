"""The teacher answers real prompts, each several times (best-of-n, rejection sampling)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import compact_json, complete_json
from selfsown.records import NoPrompt, Row, with_metadata
from selfsown.tasks import Task
from selfsown.templates import TemplateText
from selfsown.text.chat import Prompt, keep_prompt_metadata, prepend_text

READS = "prompts"


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    seed: int,
    *,
    n: Count = 4,
    temperature: NotNegative = 1.0,
    instruction: TemplateText = "",
    schema: dict[str, Any] | None = None,
    where: dict[str, str] | None = None,
) -> Iterator[Row]:
    """Answers to each real prompt; the teacher's reasoning, where it gives any, is the metadata "reasoning".

    n: answers to each prompt.
    temperature: the teacher's sampling temperature.
    instruction: text before each prompt, which the row does not have; it may be a template over the row.
    schema: a JSON schema; answers are JSON on one line that follows it.
    where: use only rows with these metadata values.

    Raises NoPrompt where no real row has a prompt.
    """
    chosen = [row for row in with_metadata(rows, where) if row.prompt]
    if not chosen:
        raise _no_prompt(task)
    prompts = [prepend_text(row.full_prompt, for_row(instruction, row)) for row in chosen]
    params = SamplingParams(n=n, temperature=temperature, seed=seed)
    replies = teacher.complete(prompts, params) if schema is None else _structured(teacher, prompts, schema, params)
    for row, answers in zip(chosen, replies, strict=True):
        for reply in answers:
            yield _to_row(row, reply, task)


def _to_row(row: Row, reply: Reply, task: Task) -> Row:
    """The reply as another answer to the row's prompt, with the metadata that the task reads from it."""
    parsed = task.read(row.prompt, reply.text)
    metadata = {**keep_prompt_metadata(row.metadata), **(parsed.metadata if isinstance(parsed, Row) else {})}
    if reply.reasoning:
        metadata["reasoning"] = reply.reasoning
    answer = Row(
        row.prompt,
        reply.text,
        problem=row.problem,
        target=row.target,
        parents=(row.id,),
        level=row.level,
        metadata=metadata,
    )
    return answer.failed(reply.failure) if reply.failure else answer


def _structured(
    teacher: Model, prompts: Sequence[Prompt], schema: Mapping[str, Any], params: SamplingParams
) -> list[list[Reply]]:
    """`params.n` replies to each prompt that are JSON by the schema."""
    n = params.n
    repeated = [prompt for prompt in prompts for _ in range(n)]
    answers = complete_json(teacher, repeated, schema, temperature=params.temperature, seed=params.seed)
    replies = [
        Reply(
            str(prompt),
            answer.text if answer.failure else compact_json(answer.data),
            0,
            answer.failure,
            answer.reasoning,
        )
        for prompt, answer in zip(repeated, answers, strict=True)
    ]
    return [replies[start : start + n] for start in range(0, len(replies), n)]


def _no_prompt(task: Task) -> NoPrompt:
    """The error that all real rows are documents, and how to read them as prompts."""
    path = getattr(task, "path", "FILE")
    return NoPrompt(
        "generate.sample: no real row has a prompt to answer, all are documents; use generate.propose, or read them as "
        f"prompts, such as the lines of a text file: --set 'real={{file: {{path: {path}, prompt: text}}}}'"
    )
