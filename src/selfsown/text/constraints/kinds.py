"""All kinds of constraints, by family."""

from __future__ import annotations

from selfsown.text.constraints import case, ends, form, layout, length, vocabulary
from selfsown.text.constraints.kind import Kind

KINDS: tuple[Kind, ...] = (
    *length.KINDS,
    *case.KINDS,
    *vocabulary.KINDS,
    *layout.KINDS,
    *ends.KINDS,
    *form.KINDS,
)


def kind_names() -> list[str]:
    """The names of all kinds."""
    return [kind.name for kind in KINDS]


def kind_named(name: str) -> Kind | None:
    """The kind with this name; None where there is none."""
    return next((kind for kind in KINDS if kind.name == name), None)
