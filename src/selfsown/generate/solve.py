"""The teacher solves new problems posed by the task, up to the current level; unsolved ones again with a hint (STaR).

If the task cannot pose problems, it solves real prompts with known answers (Zelikman et al. 2022).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from selfsown.errors import RecipeError
from selfsown.models import Model, Reply, SamplingParams
from selfsown.option_types import Count, Natural, NotNegative, Share
from selfsown.prompting.probing import Band, Prober
from selfsown.prompting.row_text import for_row
from selfsown.records import NoPrompt, Row
from selfsown.tasks import Posing, PosingFromRows, Task, is_right
from selfsown.templates import TemplateText
from selfsown.text.chat import Prompt, append_text, keep_prompt_metadata, prepend_text
from selfsown.text.final_answer import final_answers, stated_answer
from selfsown.text.numbers import parse_quantity, plain

READS = "prompts"
PROBE = "probe"  # metadata
WRITES = ("hint", PROBE)

Ask = Callable[[Sequence[Row], Collection[int], SamplingParams], list[list[Reply]]]

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
    hint: bool | Literal["never", "unsolved", "half", "always"] = False,
    probe: Natural = 0,
    band: tuple[Share, Share] = (0.1, 0.9),
) -> Iterator[Row]:
    """Answers to new problems, or to each real prompt.

    count: how many problems the task poses. n: answers to each problem. temperature: the teacher's. instruction: text
    before each prompt, which the row does not have. hint: which problems are asked with a hint, which the row does not
    have; true: those with a known answer that no answer solves, once more. "unsolved": those that no answer solves, n
    times more; "half": half of all, drawn at random; "always": all. A hint is the task's own, such as a demonstration,
    or the known answer; the metadata "hint" is "yes" or "no". probe: so many answers to each problem at first, and n
    only where its pass rate probably lies in the band; further problems get what that saves (0: n answers to all).
    band: the lowest and the highest pass rate of problems that are worth all n answers.

    Raises NoPrompt where nothing can be asked, RecipeError where a probe does not fit the other options.
    """
    limit = max(count, count * n // probe) if probe else count  # the most problems that can be probed
    problems = _problems(rows, task, level, limit, seed)
    if not problems:
        raise NoPrompt("generate.solve: no real row has a prompt, and the task poses no problems; use generate.propose")
    ask = partial(_replies, teacher, task, instruction)
    sampling = SamplingParams(n=n, temperature=temperature, seed=seed)
    if probe:
        _check_probe(problems, task, Band(probe, *band), n, hint)
        answers = _probed_answers(ask, problems, task, Band(probe, *band), sampling, count)
    else:
        answers = _answers(ask, problems, task, hint, sampling)
    for row, reply, metadata in answers:
        yield _to_row(row, reply, metadata, parents=row.parents if _poses(task) else (row.id,))


def _answers(
    ask: Ask, problems: Sequence[Row], task: Task, hint: bool | str, sampling: SamplingParams
) -> Iterator[tuple[Row, Reply, dict[str, str]]]:
    """Each problem with its replies, then those that are asked again, with the metadata of the hint."""
    hinted = {index for index in _hinted_first(len(problems), hint, sampling.seed) if _has_hint(problems[index], task)}
    groups = list(zip(problems, ask(problems, hinted, sampling), strict=True))
    retried = [
        row for row, group in groups if _retries(row, task, hint) and not any(_solves(row, r, task) for r in group)
    ]
    retries = ask(retried, range(len(retried)), sampling if hint == "unsolved" else replace(sampling, n=1))
    answers = [(row, reply, index in hinted) for index, (row, group) in enumerate(groups) for reply in group]
    answers += [(row, reply, True) for row, group in zip(retried, retries, strict=True) for reply in group]
    for row, reply, had_hint in answers:
        yield row, reply, {"hint": "yes" if had_hint else "no"} if hint not in (False, "never") else {}


def _probed_answers(
    ask: Ask, problems: Sequence[Row], task: Task, band: Band, sampling: SamplingParams, count: int
) -> Iterator[tuple[Row, Reply, dict[str, str]]]:
    """Each problem that was probed with its replies, and what the probe found as metadata."""
    prober = Prober(
        lambda asked_rows, params: ask(asked_rows, (), params),
        lambda row, reply: _solves(row, reply, task),
        band,
        sampling,
        count if _poses(task) else len(problems),
    )
    for item in prober.run(iter(problems)):
        yield from ((item.problem, reply, {PROBE: item.summary}) for reply in item.replies)


def _check_probe(problems: Sequence[Row], task: Task, band: Band, n: int, hint: bool | str) -> None:
    """RecipeError where a probe does not fit the other options, or no answer can be checked."""
    if band.probe >= n:
        raise RecipeError(f"generate.solve: probe is {band.probe}, and n is {n}; a probe takes fewer answers than n")
    if band.low >= band.high:
        raise RecipeError(f"generate.solve: band is from {band.low:g} to {band.high:g}; give the lower rate first")
    if hint not in (False, "never"):
        raise RecipeError(f"generate.solve: probe asks without hints, and hint is {hint}; leave one of them out")
    if not task.verifiable and not any(row.target for row in problems):
        raise RecipeError(f"generate.solve: probe needs answers that can be checked, and {task.name} knows none")


def _replies(
    teacher: Model,
    task: Task,
    instruction: str,
    problems: Sequence[Row],
    hinted: Collection[int],
    sampling: SamplingParams,
) -> list[list[Reply]]:
    """The teacher's answers; hinted: the positions of the problems that are asked with a hint."""
    prompts = [_hinted_prompt(row, task) if i in hinted else row.full_prompt for i, row in enumerate(problems)]
    before = [for_row(instruction, row) for row in problems]
    return teacher.complete([prepend_text(*pair) for pair in zip(prompts, before, strict=True)], sampling)


def _poses(task: Task) -> bool:
    return isinstance(task, Posing | PosingFromRows)


def _problems(rows: Sequence[Row], task: Task, level: int, count: int, seed: int) -> list[Row]:
    if isinstance(task, Posing):
        return list(task.problems(level, count, seed))
    if isinstance(task, PosingFromRows):
        return list(task.problems_from(rows, level, count, seed))
    return [row for row in rows if row.prompt]


def _hinted_first(count: int, hint: bool | str, seed: int) -> Sequence[int]:
    """The problems that are asked with a hint from the start, by their position."""
    if hint == "half":
        return random.Random(f"hint {seed}").sample(range(count), count // 2)
    return range(count) if hint == "always" else ()


def _has_hint(row: Row, task: Task) -> bool:
    return _poses(task) or bool(row.target)


def _retries(row: Row, task: Task, hint: bool | str) -> bool:
    """Whether the problem is asked again, with a hint, if no answer solves it."""
    return bool(row.target) if hint is True else hint == "unsolved" and _has_hint(row, task)


def _to_row(row: Row, reply: Reply, added: dict[str, str], parents: tuple[str, ...]) -> Row:
    metadata = {**keep_prompt_metadata(row.metadata), **added}
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
    if isinstance(task, Posing | PosingFromRows):
        return task.hinted(row)
    return append_text(row.full_prompt, HINT_PROMPT.format(stated_answer(row.target)))


def _solves(row: Row, reply: Reply, task: Task) -> bool:
    """By the task where it checks answers, else by the final answer that the reply states."""
    if reply.failure:
        return False
    if task.verifiable:
        return is_right(task, row, reply.text)
    known = plain(stated_answer(row.target))
    answers = [plain(answer) for answer in final_answers(reply.text)[0]]
    return bool(known and answers) and all(_agree(known, answer) for answer in answers)


def _agree(known: str, answer: str) -> bool:
    """Whether both are the same text or the same quantity."""
    if known == answer:
        return True
    expected, actual = parse_quantity(known), parse_quantity(answer)
    return bool(expected and actual and expected.equals(actual))
