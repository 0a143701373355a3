"""Options and checks that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

from cyclopts import Parameter

from selfsown.errors import ExitCode, RecipeError, SelfsownError

if TYPE_CHECKING:
    from rich.console import Console

    from selfsown.recipe.recipe import Recipe

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

Changes = Annotated[
    list[str],
    Parameter(name="--set", help="Change the recipe: seed=1, real=FILE, train.sft.steps=100.", negative=()),
]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON instead of text.", negative=())]


def check_row_count(rows: int) -> int:
    if rows < 1:
        raise RecipeError(f"--rows is {rows}; it must be 1 or more")
    return rows


def require_kept_rows(counts: Mapping[str, int], reason: str = "no row was made") -> None:
    """SelfsownError if no row was kept: an empty data set must not pass for success. counts: rows by status."""
    if not counts.get("kept"):
        numbers = " and ".join(f"{counts.get(status, 0):,} {status}" for status in ("rejected", "failed"))
        raise SelfsownError(f"no row was kept: {numbers}; most frequent reason: {reason}", code=ExitCode.FAILED)


def print_warnings(recipe: Recipe, console: Console) -> None:
    """What the recipe leaves out that keeps a loop safe."""
    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.terminal.layout import print_line

    for warning in recipe_warnings(recipe):
        print_line(console, f"warning: {warning}")


def with_progress(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """The result of the work, whose progress is shown meanwhile."""
    from selfsown.terminal.progress import shown

    with shown():
        return work(*args, **kwargs)
