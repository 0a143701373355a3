"""What the methods of a recipe need of the user's columns, and read from them without being asked.

A generator may declare `READS = "prompts"` or `"answers"` (documents count as answers), what it cannot do without;
`PREFERS`, what it only makes use of; and `WRITES = ("quote",)`, the metadata that it gives its rows. A grader that
declares `READS = "answers"` compares with known ones. A template in an option names the columns that it uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from selfsown.recipe.steps import Step, option_types, options
from selfsown.templates import TemplateText, column_names

READ_AS = {"prompts": "prompts", "answers": "documents"}


def reads(step: Step) -> str:
    """What a step needs of real rows: "prompts", "answers", or "" for neither; a grader: known answers."""
    return str(getattr(step.module, "READS", ""))


def writes(step: Step) -> tuple[str, ...]:
    """The metadata that a generator gives its rows, beside that of real rows."""
    return ("reasoning", *getattr(step.module, "WRITES", ()), *(step.option("attributes") or ()))


def templates(step: Step) -> Iterator[tuple[str, str]]:
    """(option, text) of the options that may be templates over a row, as far as the recipe sets them."""
    types = option_types(step.function)
    for name, value in step.options.items():
        if types.get(name) == TemplateText:
            yield name, value
        elif TemplateText in get_args(types.get(name)):
            yield from ((name, text) for text in value)


def complete_real(real: Step, generate: Sequence[Step], others: Iterable[Step]) -> Step:
    """The source of real rows with `read_as` as the generators need it, and with the columns that templates use."""
    available = options("tasks", real.function)
    added: dict[str, object] = {}
    if "read_as" in available and not _names_columns(real.options):
        needs = {need for step in generate if (need := reads(step) or getattr(step.module, "PREFERS", ""))}
        if len(needs) == 1:
            added["read_as"] = READ_AS[needs.pop()]
    if "metadata" in available:
        used = {name for step in (*generate, *others) for _, text in templates(step) for name in column_names(text)}
        if more := sorted(used - {"prompt", "answer", *real.options.get("metadata", ())}):
            added["metadata"] = (*real.options.get("metadata", ()), *more)
    return replace(real, options={**real.options, **added}) if added else real


def _names_columns(chosen: Mapping[str, object]) -> bool:
    return any(chosen.get(name) for name in ("text", "prompt", "answer", "read_as"))
