"""The teacher solves problems that the world poses anew, at the level and below; a failed one again with a hint.

Where the world poses none, real prompts with known answers are solved (STaR, Zelikman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.records import NoPrompt, Row
from selfsown.tasks import Posing, Task
from selfsown.text.chat import Prompt, append_text, prepend_text, keep_prompt_metadata
from selfsown.text.final_answer import final_answers, stated_answer
from selfsown.text.numbers import plain, parse_quantity

HINT = "(The answer is {}. Work out how to come to it, without a word about having been told.)"


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    level: int,
    generation: int,
    seed: int,
    *,
    count: Count = 2000,
    n: Count = 1,
    temperature: NotNegative = 1.0,
    instruction: str = "",
    hint: bool = False,
) -> Iterator[Row]:
    """n answers to each of `count` new problems, or to each real one, before which the teacher reads the instruction;
    the row has neither instruction nor hint. With `hint`, a problem that no answer solves is tried once more with the
    known answer in the prompt, and the trait "hint" says so of that row."""
    posed = isinstance(task, Posing)
    asked = list(task.problems(level, count, seed)) if isinstance(task, Posing) else [row for row in rows if row.prompt]
    if not asked:
        raise NoPrompt("generate.solve: no real row has a prompt, and the world poses no problems; take propose")
    prompts = [prepend_text(row.full_prompt, instruction) for row in asked]
    replies = teacher.complete(prompts, SamplingParams(n=n, temperature=temperature, seed=seed))
    unsolved = [
        at
        for at, (row, said) in enumerate(zip(asked, replies, strict=True))
        if hint and row.target and not any(_solves(row, each, task) for each in said)
    ]
    hinted = [prepend_text(_hinted(asked[at], task), instruction) for at in unsolved]
    again = teacher.complete(hinted, SamplingParams(temperature=temperature, seed=seed))
    made = [(row, reply, "no") for row, said in zip(asked, replies, strict=True) for reply in said]
    made += [(asked[at], reply, "yes") for at, (reply,) in zip(unsolved, again, strict=True)]
    for draw, (row, reply, helped) in enumerate(made):
        traits = {**keep_prompt_metadata(row.metadata), **({"hint": helped} if hint else {})}
        traits |= {"reasoning": reply.reasoning} if reply.reasoning else {}
        solved = row.replace_fields(
            metadata=traits, generation=generation, sample_index=draw, parents=() if posed else (row.id,)
        )
        solved = solved.replace_fields(answer=reply.text, origin="synthetic", source=teacher.name, method="solve")
        yield solved.failed(reply.failure) if reply.failure else solved


def _hinted(row: Row, task: Task) -> Prompt:
    if isinstance(task, Posing):
        return task.hinted(row)
    return append_text(row.full_prompt, HINT.format(stated_answer(row.target)))


def _solves(row: Row, reply: Reply, task: Task) -> bool:
    """By the world where it checks answers, or else by the number that is said in the end; graders say more."""
    if reply.failure:
        return False
    if task.verifiable:
        return task.check(row, reply.text).score >= 0.5
    known, said = plain(stated_answer(row.target)), [plain(each) for each in final_answers(reply.text)[0]]
    return bool(known and said) and all(_agrees(known, each) for each in said)


def _agrees(known: str, said: str) -> bool:
    numbers = parse_quantity(known), parse_quantity(said)
    return known == said or bool(numbers[0] and numbers[1] and numbers[0].equals(numbers[1]))
