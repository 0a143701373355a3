"""Options and checks that several commands share."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
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
Engine = Annotated[
    str, Parameter(help="Where rows are made: threads (of this machine), ray, or HOST:PORT of a Ray cluster.")
]
GIVEN_KEYS = ("real", "teacher", "judge")  # keys of a shipped recipe that its user gives
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON instead of text.", negative=())]


def engine_change(engine: str) -> list[str]:
    """The change of the recipe that `--engine` means."""
    if not engine:
        return []
    return [f"engine={{ray: {{address: '{engine}'}}}}"] if ":" in engine else [f"engine={engine}"]


def check_row_count(rows: int) -> int:
    if rows < 1:
        raise RecipeError(f"--rows is {rows}; it must be 1 or more")
    return rows


def require_kept_rows(counts: Mapping[str, int], reason: str = "no row was made") -> None:
    """SelfsownError if no row was kept: an empty data set must not pass for success. counts: rows by status."""
    if not counts.get("kept"):
        numbers = " and ".join(f"{counts.get(status, 0):,} {status}" for status in ("rejected", "failed"))
        raise SelfsownError(f"no row was kept: {numbers}; most frequent reason: {reason}", code=ExitCode.FAILED)


@contextmanager
def errors_first(
    console: Console | None = None, opening: Callable[[], Iterable[str]] = tuple
) -> Iterator[Callable[[], None]]:
    """The opening lines, and log lines, wait until the function is called, once a recipe is known to fit, or the block
    ends. An error that ends it before then is printed alone."""
    from selfsown.terminal.layout import print_lines

    log, waiting = logging.getLogger("selfsown"), _Waiting()
    log.addHandler(waiting)
    log.propagate = False

    def release() -> None:
        if waiting not in log.handlers:
            return
        log.removeHandler(waiting)
        log.propagate = True
        if console:
            print_lines(console, opening())
        for record in waiting.records:
            log.handle(record)

    try:
        yield release
        release()
    finally:
        log.removeHandler(waiting)
        log.propagate = True


class _Waiting(logging.Handler):
    """Keeps log records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def opening_lines(recipe: Recipe, source: str, changes: Sequence[str]) -> list[str]:
    """Warnings and notes to print once a recipe is known to fit.

    Of a shipped recipe only what its user's changes lead to; `selfsown check` prints all.
    """
    from selfsown.preflight.warnings import data_warnings, notes, recipe_warnings
    from selfsown.preflight.weak_graders import weak_graders

    shipped = shipped_warnings(source, changes)
    warnings = [warning for warning in recipe_warnings(recipe) if warning not in shipped]
    warnings += [*data_warnings(recipe), *weak_graders(recipe)]
    return [*(f"warning: {warning}" for warning in warnings), *(f"note: {note}" for note in notes(recipe))]


def closing_lines(source: str, changes: Sequence[str], folder: Path) -> list[str]:
    """Where the warnings about a shipped recipe itself are: its own name would lack the changes that it needs."""
    count = len(shipped_warnings(source, changes))
    check = f"selfsown check {shlex.quote(str(folder / 'recipe.yaml'))}"
    return [f"What this recipe leaves out that keeps a loop safe ({count}): {check}"] if count else []


def shipped_warnings(source: str, changes: Sequence[str]) -> list[str]:
    """The warnings about a shipped recipe as it is shipped; [] about a recipe of the user's own."""
    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.recipe.loader import shipped_recipes
    from selfsown.recipe.recipe import Recipe

    if source not in shipped_recipes():
        return []
    user_changes = [change for change in changes if change.partition("=")[0].partition(".")[0] in GIVEN_KEYS]
    try:
        return list(recipe_warnings(Recipe.load(source, user_changes)))
    except SelfsownError:  # it fits only with the other changes
        return []


def with_progress(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """The result of the work, whose progress is shown meanwhile; an error of it is printed before its log lines."""
    from selfsown.terminal.progress import shown

    with errors_first(), shown():
        return work(*args, **kwargs)


def print_cost(folder: Path, console: Console) -> None:
    """What model servers cost, where any were asked."""
    from selfsown.cost import read_cost
    from selfsown.cost.findings import summary
    from selfsown.terminal.layout import print_line

    if spent := read_cost(folder):
        print_line(console, f"{summary(spent)} (selfsown cost {shlex.quote(str(folder))})")
