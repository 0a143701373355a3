"""Options that are templates over one row: its prompt, its answer and its metadata, with its attributes."""

from __future__ import annotations

from selfsown.records import Row
from selfsown.templates import RECORD, is_template, render

ROW_COLUMNS = ("prompt", "answer")


def for_row(text: str, row: Row) -> str:
    """The option's text for this row. TemplateError where that fails."""
    if not is_template(text):
        return text
    values = {**row.metadata, "prompt": row.prompt, "answer": row.answer}
    return render(text, {**values, RECORD: values})
