"""selfsown: a model writes its own training data, grades it, learns from what passed, and proves that it improved."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import selfsown.attack
import selfsown.audit  # noqa: F401 - before the names are bound to the functions below: a later import of the packages would take them
from selfsown.api import attack, audit, make, prove, run
from selfsown.version import __version__ as __version__

if TYPE_CHECKING:
    from selfsown.errors import DataError, ModelError, RecipeError, RunFolderError, SelfsownError
    from selfsown.recipe.recipe import Recipe
    from selfsown.records import Grade, Row, Score

__all__ = [
    "DataError",
    "Grade",
    "ModelError",
    "Recipe",
    "RecipeError",
    "Row",
    "RunFolderError",
    "Score",
    "SelfsownError",
    "attack",
    "audit",
    "make",
    "prove",
    "run",
]

_MODULES = {"Recipe": "recipe.recipe"} | dict.fromkeys(("Grade", "Row", "Score"), "records")


def __getattr__(name: str) -> Any:
    """Public classes are imported when they are first used: `selfsown --help` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'selfsown' has no attribute {name!r}")
    return getattr(import_module(f"selfsown.{_MODULES.get(name, 'errors')}"), name)
