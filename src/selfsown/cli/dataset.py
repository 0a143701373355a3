"""The commands about data sets: make, preview, estimate, calibrate, export, push."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from selfsown.cli.folders import existing_folder
from selfsown.cli.options import (
    AsJson,
    Changes,
    Engine,
    check_row_count,
    engine_change,
    errors_first,
    opening_lines,
    print_cost,
    require_kept_rows,
    with_progress,
)
from selfsown.errors import SelfsownError

if TYPE_CHECKING:
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.make_progress import MakeProgress

LABELS = "A file of rows with a label: good, bad, or a score from 0 to 1. Without it, real rows and mutants of them."
FORMATS = """prompt-completion (the default; for documents, text; for both, rows), conversational,
conversational-prompt-completion, preference, conversational-preference, sharegpt, alpaca, text, or rows (every field of
each row)."""
OFFLINE = "Send no request: count all of them, and assume how long replies are."


def make(
    recipe: str,
    folder: Path | None = None,
    *,
    changes: Changes | None = None,
    engine: Engine = "",
    report: bool = True,
) -> None:
    """Make a data set: the loop without training. Replies in the folder are not paid for again.

    Exits with code 4 if no row was kept.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file. It needs a teacher; see docs/make.md.
    folder
        The folder of the rows; by default made/RECIPE. The same command resumes, also with a changed recipe.
    report
        Whether to write FOLDER/report.html at the end.
    """
    from rich.console import Console

    from selfsown.pipeline import make as make_rows
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.make_progress import MakeProgress

    changes = [*(changes or []), *engine_change(engine)]
    loaded = Recipe.load(recipe, changes)
    folder, console = folder or Path("made") / loaded.name, Console()
    with (
        errors_first(console, lambda: opening_lines(loaded, recipe, changes)) as release,
        MakeProgress(console, on_start=release).shown() as progress,
    ):
        tally = make_rows(loaded, folder, progress.update)
    progress.end(tally)
    _show_result(loaded, folder, progress, tally.counts["kept"], report)
    require_kept_rows(tally.counts, *(reason for reason, _ in tally.reasons.most_common(1)))


def _show_result(recipe: Recipe, folder: Path, progress: MakeProgress, kept: int, report: bool) -> None:
    """What was paid and written, the page, and a few rows."""
    from selfsown.export.export import export
    from selfsown.html.report import write_or_explain
    from selfsown.terminal.sample_rows import show_made_rows

    print_cost(folder, progress.console)
    if kept:
        data = with_progress(export, folder, folder / "dataset")
        progress.print(f"{data.rows:,} kept rows as {data.format}: {data.out} (export writes other formats)")
    progress.print(f"All rows with status and reason: {folder}/rows.parquet")
    if report:
        progress.print(with_progress(write_or_explain, folder))
    show_made_rows(folder, recipe.seed, progress.console)


def preview(
    recipe: str, folder: Path | None = None, *, rows: int = 3, html: Path | None = None, changes: Changes | None = None
) -> None:
    """Generate and grade the first few rows, and show each with its grades and its status.

    Exits with code 4 if all of them failed.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file. It needs a teacher.
    folder
        The folder of the replies; by default made/RECIPE, where `make` finds them.
    rows
        How many real rows.
    html
        Also write an HTML page of them: FILE.html.
    """
    from rich.console import Console

    from selfsown.html import page_path
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal.preview import preview as make_preview
    from selfsown.terminal.preview import show
    from selfsown.terminal.progress import shown

    loaded = Recipe.load(recipe, changes or [])
    folder, console = folder or Path("made") / loaded.name, Console()
    check_row_count(rows)
    if html:
        page_path.check(html, packages=("jinja2",))
    with errors_first(console, lambda: opening_lines(loaded, recipe, changes or [])), shown():
        result = make_preview(loaded, folder, rows)
    show(result, folder, console)
    if html:
        from selfsown.html.report import write_made

        print(f"The page is {write_made(folder, html, is_preview=True)}")
    if all(row.status == "failed" for row in result.rows):
        require_kept_rows(Counter(row.status for row in result.rows), *(row.reason for row in result.rows[-1:]))


def estimate(
    recipe: str,
    folder: Path | None = None,
    *,
    rows: int = 20,
    offline: Annotated[bool, Parameter(help=OFFLINE, negative=())] = False,
    as_json: AsJson = False,
    changes: Changes | None = None,
) -> None:
    """Estimate what `make` will cost, by step, from a few rows that are really sent.

    Exits with code 4 if all of them failed.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file. It needs a teacher.
    folder
        The folder of the replies; by default made/RECIPE, where `make` finds them.
    rows
        How many rows are sent, drawn evenly over all of them.
    """
    from json import dumps

    from rich.console import Console

    from selfsown.estimate.estimator import estimate as make_estimate
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal import estimate as terminal

    loaded = Recipe.load(recipe, changes or [])
    result = with_progress(make_estimate, loaded, folder or Path("made") / loaded.name, check_row_count(rows), offline)
    if as_json:
        print(dumps(terminal.to_json(result), indent=1))
    else:
        terminal.show(result, Console())
    if result.made_rows and result.failed_rows == result.made_rows:
        require_kept_rows({"failed": result.failed_rows}, result.failure_reason)


def calibrate(
    recipe: str,
    folder: Path | None = None,
    *,
    labels: Annotated[Path | None, Parameter(help=LABELS)] = None,
    rows: int = 200,
    as_json: AsJson = False,
    changes: Changes | None = None,
) -> None:
    """Measure the error rates of the recipe's graders on rows with known labels.

    Exits with code 4 if a grader is below its requirement in the recipe, or graded no row.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file.
    folder
        The folder of calibration.json; by default that of `run` or `make` for this recipe.
    rows
        The maximum number of rows.
    """
    from json import dumps

    from rich.console import Console

    from selfsown.calibration.calibrate import calibrate as measure
    from selfsown.calibration.requirements import require
    from selfsown.recipe.recipe import Recipe
    from selfsown.terminal import calibration as terminal

    loaded = Recipe.load(recipe, changes or [])
    folder = folder or Path("runs" if loaded.trains else "made") / loaded.name
    result = with_progress(measure, loaded, folder, labels, check_row_count(rows))
    if as_json:
        print(dumps(result.to_json(), indent=1, ensure_ascii=False))
    else:
        terminal.show(result, folder, Console())
    require(loaded, result)


def export(
    folder: Path,
    out: Path,
    *,
    chosen: Annotated[str, Parameter(name="--format", help=FORMATS)] = "",
    file_format: str = "parquet",
    real: Annotated[bool, Parameter(negative=())] = False,
    reasoning: Annotated[bool, Parameter(negative=())] = False,
    separator: str | None = None,
) -> None:
    """Write the kept rows as a data set that trainers read, with its card.

    Parameters
    ----------
    folder
        The folder of a run or of made rows, or its name alone.
    out
        A new folder, or an earlier export, which is replaced.
    file_format
        parquet or jsonl.
    real
        Include the real rows for training. Held-out rows are never written.
    reasoning
        Include the model's reasoning, as reasoning_content of its message.
    separator
        The text between prompt and answer in the format text; by default a line break.
    """
    from rich.console import Console

    from selfsown.export.export import export as write
    from selfsown.terminal.layout import print_line

    data = with_progress(
        partial(write, format=chosen, file_format=file_format, real=real, reasoning=reasoning, separator=separator),
        existing_folder(folder),
        out,
    )
    print_line(Console(), f"{data.rows:,} {data.format} rows are in {data.out}; {data.out}/README.md describes them")


def push(folder: Path, destination: str, *, public: Annotated[bool, Parameter(negative="--private")] = False) -> None:
    """Upload an exported data set to the Hugging Face hub or an object store; no other command uploads anything.

    Parameters
    ----------
    folder
        The folder that `selfsown export` wrote.
    destination
        OWNER/NAME on the hub, or the address of a folder: s3://BUCKET/FOLDER, gs://….
    public
        Whether everyone may see it; for the hub.
    """
    from selfsown.export import hub, object_store
    from selfsown.files.remote import is_remote

    if not is_remote(destination):
        print(with_progress(hub.push, folder, destination, public=public))
        return
    if public:
        raise SelfsownError(f"--public is for the hub; who may read {destination} is set where it is")
    print(with_progress(object_store.push, folder, destination))
