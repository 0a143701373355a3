"""Whether the real rows are what the generators work on, and have the columns that the recipe's templates use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selfsown.errors import DataError, RecipeError
from selfsown.files.bad_records import column_list
from selfsown.files.column_detection import available_columns, did_you_mean, setting
from selfsown.files.user_rows import RecordRows, UserRows
from selfsown.prompting.row_text import ROW_COLUMNS, for_row
from selfsown.recipe.columns import reads, templates, writes
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Row
from selfsown.tasks import Task
from selfsown.templates import TemplateError, column_names

FOR_PROMPTS = ("answers", "evol-instruct", "self-instruct")  # recipes for a file of prompts
FOR_DOCUMENTS = ("questions", "rephrase", "backtranslation")


def check_rows_fit(recipe: Recipe, task: Task, rows: Iterable[Row]) -> None:
    """DataError where a generator has no row to work on; rows: all of them, read only as far as needed."""
    if not isinstance(task, UserRows):
        return
    needs = {need: step for step in reversed(recipe.generate) if (need := reads(step))}
    for row in rows if needs else ():
        needs.pop("prompts" if row.prompt else "", None)
        if row.answered:
            needs.pop("answers", None)
        if not needs:
            return
    for need, step in needs.items():
        raise DataError(_unfit(step, need, task))


def _unfit(step: Step, need: str, task: UserRows) -> str:
    """What the rows are instead of what the step works on, the line to paste, and the recipes that fit."""
    source = task.path if isinstance(task, RecordRows) else task.name
    columns, to_paste = "", ""
    if isinstance(task, RecordRows):
        head = task.head()
        texts = [name for name in available_columns(head) if any(_is_text(record.get(name)) for record in head)]
        column = texts[0] if len(texts) == 1 else "COLUMN"
        columns = f"; its columns: {column_list(available_columns(head))}"
        if texts and need == "prompts":
            to_paste = f"; if a column has prompts: {setting(source, task.task_name, prompt=column)}"
        elif texts:
            to_paste = f"; if a column has documents: {setting(source, task.task_name, text=column)}"
            to_paste += ", or answers: prompt: COLUMN, answer: COLUMN" * (len(texts) > 1)
    if need == "prompts":
        found, fitting = "has only documents", FOR_DOCUMENTS
    else:
        found, fitting = "has only prompts without answers", FOR_PROMPTS
        need = "documents or answers"
    kind = "documents" if fitting == FOR_DOCUMENTS else "prompts"
    recipes = f"{', '.join(fitting[:-1])} and {fitting[-1]}"
    return f"{step.name} works on {need}, and {source} {found}{columns}{to_paste}; recipes for {kind}: {recipes}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def check_templates(recipe: Recipe, task: Task, rows: Sequence[Row]) -> None:
    """RecipeError where a template of a step uses what no row will have, or fails on one of these real rows."""
    own = task.columns if isinstance(task, UserRows) else ()
    columns = [*own, *(name for row in rows for name in row.metadata), *ROW_COLUMNS]
    made = [*ROW_COLUMNS]  # columns of the new rows
    for step in recipe.generate:
        works_on_rows = step.takes("rows")
        made += [*(columns if works_on_rows or not isinstance(task, UserRows) else ()), *writes(step)]
        _check_step(step, columns if works_on_rows else writes(step), rows if works_on_rows else ())
    if not any("." in step.method for step in recipe.generate):  # what a custom method writes is not known
        for step in recipe.grade:
            _check_step(step, made, ())


def _check_step(step: Step, columns: Sequence[str], rows: Sequence[Row]) -> None:
    for option, text in templates(step):
        for name in sorted(column_names(text) - {*columns}):
            raise RecipeError(
                f"{step.name}.{option} uses {name!r}, which its rows do not have{did_you_mean(name, columns)}"
            )
        for row in rows:
            try:
                for_row(text, row)
            except TemplateError as error:
                raise RecipeError(f"{step.name}.{option}: {row.source}: {error}") from error
