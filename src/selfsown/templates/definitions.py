"""What the package and its environment share: the name of the whole record, and the error of a template."""

from __future__ import annotations

from selfsown.errors import RecipeError

RECORD = "row"  # the name of the whole record in a template: {{ row["User name"] }}


class TemplateError(RecipeError):
    """A template that cannot be compiled or rendered; the message names its line."""
