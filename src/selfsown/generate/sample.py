"""The teacher answers real prompts, each several times (best-of-n, rejection sampling)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.structured_output import compact_json, complete_json
from selfsown.records import NoPrompt, Row, with_metadata
from selfsown.tasks import Task
from selfsown.text.chat import Prompt, preceded, prompt_traits


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    generation: int,
    seed: int,
    *,
    n: Count = 4,
    temperature: NotNegative = 1.0,
    instruction: str = "",
    schema: dict[str, Any] | None = None,
    where: dict[str, str] | None = None,
) -> Iterator[Row]:
    """n answers to each real prompt, before which the teacher reads the instruction; `only`: the traits of the rows
    that are asked. With a JSON schema, an answer is JSON by it, on one line. What the teacher thought is the trait
    "reasoning"."""
    chosen = [row for row in with_metadata(rows, where) if row.prompt]
    if not chosen:
        raise _unprompted(task)
    prompts = [preceded(row.full_prompt, instruction) for row in chosen]
    if schema is None:
        replies = teacher.complete(prompts, SamplingParams(n=n, temperature=temperature, seed=seed))
    else:
        replies = _structured(teacher, prompts, schema, n, temperature, seed)
    for asked, answers in zip(chosen, replies, strict=True):
        for draw, reply in enumerate(answers):
            read = task.read(asked.prompt, reply.text)
            traits = {**prompt_traits(asked.metadata), **(read.metadata if isinstance(read, Row) else {})}
            made = replace(
                asked,
                answer=reply.text,
                metadata=traits | ({"reasoning": reply.reasoning} if reply.reasoning else {}),
                origin="synthetic",
                source=teacher.name,
                method="sample",
                parents=(asked.id,),
                generation=generation,
                sample_index=draw,
            )
            yield made.failed(reply.failure) if reply.failure else made


def _structured(
    teacher: Model, prompts: Sequence[Prompt], schema: Mapping[str, Any], n: int, temperature: float, seed: int
) -> list[list[Reply]]:
    """The same, but the answers are JSON by the schema."""
    each = [prompt for prompt in prompts for _ in range(n)]
    said = complete_json(teacher, each, schema, temperature=temperature, seed=seed)
    replies = [
        Reply(
            str(prompt),
            answer.text if answer.failure else compact_json(answer.data),
            0,
            answer.failure,
            answer.reasoning,
        )
        for prompt, answer in zip(each, said, strict=True)
    ]
    return [replies[at : at + n] for at in range(0, len(replies), n)]


def _unprompted(task: Task) -> NoPrompt:
    """The error that all real rows are documents, and how to have them read as prompts."""
    source = getattr(task, "path", "FILE")
    return NoPrompt(
        "generate.sample: no real row has a prompt to answer, they are documents; take propose, or have them read as "
        f"prompts, such as the lines of a text file: --set 'real={{file: {{path: {source}, prompt: text}}}}'"
    )
