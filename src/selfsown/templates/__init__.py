"""Templates over columns: a text with `{{ column }}` or `{% if column %}`, filled in from the values of one row.

Any other text stands for itself. The language is Jinja2 in its sandbox, with limits (`environment.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from selfsown.templates.definitions import RECORD as RECORD
from selfsown.templates.definitions import TemplateError as TemplateError

if TYPE_CHECKING:  # Jinja2 is imported only where there is a template
    from selfsown.templates.environment import Template

PLACES = "prompt, answer, text and system of real.file, and the instruction or rubric of a method that works on one row"


def is_template(text: str) -> bool:
    """Whether the text is a template."""
    return "{{" in text or "{%" in text


@lru_cache(maxsize=256)
def compiled(text: str) -> Template:
    """The template of this text. TemplateError: it is not valid, or does what templates may not do."""
    from selfsown.templates.environment import Template

    return Template.of(text)


def column_names(text: str) -> frozenset[str]:
    """The columns that a text uses; none where it is no template."""
    return compiled(text).names if is_template(text) else frozenset()


def render(text: str, values: Mapping[str, object]) -> str:
    """The text with the values of one row in it. TemplateError where that fails."""
    return compiled(text).render(values) if is_template(text) else text


def _checked(text: str) -> str:
    try:
        column_names(text)
    except TemplateError as error:
        raise PydanticCustomError("template", "a template: {why}", {"why": str(error)}) from error
    return text


def _without_columns(text: str) -> str:
    _checked(text)
    if is_template(text) and (compiled(text).names or compiled(text).uses_record):
        raise PydanticCustomError(
            "template", "a text without columns, the same for all rows; columns are for {places}", {"places": PLACES}
        )
    return text


TemplateText = Annotated[str, AfterValidator(_checked)]  # an option that may use the columns of a row
ConstantText = Annotated[str, AfterValidator(_without_columns)]  # an option that is the same for all rows
