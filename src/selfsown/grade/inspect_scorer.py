"""A scorer of inspect-ai, the package's own or one written for it, as a grader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from selfsown.errors import RecipeError, SelfsownError, suggest
from selfsown.files.functions import blame, load_function
from selfsown.records import Grade, JsonObject, Row

_PLACE = "grade.inspect_scorer"
_VALUES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def grade(
    rows: Sequence[Row], *, scorer: str, options: JsonObject | None = None, needs_target: bool = True
) -> Iterator[Grade]:
    """Correct is 1, partial 0.5, incorrect and no answer 0; a number from 0 to 1 stays as it is.

    scorer: a name in inspect_ai.scorer, such as match, or ./file.py:name, or package.module:name. options: the
    arguments that it is created with. needs_target: whether it compares with the known answer; a row without one is
    then failed. A scorer sees the prompt and the answer as one message each, the known answer and the metadata; one
    that asks a model cannot be used. A row that it does not score is left to other graders.

    Raises RecipeError where the package is not installed, or the scorer cannot be created, fails, or gives no number.
    """
    if not find_spec("inspect_ai"):
        raise RecipeError(f"{_PLACE} needs the package inspect-ai, which is not installed: pip install inspect-ai")
    score = _created(scorer, options or {})
    scored = asyncio.run(_all_scores(score, scorer, [row for row in rows if row.target or not needs_target]))
    values = iter(scored)
    for row in rows:
        if not row.target and needs_target:
            reason = "no known answer to compare with"
            yield Grade(0.0, reason, grader="inspect_scorer", evidence="oracle", failed=True)
        else:
            yield _grade(next(values), scorer)


def _created(name: str, options: JsonObject) -> Callable[..., Any]:
    import inspect_ai.scorer

    create = getattr(inspect_ai.scorer, name, None) if name in inspect_ai.scorer.__all__ else None
    if create is None and ":" not in name:
        hint = suggest(name, inspect_ai.scorer.__all__)
        raise RecipeError(f"{_PLACE}.scorer: inspect_ai.scorer has no {name!r}{hint}; yours: ./file.py:name")
    try:
        score: Callable[..., Any] = (create or load_function(name, f"{_PLACE}.scorer"))(**options)
    except SelfsownError:
        raise
    except Exception as error:
        raise RecipeError(f"{_PLACE}: {name} cannot be created: {blame(error)}") from error
    if not callable(score):
        raise RecipeError(f"{_PLACE}: {name} gave a {type(score).__name__}; it must give a scorer")
    return score


async def _all_scores(score: Callable[..., Any], name: str, rows: Sequence[Row]) -> list[Any]:
    return [value async for value in _scores(score, name, rows)]


async def _scores(score: Callable[..., Any], name: str, rows: Sequence[Row]) -> AsyncIterator[Any]:
    """inspect-ai's Score of each row, or None."""
    from inspect_ai.model import ChatMessageUser, ModelName, ModelOutput
    from inspect_ai.scorer import Target
    from inspect_ai.solver import TaskState

    for index, row in enumerate(rows):
        output = ModelOutput.from_content("selfsown", row.answer)
        prompt, target = str(row.full_prompt), Target(row.target)
        state = TaskState(
            model=ModelName("none/none"),
            sample_id=index,
            epoch=1,
            input=prompt,
            messages=[ChatMessageUser(content=prompt), output.message],
            target=target,
            output=output,
            metadata=dict(row.metadata),
        )
        try:
            yield await score(state, target)
        except Exception as error:
            raise RecipeError(f"{_PLACE}: {name} failed: {blame(error)}; a grader that asks a model: judge") from error


def _grade(score: Any, name: str) -> Grade:
    if score is None:
        return Grade(0.0, "not scored", grader="inspect_scorer", evidence="none")
    value = score.value
    number = _VALUES.get(value) if isinstance(value, str) else value
    if not isinstance(number, int | float) or not 0 <= number <= 1:
        raise RecipeError(f"{_PLACE}: {name} gave {value!r}; it must be C, P, I or N, or a number from 0 to 1")
    why = " ".join(str(score.explanation or score.answer or "").split())[:200]
    return Grade(float(number), f"scored {value}" + f": {why}" * bool(why), grader="inspect_scorer")
