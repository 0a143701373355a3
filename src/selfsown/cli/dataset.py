"""The commands that make rows, and those that say before how they will look, what they take and who may grade them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from selfsown.records import SelfsownError

Changes = Annotated[
    list[str], Parameter(name="--set", help="Change the recipe: seed=1, real=FILE, train.sft.steps=100.", negative=())
]
Json = Annotated[bool, Parameter(help="Print it for a program instead.", negative=())]
LABELS = "A file of rows with a label: good, bad, or a score from 0 to 1. Without, real rows, and mutants of them."
OFFLINE = "Ask nothing: count every request, and assume how long replies are."


def make(recipe: str, folder: Path | None = None, *, set: Changes | None = None) -> None:
    """Make a data set: the loop without training. What was paid once is never paid again.

    Ends with exit code 4 where no row was kept.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours. It needs a teacher; see docs/make.md.
    folder
        Where it is kept; by default made/RECIPE. Give it again after a kill, or with a changed recipe.
    """
    from rich.console import Console

    from selfsown import cost, pipeline
    from selfsown.export.export import export
    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.make_progress import Progress

    loaded = Recipe.load(recipe, set or [])
    folder = folder or Path("made") / loaded.name
    with Progress(Console()) as progress:
        for caution in recipe_warnings(loaded):
            progress.say(f"caution: {caution}")
        tally = pipeline.make(loaded, folder, progress.tell)
    progress.end(tally)
    if spent := cost.read(folder):
        progress.say(f"{spent.sentence} (selfsown cost {folder})")
    if tally.counts["kept"]:
        data = export(folder, folder / "dataset")
        progress.say(f"{data.rows:,} kept rows as {data.format}: {data.out} (selfsown export: other formats)")
    progress.say(f"Every row, with its end and why: {folder}/rows.parquet")
    _kept(tally.counts, *(reason for reason, _ in tally.reasons.most_common(1)))


def preview(recipe: str, folder: Path | None = None, *, rows: int = 3, set: Changes | None = None) -> None:
    """Make the first few rows for real, and show each with its grades and its end.

    Ends with exit code 4 where all of them failed.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours. It needs a teacher.
    folder
        Where the replies are kept; by default made/RECIPE, where `make` finds them.
    rows
        How many real rows.
    """
    from rich.console import Console

    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.preview import preview as made
    from selfsown.terminal.preview import show

    loaded = Recipe.load(recipe, set or [])
    folder, console = folder or Path("made") / loaded.name, Console()
    for caution in recipe_warnings(loaded):
        console.print(f"caution: {caution}", soft_wrap=True, highlight=False, markup=False)
    found = made(loaded, folder, _some(rows))
    show(found, folder, console)
    if all(row.status == "failed" for row in found.rows):
        _kept(Counter(row.status for row in found.rows), *(row.reason for row in found.rows[-1:]))


def estimate(
    recipe: str,
    folder: Path | None = None,
    *,
    rows: int = 20,
    offline: Annotated[bool, Parameter(help=OFFLINE, negative=())] = False,
    json: Json = False,
    set: Changes | None = None,
) -> None:
    """Say what `make` will take, by step, from a few rows that are really asked. Exit code 4: all of them failed.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours. It needs a teacher.
    folder
        Where the replies are kept; by default made/RECIPE, where `make` finds them.
    rows
        How many rows are asked, drawn evenly over all of them.
    """
    from json import dumps

    from rich.console import Console

    from selfsown.estimate import estimator
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal import estimate as terminal

    loaded = Recipe.load(recipe, set or [])
    found = estimator.estimate(loaded, folder or Path("made") / loaded.name, _some(rows), offline)
    if json:
        print(dumps(terminal.plain(found), indent=1))
    else:
        terminal.show(found, Console())
    if found.made and found.failed == found.made:
        _kept({"failed": found.failed}, found.reason)


def calibrate(
    recipe: str,
    folder: Path | None = None,
    *,
    labels: Annotated[Path | None, Parameter(help=LABELS)] = None,
    rows: int = 200,
    json: Json = False,
    set: Changes | None = None,
) -> None:
    """Measure how well the recipe's graders know good rows from bad. Exit code 1: too badly; 4: one graded no row.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours.
    folder
        Where it is written; by default where `run` or `make` keeps the recipe's rows.
    rows
        At most so many rows.
    """
    from json import dumps

    from rich.console import Console

    from selfsown.calibration.calibrate import demand, measured
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal import calibration

    loaded = Recipe.load(recipe, set or [])
    folder = folder or Path("runs" if loaded.trains else "made") / loaded.name
    found = measured(loaded, folder, labels, _some(rows))
    if json:
        print(dumps(found, indent=1, ensure_ascii=False))
    else:
        calibration.show(found, folder, Console())
    demand(loaded, found)


def _kept(ends: Mapping[str, int], reason: str = "none was made") -> None:
    """SelfsownError where no row was kept: a data set that is not there must not pass for success."""
    if not ends.get("kept"):
        counts = " and ".join(f"{ends.get(end, 0):,} {end}" for end in ("rejected", "failed"))
        raise SelfsownError(f"no row was kept: {counts}; most often: {reason}", code=4)


def _some(rows: int) -> int:
    if rows < 1:
        raise SelfsownError(f"--rows is {rows}; it must be 1 or more")
    return rows
