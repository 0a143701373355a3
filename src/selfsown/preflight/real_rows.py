"""Whether the real rows are what the generators work on, and have the columns that the recipe's templates use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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

PROMPTS, ANSWERS, KNOWN = "prompts", "documents or answers", "prompts with known answers"  # what a step works on
FITTING = {  # recipes for rows that lack it
    PROMPTS: "recipes for documents: questions, rephrase and backtranslation",
    ANSWERS: "recipes for prompts: answers, evol-instruct and self-instruct",
    KNOWN: "a judge needs none: --set 'grade=[judge]'",
}


def check_rows_fit(recipe: Recipe, task: Task, rows: Iterable[Row]) -> None:
    """DataError where a step has no row to work on; rows: all of them, read only as far as needed."""
    if not isinstance(task, UserRows):
        return
    needs = _needs(recipe)
    missing = dict(needs)
    for row in rows if needs else ():
        for need, met in ((PROMPTS, row.prompt), (ANSWERS, row.answered), (KNOWN, row.prompt and row.answered)):
            if met:
                missing.pop(need, None)
        if not missing:
            return
    for need in missing:
        raise DataError(_unfit(needs, need, task))


def _needs(recipe: Recipe) -> dict[str, Step]:
    """What the steps work on, each with the first such step."""
    kinds = {"prompts": PROMPTS, "answers": ANSWERS}
    needs = {kinds[read]: step for step in reversed(recipe.generate) if (read := reads(step))}
    if any("." in step.method for step in recipe.generate):  # a custom method may write known answers
        return needs
    graders = [step for step in recipe.grade if reads(step)]
    return {**needs, KNOWN: graders[0]} if graders else needs


def _unfit(needs: Mapping[str, Step], need: str, task: UserRows) -> str:
    """What the rows are instead of what the step works on, the line to paste, and the recipes that fit."""
    source = task.path if isinstance(task, RecordRows) else task.name
    advice = [FITTING[need]]
    if isinstance(task, RecordRows):
        head = task.head()
        columns = available_columns(head)
        texts = [name for name in columns if any(_is_text(record.get(name)) for record in head)]
        name = texts[0] if len(texts) == 1 else "COLUMN"
        if len(needs) > 1 or need == KNOWN:
            named = {"prompt": "COLUMN", "answer": "COLUMN"} if len(texts) > 1 else {}
        else:
            named = {"prompt" if need == PROMPTS else "text": name} if texts else {}
        paste = [f"if a column holds them: {setting(source, task.task_name, **named)}"] if named else []
        advice = [f"its columns: {column_list(columns)}", *paste, *advice]
    others = [f"{step.name} on {kind}" for kind, step in needs.items() if kind != need]
    works = ", ".join([f"{needs[need].name} works on {need}", *others])
    actual = "only documents" if need == PROMPTS else "only prompts without answers"
    return f"{works}, and {source} has {actual}; {'; '.join(advice)}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def check_templates(recipe: Recipe, task: Task, rows: Sequence[Row]) -> None:
    """RecipeError where a template of a step uses what no row will have, or fails on one of these real rows."""
    if not any(column_names(text) for step in (*recipe.generate, *recipe.grade) for _, text in templates(step)):
        return  # the file's columns need not be read again
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
