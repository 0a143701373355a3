"""The commands, from run and make to push and list."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from selfsown import __version__
from selfsown.cli.analysis import audit, plan, prove
from selfsown.cli.dataset import Changes, calibrate, estimate, make, preview
from selfsown.records import Generation, SelfsownError

app = App(
    name="selfsown",
    version=__version__,
    help="A model writes its own training data, grades it, learns, and proves it got better.",
    suppress_keyboard_interrupt=False,
)

ARMS = "graded, ungraded, shuffled, replace, vote, real (all six by default), or changes such as init_from=base."
ROWS = "How many times the real rows plain training may have, such as 1x,2x,4x,8x,16x: what does the loop spare?"
Arms = Annotated[list[str], Parameter(help=ARMS, consume_multiple=True, negative=())]
CLAIM = "How many times as much plain training is said to cost at equal scores, for --real-rows: is it so?"
Claim = Annotated[float, Parameter(help=CLAIM)]
JOBS = "Runs at a time; by default one a core."
PRICES = "A file of prices, for --real-rows; by default FOLDER/prices.yaml."
Multiples = Annotated[list[str], Parameter(help=ROWS, consume_multiple=True, negative=())]


@app.command
def run(recipe: str, folder: Path | None = None, *, set: Changes | None = None, report: bool = True) -> None:
    """Run a recipe, or go on where it was left.

    Ends with exit code 4 where no row was kept, or every generation was rolled back.

    Parameters
    ----------
    recipe
        The name of a ready recipe (see `selfsown list`) or a YAML file of yours.
    folder
        Where the run is kept; by default runs/RECIPE. Give it again after a kill, and the run goes on.
    report
        Whether to write FOLDER/report.html at the end.
    """
    from rich.console import Console
    from rich.markup import escape

    from selfsown import cost, loop
    from selfsown.html.report import told
    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.recipe.recipe import Recipe
    from selfsown.run_folder import CONTROL, RunFolder
    from selfsown.terminal import run_progress

    loaded = Recipe.load(recipe, set or [])
    folder = folder or Path("runs") / loaded.name
    watch = run_progress.Screen(loaded, Console())
    watch.say(escape(f"{loaded.name}: {loaded.description}\nkept in {folder}"))
    for caution in recipe_warnings(loaded):
        watch.say(escape(f"caution: {caution}"))
    with watch.progress:
        history = loop.run(loaded, folder, watch)
    watch.end_of_run(history, RunFolder(folder).generations(CONTROL), folder)
    if spent := cost.read(folder):
        watch.say(escape(f"{spent.sentence} (selfsown cost {folder})"))
    if report:
        print(told(folder))
    _worth_something(history)


def _worth_something(history: Sequence[Generation]) -> None:
    """SelfsownError where rows were made and no model has learned from any: that is not to pass for success."""
    made, kept = (sum(each.counts.get(what, 0) for each in history) for what in ("made", "kept"))
    accepted = [each for each in history[1:] if each.accepted]
    if made and not kept:
        raise SelfsownError(f"no row was kept of {made:,} made: no model has learned from a synthetic row", code=4)
    if history[1:] and not accepted:
        raise SelfsownError("every generation was rolled back; best/ is the model of generation 0", code=4)
    if made and not any(each.counts.get("kept") for each in accepted):
        raise SelfsownError("no row was kept but in generations that were rolled back", code=4)


app.command(make)
app.command(preview)
app.command(estimate)
app.command(calibrate)
app.command(prove)
app.command(plan)
app.command(audit)


@app.command
def check(recipe: str, *, set: Changes | None = None) -> None:
    """Say whether a recipe is sound and what it leaves out, and print it as it would run.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours.
    """
    import yaml

    from selfsown.intake import Intake, count_real_rows
    from selfsown.preflight.dry_run import dry_run, dry_run_make
    from selfsown.preflight.warnings import recipe_warnings
    from selfsown.recipe.recipe import Recipe

    loaded = Recipe.load(recipe, set or [])
    real = Intake()
    if loaded.trains:
        dry_run(loaded, loaded.real(), real)
    else:
        dry_run_make(loaded, loaded.real())
        real = count_real_rows(loaded)
    print(f"selfsown: {real.sentence()}", file=sys.stderr)
    for caution in recipe_warnings(loaded):
        print(f"selfsown: caution: {caution}", file=sys.stderr)
    print(yaml.safe_dump(loaded.dump(), sort_keys=False, allow_unicode=True, width=100), end="")


@app.command
def compare(
    recipe: str,
    folder: Path | None = None,
    *,
    arms: Arms | None = None,
    seeds: int = 3,
    real_rows: Multiples | None = None,
    prices: Annotated[Path | None, Parameter(help=PRICES)] = None,
    claim: Claim = 0.0,
    jobs: Annotated[int, Parameter(help=JOBS)] = 0,
    set: Changes | None = None,
) -> None:
    """Run a recipe against variants of itself over several seeds: what made the difference? Exit code 4: no row kept.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours.
    folder
        Where it is kept; by default runs/RECIPE-compare. Give it again after a kill, and it goes on.
    seeds
        How many seeds, from 0.
    """
    from rich.console import Console

    from selfsown.compare import runner
    from selfsown.compare.experiment import plan
    from selfsown.html.report import told
    from selfsown.terminal import comparison as terminal

    planned = plan(recipe, set or [], arms or [], seeds, real_rows or [], claim)
    folder = folder or Path("runs") / f"{planned.recipe.name}-compare"
    found = runner.run(planned, folder, jobs, prices, Console().out)
    terminal.show(found, Console())
    print(told(folder))
    runner.demand_rows(found)


@app.command
def explain(folder: Path, row: str) -> None:
    """Tell a row's whole story, down to real rows.

    Parameters
    ----------
    folder
        The folder of a run.
    row
        The row's id, or the beginning of it.
    """
    from selfsown.lineage import story

    print(story(folder, row))


@app.command
def cost(folder: Path, *, json: bool = False) -> None:
    """Say what the models behind servers took: requests, tokens, seconds and money, by step.

    Parameters
    ----------
    folder
        The folder of a run, finished or not.
    json
        Print it for a program instead.
    """
    from rich.console import Console

    from selfsown.cost import tell

    tell(folder, Console(), json)


@app.command
def report(folder: Path) -> None:
    """Write what a run or a comparison found as one page, FOLDER/report.html.

    Parameters
    ----------
    folder
        The folder of a run, finished or not, or of a comparison.
    """
    from selfsown.html.report import write

    print(write(folder))


@app.command
def export(
    folder: Path,
    out: Path,
    *,
    format: str = "",
    as_: Annotated[str, Parameter(name="--as")] = "parquet",
    real: Annotated[bool, Parameter(negative=())] = False,
    reasoning: Annotated[bool, Parameter(negative=())] = False,
    joint: str | None = None,
) -> None:
    """Write the kept rows of a run as a dataset that trainers read, with its card.

    Parameters
    ----------
    folder
        The folder of a run, or of made rows.
    out
        A new folder, or an earlier export, which is replaced.
    format
        prompt-completion (the default; for documents, text), conversational, conversational-prompt-completion,
        preference, conversational-preference, sharegpt, alpaca, text, or rows: all that is known of each row.
    as_
        parquet or jsonl.
    real
        The real rows to learn from, too. Held-out rows are never written.
    reasoning
        What the model thought, as reasoning_content beside its message.
    joint
        What stands between prompt and answer in the format text; by default a line break.
    """
    from selfsown.export.export import export as written

    done = written(folder, out, format=format, kind=as_, real=real, reasoning=reasoning, joint=joint)
    print(f"{done.rows:,} {done.format} rows are in {done.out}; what they are stands in {done.out}/README.md")


@app.command
def push(folder: Path, repo: str, *, public: Annotated[bool, Parameter(negative="--private")] = False) -> None:
    """Put an exported dataset on the Hugging Face hub; only this command ever uploads anything.

    Parameters
    ----------
    folder
        What `selfsown export` wrote.
    repo
        Where it goes: OWNER/NAME.
    public
        Whether everybody may see it.
    """
    from selfsown.export.hub import push as pushed

    print(pushed(folder, repo, public=public))


@app.command(name="list")
def list_() -> None:
    """List the ready recipes and every way of every verb, in the loop's order, with its knobs."""
    from selfsown.cli.catalogue import catalogue

    print(catalogue())


def main() -> None:
    """The entry point: a user's mistake is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show an arrow
    logging.getLogger("selfsown").setLevel(logging.INFO)
    if logging.lastResort:  # writes to whatever standard error is just then, above a bar where there is one
        logging.lastResort.setLevel(logging.INFO)
    try:
        app(exit_on_error=False, print_error=False)
    except BrokenPipeError:  # `selfsown list | head`
        sys.stderr.close()
        sys.exit(0)
    except (SelfsownError, CycloptsError, OSError) as error:
        print(f"selfsown: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.code if isinstance(error, SelfsownError) else 2)
    except KeyboardInterrupt:
        print("selfsown: stopped; give the same command again and the run goes on", file=sys.stderr)
        sys.exit(130)
