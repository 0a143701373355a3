"""What becomes of rows on their way: each step is given those without an end, and none may be lost."""

from __future__ import annotations

import hashlib
import inspect
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from selfsown.models import Model, RemoteModel
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, parameters
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.chat import text_traits

ROLE_MODELS = ("teacher", "judge")
CHANGES = "selfsown.changes"  # a trait of a real row: what `prepare` changed in it


def derive_seed(seed: int, *where: object) -> int:
    """A number of its own for each place where chance enters."""
    return int.from_bytes(hashlib.sha256(repr((seed, *where)).encode()).digest()[:4])


def as_synthetic(rows: Iterable[Row], generation: int, writer: Any, first: int = 0) -> list[Row]:
    """Whatever a way says of rows that it made: they are synthetic, and their draws are their places. A writer that
    takes texts alone was not given the system message and the tools of a chat, so that its rows do not have them.

    What was changed in the real row that a row was made of is no trait of the new one.
    """
    chats = getattr(writer, "reads_conversations", False)
    return [
        row.replace_fields(
            origin="synthetic",
            generation=generation,
            sample_index=at,
            metadata=_own(row.metadata if chats else text_traits(row.prompt, row.metadata)),
        )
        for at, row in enumerate(rows, first)
    ]


def _own(traits: Mapping[str, str]) -> Mapping[str, str]:
    return {name: each for name, each in traits.items() if name != CHANGES} if CHANGES in traits else traits


def for_step(step: Step, roles: Mapping[str, Any]) -> dict[str, Any]:
    """The roles, each model behind a server told for which step it works: the ledger says what the step cost."""
    models = {name: roles[name] for name in ROLE_MODELS if isinstance(roles.get(name), RemoteModel)}
    return {**roles, **{name: model.for_step(step.name) for name, model in models.items()}}


def affordable(recipe: Recipe, role: str, model: Model | None) -> None:
    """SelfsownError where the recipe caps the money, and what this model costs is not known."""
    if "usd" in (recipe.budget or {}) and isinstance(model, RemoteModel) and model.price is None:
        raise SelfsownError(
            f"budget: what {model.name} costs at {model.url} is not known; say it in dollars for a million tokens, "
            f"such as --set '{role}.{getattr(recipe, role).method}.price={{input: 1, output: 3}}', or cap something else"
        )


def graded(step: Step, rows: Iterable[Row], **roles: Any) -> Iterator[Row]:
    """The rows, each with the step's grade; failed, where the grader could not say."""
    waiting, live, grades = deque[Row](), 0, 0

    def fed() -> Iterator[Row]:
        nonlocal live
        for row in rows:
            waiting.append(row)
            if not row.status:
                live += 1
                yield row

    for grade in step.stream(Grade, **for_step(step, roles) | {"rows": fed() if streams(step) else list(fed())}):
        if not 0 <= grade.score <= 1:
            raise SelfsownError(f"{step.name} gave the score {grade.score}; it must lie from 0 to 1")
        grades += 1
        while waiting and waiting[0].status:
            yield waiting.popleft()
        if waiting:
            yield _with(waiting.popleft(), grade)
    if grades != live:
        raise SelfsownError(f"{step.name} gave {grades} grades for {live} rows; it must give one each")
    yield from waiting


def _with(row: Row, grade: Grade) -> Row:
    return row.failed(f"{grade.grader}: {grade.reason}") if grade.failed else row.graded(grade)


def curated(step: Step, rows: Iterable[Row], **roles: Any) -> Iterator[Row]:
    """The rows that the step gives: all of these, each once, and perhaps new ones, which name their parents.

    A step that takes an Iterable is fed row by row; one that takes a Sequence gets all of them at once.
    """
    if not streams(step):
        rows = list(rows)
        live = [row for row in rows if not row.status]
        yield from (row for row in rows if row.status)
        yield from _checked(step, live, step.collect(Row, **roles | {"rows": live}))
        return
    queue, waiting = deque[Row](), set[str]()  # in order: those that have ended pass by

    def fed() -> Iterator[Row]:
        for row in rows:
            queue.append(row)
            if not row.status:
                waiting.add(row.id)
                yield row

    for row in step.stream(Row, **roles | {"rows": fed()}):
        if row.id in waiting:
            waiting.remove(row.id)
            while queue and queue[0].status:
                yield queue.popleft()
            queue.popleft()
        yield row
    yield from (row for row in queue if row.status)
    if waiting:
        raise _lost(step, len(waiting))


def _checked(step: Step, rows: list[Row], out: list[Row]) -> list[Row]:
    """All that came out, if all went out that went in, and each but once."""
    ids = {row.id for row in out}
    if lost := {row.id for row in rows} - ids:
        raise _lost(step, len(lost))
    if len(ids) < len(out):
        raise SelfsownError(f"{step.name} gave {len(out) - len(ids)} rows twice; every row must come out once")
    return out


def _lost(step: Step, rows: int) -> SelfsownError:
    return SelfsownError(f"{step.name} lost {rows} rows; every row must come out, the unwanted ones rejected")


def streams(step: Step) -> bool:
    """Whether the step says that it needs to see each row but once."""
    asked = parameters(step.function).get("rows")
    return asked is not None and "Iterable" in inspect.formatannotation(asked.annotation)
