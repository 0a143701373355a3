"""The teacher solves new problems posed by the task, up to the current level; unsolved ones again with a hint (STaR).

If the task cannot pose problems, it solves real prompts with known answers (Zelikman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.row_text import for_row
from selfsown.records import NoPrompt, Row
from selfsown.tasks import Posing, Task
from selfsown.templates import TemplateText
from selfsown.text.chat import Prompt, append_text, keep_prompt_metadata, prepend_text
from selfsown.text.final_answer import final_answers, stated_answer
from selfsown.text.numbers import parse_quantity, plain

READS = "prompts"
WRITES = ("hint",)

HINT_PROMPT = "(The answer is {}. Work out how to reach it, without mentioning that you were given it.)"


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    level: int,
    seed: int,
    *,
    count: Count = 2000,
    n: Count = 1,
    temperature: NotNegative = 1.0,
    instruction: TemplateText = "",
    hint: bool = False,
) -> Iterator[Row]:
    """Answers to new problems, or to each real prompt.

    count: how many problems the task poses. n: answers to each problem. temperature: the teacher's. instruction: text
    before each prompt, which the row does not have. hint: try a problem that no answer solves once more with the known
    answer in the prompt, which the row does not have; the metadata "hint" is "yes" for such a row and "no" for others.

    Raises NoPrompt where no real row has a prompt and the task poses no problems.
    Source: STaR (Zelikman et al. 2022), section 3.2, for hints.
    """
    poses = isinstance(task, Posing)
    problems = list(task.problems(level, count, seed)) if isinstance(task, Posing) else [r for r in rows if r.prompt]
    if not problems:
        raise NoPrompt("generate.solve: no real row has a prompt, and the task poses no problems; use generate.propose")
    prompts = [prepend_text(row.full_prompt, for_row(instruction, row)) for row in problems]
    replies = teacher.complete(prompts, SamplingParams(n=n, temperature=temperature, seed=seed))
    groups = list(zip(problems, replies, strict=True))
    unsolved = [row for row, group in groups if hint and row.target and not any(_solves(row, r, task) for r in group)]
    hinted = [prepend_text(_hinted_prompt(row, task), for_row(instruction, row)) for row in unsolved]
    retries = teacher.complete(hinted, SamplingParams(temperature=temperature, seed=seed))
    answers = [(row, reply, "no") for row, group in groups for reply in group]
    answers += [(row, reply, "yes") for row, (reply,) in zip(unsolved, retries, strict=True)]
    for row, reply, had_hint in answers:
        yield _to_row(row, reply, {"hint": had_hint} if hint else {}, parents=() if poses else (row.id,))


def _to_row(row: Row, reply: Reply, hint: dict[str, str], parents: tuple[str, ...]) -> Row:
    metadata = {**keep_prompt_metadata(row.metadata), **hint}
    if reply.reasoning:
        metadata["reasoning"] = reply.reasoning
    answer = Row(
        row.prompt,
        reply.text,
        problem=row.problem,
        target=row.target,
        parents=parents,
        level=row.level,
        metadata=metadata,
    )
    return answer.failed(reply.failure) if reply.failure else answer


def _hinted_prompt(row: Row, task: Task) -> Prompt:
    if isinstance(task, Posing):
        return task.hinted(row)
    return append_text(row.full_prompt, HINT_PROMPT.format(stated_answer(row.target)))


def _solves(row: Row, reply: Reply, task: Task) -> bool:
    """By the task where it checks answers, else by the final answer that the reply states."""
    if reply.failure:
        return False
    if task.verifiable:
        return task.check(row, reply.text).score >= 0.5
    known = plain(stated_answer(row.target))
    answers = [plain(answer) for answer in final_answers(reply.text)[0]]
    return bool(known and answers) and all(_agree(known, answer) for answer in answers)


def _agree(known: str, answer: str) -> bool:
    """Whether both are the same text or the same quantity."""
    if known == answer:
        return True
    expected, actual = parse_quantity(known), parse_quantity(answer)
    return bool(expected and actual and expected.equals(actual))
