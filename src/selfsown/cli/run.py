"""The commands about runs: run, check, explain, cost, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selfsown.cli.folders import existing_folder
from selfsown.cli.options import (
    AsJson,
    Changes,
    Engine,
    closing_lines,
    engine_change,
    errors_first,
    opening_lines,
    print_cost,
    with_progress,
)
from selfsown.errors import ExitCode, SelfsownError
from selfsown.records import Generation

if TYPE_CHECKING:
    from selfsown.recipe.recipe import Recipe


def run(
    recipe: str, folder: Path | None = None, *, changes: Changes | None = None, engine: Engine = "", report: bool = True
) -> None:
    """Run a recipe, or resume it in its folder.

    Exits with code 4 if no row was kept or every generation was rolled back.

    Parameters
    ----------
    recipe
        The name of a shipped recipe (see `selfsown list`) or your YAML file.
    folder
        The folder of the run; by default runs/RECIPE. The same command resumes an interrupted run.
    report
        Whether to write FOLDER/report.html at the end.
    """
    from rich.console import Console

    from selfsown.html.report import write_or_explain
    from selfsown.loop import run as run_loop
    from selfsown.recipe.recipe import Recipe
    from selfsown.run_folder import CONTROL, RunFolder
    from selfsown.terminal.layout import print_line, print_lines
    from selfsown.terminal.run_progress import RunProgress
    from selfsown.terminal.sample_rows import show_run_rows

    loaded = Recipe.load(recipe, changes := [*(changes or []), *engine_change(engine)])
    folder, console = folder or Path("runs") / loaded.name, Console()
    with (
        errors_first(console, lambda: [*_header(loaded, folder), *opening_lines(loaded, recipe, changes)]) as release,
        RunProgress(loaded, console, on_start=release).shown() as callbacks,
    ):
        history = run_loop(loaded, folder, callbacks)
    callbacks.end_of_run(history, RunFolder(folder).generations(CONTROL), folder)
    print_cost(folder, console)
    print_lines(console, closing_lines(recipe, changes, folder))
    if report:
        print_line(console, with_progress(write_or_explain, folder))
    show_run_rows(folder, loaded, history, console)
    _require_training_on_kept_rows(history)


def _header(recipe: Recipe, folder: Path) -> list[str]:
    return [f"{recipe.name}: {recipe.description}", f"folder: {folder}"]


def _require_training_on_kept_rows(history: Sequence[Generation]) -> None:
    """SelfsownError if rows were made and no accepted model was trained on any: that must not pass for success."""
    made, kept = (sum(generation.counts.get(name, 0) for generation in history) for name in ("made", "kept"))
    accepted = [generation for generation in history[1:] if generation.accepted]
    message = ""
    if made and not kept:
        message = f"no row was kept of {made:,} made: no model was trained on a synthetic row"
    elif history[1:] and not accepted:
        message = "every generation was rolled back; best/ is the model of generation 0"
    elif made and not any(generation.counts.get("kept") for generation in accepted):
        message = "no row was kept except in generations that were rolled back"
    if message:
        raise SelfsownError(message, code=ExitCode.FAILED)


def check(recipe: str, *, changes: Changes | None = None) -> None:
    """Check a recipe without training or paying, and print it with all its keys.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file.
    """
    import yaml
    from rich.console import Console

    from selfsown.intake import Intake, count_real_rows
    from selfsown.preflight.dry_run import dry_run, dry_run_make
    from selfsown.preflight.warnings import data_warnings, notes, recipe_warnings
    from selfsown.preflight.weak_graders import weak_graders
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.layout import print_line
    from selfsown.terminal.progress import shown

    loaded = Recipe.load(recipe, changes or [])
    intake, console = Intake(), Console(stderr=True)
    with errors_first(), shown():
        if loaded.trains:
            dry_run(loaded, loaded.real(), intake)
        else:
            dry_run_make(loaded, loaded.real())
            intake = count_real_rows(loaded)
    print_line(console, f"selfsown: {intake.sentence()}")
    for warning in (*recipe_warnings(loaded), *data_warnings(loaded), *weak_graders(loaded)):
        print_line(console, f"selfsown: warning: {warning}")
    for note in notes(loaded):
        print_line(console, f"selfsown: note: {note}")
    print(yaml.safe_dump(loaded.dump(), sort_keys=False, allow_unicode=True, width=100), end="")


def explain(folder: Path, row: str) -> None:
    """Trace a row back to real rows: how it was made, graded and used.

    Parameters
    ----------
    folder
        The folder of a run, of made rows or of a preview, such as runs/first, or its name alone.
    row
        The row's id, or the beginning of it.
    """
    from rich.console import Console

    from selfsown.terminal.layout import print_line
    from selfsown.terminal.lineage import story

    text = with_progress(story, existing_folder(folder), row)
    print_line(Console(), text)


def cost(folder: Path, *, as_json: AsJson = False) -> None:
    """Show what model servers cost: requests, tokens, seconds and dollars, by step.

    Parameters
    ----------
    folder
        The folder of a run or of made rows, finished or not, or its name alone.
    """
    from json import dumps

    from rich.console import Console

    from selfsown.cost import read_cost
    from selfsown.terminal.cost import show

    folder = existing_folder(folder)
    spent = with_progress(read_cost, folder)
    if as_json:
        print(dumps(spent.to_json() if spent else {"lines": []}, indent=1))
    elif spent:
        show(spent, Console())
    else:
        print(f"No model server was asked in {folder}.")


def report(folder: Path) -> None:
    """Write the page of a run, of made rows or of a comparison, FOLDER/report.html.

    Parameters
    ----------
    folder
        The folder of a run or of made rows, finished or not, or of a comparison; or its name alone.
    """
    from selfsown.html.report import write

    print(with_progress(write, existing_folder(folder)))
