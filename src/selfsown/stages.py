"""Steps applied to rows: each step is given the rows without a status, and none may be lost."""

from __future__ import annotations

import hashlib
import heapq
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, cast

import numpy as np

from selfsown.errors import RecipeError
from selfsown.files.row_sequences import spooled, values, with_status
from selfsown.models import Model, RemoteModel, StepAware
from selfsown.recipe.inputs import CurateInputs, GenerateInputs, GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Grade, JsonObject, Row
from selfsown.text.chat import text_prompt_metadata
from selfsown.usage.journal import Journal

ROLE_MODELS = ("teacher", "judge")
LARGE_CHUNK_ROWS = 50_000  # of one call of a generator, or of a grader that does not stream; they fit into memory
CHANGES_KEY = "selfsown.changes"  # in the metadata of a real row: what `prepare` changed

WithModels = TypeVar("WithModels", GenerateInputs, GradeInputs)


def derive_seed(seed: int, *where: object) -> int:
    """A seed of 32 bits for one place where chance enters, such as derive_seed(0, 3, "generate", 1)."""
    return int.from_bytes(hashlib.sha256(repr((seed, *where)).encode()).digest()[:4])


def as_synthetic(rows: Iterable[Row], step: Step, generation: int, writer: Model, first: int = 0) -> Iterator[Row]:
    """The rows that a generator yielded, with their provenance; a generator only sets prompt, answer and parents.

    Origin, generation and sample index (the row's position, from `first`) are set; source and method where the
    generator left them empty: the writer's name, and the method without folder and suffix. A writer that takes texts
    alone was not given the system message and tools of a chat, so its rows do not have them; nor do rows inherit what
    `prepare` changed.
    """
    reads_chats = getattr(writer, "reads_conversations", False)
    for index, row in enumerate(rows, first):
        yield row.replace_fields(
            origin="synthetic",
            source=row.source or writer.name,
            method=row.method or step.method.removesuffix(".py").rpartition("/")[2],
            generation=generation,
            sample_index=index,
            metadata=_without_changes(row.metadata if reads_chats else text_prompt_metadata(row.prompt, row.metadata)),
        )


def _without_changes(metadata: Mapping[str, str]) -> Mapping[str, str]:
    if CHANGES_KEY not in metadata:
        return metadata
    return {name: value for name, value in metadata.items() if name != CHANGES_KEY}


def for_step(step: Step, inputs: WithModels) -> WithModels:
    """The inputs with models that book their requests to this step, so that the ledger knows what it cost."""
    models = {role: getattr(inputs, role, None) for role in ROLE_MODELS}
    aware: JsonObject = {
        role: model.for_step(step.name) for role, model in models.items() if isinstance(model, StepAware)
    }
    return replace(inputs, **aware)


def role_model(recipe: Recipe, role: str, real: Sequence[Row], seed: int, journal: Journal) -> Model | None:
    """The teacher or judge that the recipe names; None where it names none."""
    step: Step | None = getattr(recipe, role)
    if not step:
        return None
    model = step(rows=real, seed=seed, journal=journal, role=role)
    check_price(recipe, role, model)
    return cast(Model, model)


def check_price(recipe: Recipe, role: str, model: object) -> None:
    """RecipeError where the recipe caps the cost in dollars, and the price of this model is not known."""
    if "usd" in (recipe.budget or {}) and isinstance(model, RemoteModel) and model.price is None:
        raise RecipeError(
            f"budget: the price of {getattr(model, 'name', role)} at {model.url} is not known; give it in dollars per "
            f"million tokens: --set '{role}.{getattr(recipe, role).method}.price={{input: 1, output: 3}}', "
            "or cap something else"
        )


def grade_rows(step: Step, rows: Iterable[Row], inputs: GradeInputs) -> Iterator[Row]:
    """The rows with the step's grades, in order; a row is failed where the grader could not grade it.

    A step that does not stream is given LARGE_CHUNK_ROWS at once. Raises RecipeError where the step does not give one
    grade from 0 to 1 for each row.
    """
    for chunk in [rows] if step.streams else by_prompts(rows, LARGE_CHUNK_ROWS):
        yield from grade_chunk(step, chunk, inputs)


def by_prompts(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows in order, so many together, or a few more: those of one prompt stay together. One [] of no rows."""
    chunk: list[Row] = []
    for row in rows:
        if len(chunk) >= size and row.prompt != chunk[-1].prompt:
            yield chunk
            chunk = []
        chunk.append(row)
    yield chunk


def grade_chunk(step: Step, rows: Iterable[Row], inputs: GradeInputs) -> Iterator[Row]:
    """As `grade_rows`, in one call of the grader."""
    waiting, live, grades = deque[Row](), 0, 0

    def rows_to_grade() -> Iterator[Row]:
        nonlocal live
        for row in rows:
            waiting.append(row)
            if not row.status:
                live += 1
                yield row

    fed = rows_to_grade() if step.streams else list(rows_to_grade())
    for grade in step.stream(Grade, replace(for_step(step, inputs), rows=fed)):
        if not 0 <= grade.score <= 1:
            raise RecipeError(f"{step.name} gave the score {grade.score}; it must be between 0 and 1")
        grades += 1
        while waiting and waiting[0].status:
            yield waiting.popleft()
        if waiting:
            yield _graded_or_failed(waiting.popleft(), grade)
    if grades != live:
        raise RecipeError(f"{step.name} gave {grades} grades for {live} rows; it must give one each")
    yield from waiting


def _graded_or_failed(row: Row, grade: Grade) -> Row:
    return row.failed(f"{grade.grader}: {grade.reason}") if grade.failed else row.graded(grade)


def curate_rows(step: Step, rows: Iterable[Row], inputs: CurateInputs, working: Path | None = None) -> Iterator[Row]:
    """The rows that the step gives: all of these, each once, and perhaps new ones, which name their parents.

    A step that streams is fed row by row; any other gets all rows at once, and they come out by their sample index. Of
    a step that rereads, many rows are in files, before and after it. working: a folder for these; None for the
    system's. RecipeError where a row is lost.
    """
    if not step.streams:
        if working:
            working.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="selfsown-", dir=working) as folder:
            gathered = spooled(rows, Path(folder) / "rows.parquet") if step.rereads else list(rows)
            live = with_status(gathered, "")
            made = _complete(step, live, step.stream(Row, replace(inputs, rows=live)))
            curated = spooled(made, Path(folder) / "curated.parquet") if step.rereads else list(made)
            yield from _by_sample_index(gathered, curated)
        return
    queue, waiting = deque[Row](), set[str]()  # all rows in order; the ids of those that the step has not given back

    def rows_to_curate() -> Iterator[Row]:
        for row in rows:
            queue.append(row)
            if not row.status:
                waiting.add(row.id)
                yield row

    for row in step.stream(Row, replace(inputs, rows=rows_to_curate())):
        if row.id in waiting:
            waiting.remove(row.id)
            while queue and queue[0].status:
                yield queue.popleft()
            queue.popleft()
        yield row
    yield from (row for row in queue if row.status)
    if waiting:
        raise _lost_rows(step, len(waiting))


def _by_sample_index(rows: Sequence[Row], curated: Sequence[Row]) -> Iterator[Row]:
    """Those of the rows that had a status before, and the curated ones."""
    others, index = (row for row in rows if row.status), attrgetter("sample_index")
    if all(a <= b for part in (rows, curated) for a, b in pairwise(values(part, "sample_index"))):
        return heapq.merge(others, curated, key=index)
    return iter(sorted(chain(others, curated), key=index))


def _complete(step: Step, rows: Sequence[Row], out: Iterable[Row]) -> Iterator[Row]:
    """All rows that come out; at the end RecipeError unless every row that went in was there, and each once."""
    ids = array("Q")
    for row in out:
        ids.append(int(row.id, 16))
        yield row
    expected = np.unique(array("Q", (int(row_id, 16) for row_id in values(rows, "id"))))
    different = np.unique(ids)
    if lost := int(np.isin(expected, different, assume_unique=True, invert=True).sum()):
        raise _lost_rows(step, lost)
    if twice := len(ids) - len(different):
        raise RecipeError(f"{step.name} gave {twice} rows twice; it must give every row once")


def _lost_rows(step: Step, rows: int) -> RecipeError:
    return RecipeError(f"{step.name} lost {rows} rows; it must give every row, the unwanted ones rejected")
