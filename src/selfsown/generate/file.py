"""Synthetic rows that you have in a file already, wherever they came from; no model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selfsown.errors import DataError
from selfsown.option_types import Natural
from selfsown.records import Row
from selfsown.tasks import dataset, file


def generate(
    generation: int, *, path: str, text: str = "", prompt: str = "", answer: str = "", max_chars: Natural = 0
) -> Iterator[Row]:
    """The rows of the file, all of them, in generation 1; in later generations none, since they are kept.

    path: the file of rows, or a folder of the datasets library.
    text: the column of a document. prompt, answer: the columns of a question and its answer. By default, usual
    names.
    max_chars: a row with more characters in prompt and answer together fails; 0 is no limit.
    """
    if generation > 1:
        return
    if not Path(path).exists():
        raise DataError(f"generate.file: no such file: {path}; name it: --set generate.file.path=FILE")
    source = dataset.Task if Path(path).is_dir() else file.Task
    for row in source(path, text=text, prompt=prompt, answer=answer, skip_bad=True).pose(0):
        length = len(row.prompt) + len(row.answer)
        made = row.replace_fields(target="")
        if not row.answered:
            yield made.failed("it has no answer")
        elif 0 < max_chars < length:
            yield made.failed(f"{length:,} characters, above max_chars: {max_chars:,}")
        else:
            yield made
