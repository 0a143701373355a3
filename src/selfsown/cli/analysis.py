"""The commands that analyse recipes and data: prove, compare, plan, audit, dedup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from selfsown.audit.options import MAX_SIMILARITY, AuditOptions
from selfsown.cli.options import AsJson, Changes, with_progress
from selfsown.compare.columns import ColumnOptions
from selfsown.errors import ExitCode, SelfsownError
from selfsown.plan.options import PlanOptions

if TYPE_CHECKING:
    from selfsown.compare.experiment import Experiment

ARMS = "graded, ungraded, shuffled, replace, vote, real (all six by default), or changes such as init_from=base."
REAL_ROWS = "Data efficiency: plain training on multiples of the real rows, such as 1x,2x,4x,8x,16x."
CLAIM = "With --real-rows: a claimed ratio of plain training's cost to the loop's at equal scores; it is tested."
JOBS = "Runs at a time; 0: one per core, or one where a model of the transformers library is trained."
FIRST_SEED = "The first seed: name one beyond the seeds on which you chose a setting."
PROVE_WHAT = "prove takes a recipe, or two files (--synthetic FILE --against REAL), one of the two"
PRICES = "With --real-rows: a file of prices; by default FOLDER/prices.yaml."

KNOWN = "A file of rows that no row may be like, such as real rows or a benchmark; several times for several files."
SIMILARITY = "Cosine of prompts and of answers from which two rows count as near-duplicates."

Arms = Annotated[list[str], Parameter(help=ARMS, consume_multiple=True, negative=())]
Multiples = Annotated[list[str], Parameter(help=REAL_ROWS, consume_multiple=True, negative=())]
Jobs = Annotated[int, Parameter(help=JOBS)]
FirstSeed = Annotated[int, Parameter(help=FIRST_SEED)]


def prove(
    recipe: str = "",
    folder: Path | None = None,
    *,
    synthetic: str = "",
    against: str = "",
    columns: Annotated[ColumnOptions, Parameter(name="*")] = ColumnOptions(),  # noqa: B008
    seeds: int = 5,
    first_seed: FirstSeed = 0,
    jobs: Jobs = 0,
    as_json: AsJson = False,
    changes: Changes | None = None,
) -> None:
    """Test whether synthetic rows help: training with them against without, at equal steps, over seeds.

    `selfsown prove RECIPE` tests the rows that a recipe makes; `selfsown prove --synthetic FILE --against REAL` tests
    those of any file. Exit codes: 0 better, 4 worse, 5 inconclusive. No guard runs.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file.
    folder
        The folder of the proof; by default runs/RECIPE-proof or runs/FILE-proof. The same command resumes.
    synthetic
        A file of synthetic rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library.
    against
        With --synthetic: the real rows, likewise; some of them are held out and never trained on.
    seeds
        How many seeds; at least 3.
    """
    from selfsown.compare import prove

    if bool(recipe) == bool(synthetic) or bool(synthetic) != bool(against):
        raise SelfsownError(PROVE_WHAT)
    if synthetic:
        experiment = prove.plan_file_proof(synthetic, against, columns, changes or [], seeds)
    else:
        experiment = prove.plan_proof(recipe, changes or [], seeds)
    _run_proof(experiment.from_seed(first_seed), folder, jobs, as_json)


def _run_proof(experiment: Experiment, folder: Path | None, jobs: int, as_json: bool) -> None:
    """Run both arms, show the verdict, and exit with its code."""
    import sys
    from functools import partial

    from selfsown.compare import prove, runner
    from selfsown.html.report import write_or_explain
    from selfsown.terminal import comparison

    folder = folder or Path("runs") / f"{experiment.recipe.name}-proof"
    print_line = partial(print, file=sys.stderr if as_json else sys.stdout)
    result = prove.prove(experiment, folder, with_progress(runner.run, experiment, folder, jobs, None, print_line))
    assert result.proof
    if as_json:
        print(result.proof.to_json())
    else:
        comparison.show(result)
    print_line(write_or_explain(folder))
    sys.exit(prove.EXIT_CODES[result.proof.verdict])


def compare(
    recipe: str,
    folder: Path | None = None,
    *,
    arms: Arms | None = None,
    seeds: int = 3,
    first_seed: FirstSeed = 0,
    real_rows: Multiples | None = None,
    prices: Annotated[Path | None, Parameter(help=PRICES)] = None,
    claim: Annotated[float, Parameter(help=CLAIM)] = 0.0,
    jobs: Jobs = 0,
    changes: Changes | None = None,
) -> None:
    """Compare a recipe with variants of it over several seeds. Exits with code 4 if no row was kept.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file.
    folder
        The folder of the comparison; by default runs/RECIPE-compare. The same command resumes.
    seeds
        How many seeds.
    """
    from rich.console import Console

    from selfsown.compare import runner
    from selfsown.compare.experiment import plan_experiment
    from selfsown.html.report import write_or_explain
    from selfsown.terminal import comparison as terminal

    planned = plan_experiment(recipe, changes or [], arms or [], seeds, real_rows or [], claim)
    experiment = planned.from_seed(first_seed)
    folder = folder or Path("runs") / f"{experiment.recipe.name}-compare"
    result = with_progress(runner.run, experiment, folder, jobs, prices, print)
    terminal.show(result, Console())
    print(write_or_explain(folder))
    runner.require_kept_rows(result)


def plan(
    real: str = "",
    *,
    options: Annotated[PlanOptions, Parameter(name="*", allow_leading_hyphen=True)],
    plot: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Plan a data budget: the value of repeated real data, and how much synthetic data closes the gap safely.

    Exit codes: 0 the target can be reached, 4 it cannot be reached safely, 5 unknown.

    Parameters
    ----------
    real
        A file of real rows, whose characters are counted; or use --tokens.
    plot
        Write a plot: FILE.png, .svg or .pdf.
    """
    import json
    import sys

    from rich.console import Console

    from selfsown.plan import inputs, json_report
    from selfsown.plan import plot as figure
    from selfsown.terminal import plan as terminal

    if plot:
        figure.check_path(plot)
    result = with_progress(inputs.make_plan, real, options)
    if plot:
        figure.draw(result, plot)
    if as_json:
        print(json.dumps(json_report.to_json(result), indent=1))
    else:
        terminal.show(result, Console())
    sys.exit(terminal.EXIT_CODES[result.feasibility])


def audit(
    synthetic: str,
    *,
    against: str,
    options: Annotated[AuditOptions, Parameter(name="*")] = AuditOptions(),  # noqa: B008
    html: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Compare synthetic rows with real ones: variety, bias, form, duplicates, copies, and benchmark contamination.

    Exit codes: 0 no difference exceeds its tolerance, 4 one does or a row contains a benchmark question, 5 unknown.

    Parameters
    ----------
    synthetic
        A file of rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library, or FOLDER:SPLIT.
    against
        The real rows, likewise.
    html
        Also write an HTML page: FILE.html.
    """
    import json
    import sys

    from selfsown.audit import conclusion, inputs, json_report
    from selfsown.html import page_path
    from selfsown.terminal import audit as terminal

    if html:
        page_path.check(html)
    result = with_progress(inputs.run_audit, synthetic, against, options)
    if html:
        from selfsown.html import audit_page

        audit_page.write(result, html)
    if as_json:
        print(json.dumps(json_report.to_json(result), indent=1))
    else:
        terminal.show(result)
    sys.exit(conclusion.EXIT_CODES[conclusion.verdict(result)])


def dedup(
    rows: str,
    *,
    out: Path,
    against: Annotated[list[str] | None, Parameter(help=KNOWN, negative=())] = None,
    text: str = "",
    prompt: str = "",
    answer: str = "",
    max_similarity: Annotated[float, Parameter(help=SIMILARITY)] = MAX_SIMILARITY,
    as_json: AsJson = False,
) -> None:
    """Write a file of rows without near-duplicates: of similar rows the first stays.

    Exits with code 4 if no row is left.

    Parameters
    ----------
    rows
        A file of rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library, or FOLDER:SPLIT.
    out
        The file to write, in the format and with the columns of the input; beside it, what was dropped, and why.
    text
        Column with a whole document. By default the usual names are tried; so they are for a file without this column.
    prompt
        Column with the prompt.
    answer
        Column with the answer.
    """
    import json
    from dataclasses import asdict

    from selfsown.audit import dedup as near
    from selfsown.audit.data_source import ColumnNames

    names = ColumnNames(text, prompt, answer)
    result = with_progress(near.dedup, rows, out, against or [], names, max_similarity)
    print(json.dumps(asdict(result) | {"kept": result.kept}, default=str) if as_json else "\n".join(result.sentences))
    if not result.kept:
        raise SelfsownError("no row is left", code=ExitCode.FAILED)
