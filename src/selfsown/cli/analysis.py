"""The commands that say what helps and what is safe: prove, plan, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from selfsown.audit.options import AuditOptions
from selfsown.cli.dataset import Changes
from selfsown.plan.options import PlanOptions


def prove(
    recipe: str,
    folder: Path | None = None,
    *,
    seeds: int = 5,
    jobs: int = 0,
    json: Annotated[bool, Parameter(negative=())] = False,
    set: Changes | None = None,
) -> None:
    """Prove that the synthetic rows help: training with them against without, at equal steps, over seeds.

    Ends with exit code 0 where it is better, 4 where it is worse, and 5 where there is no proof. No guard is run.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours.
    folder
        Where it is kept; by default runs/RECIPE-proof. Give it again after a kill, and it goes on.
    seeds
        How many seeds, from 0; three at least.
    jobs
        Runs at a time; by default one a core.
    json
        Print the verdict as JSON instead.
    """
    import sys
    from functools import partial

    from selfsown.compare import prove
    from selfsown.compare.runner import run
    from selfsown.html.report import told

    planned = prove.planned(recipe, set or [], seeds)
    folder = folder or Path("runs") / f"{planned.recipe.name}-proof"
    say = partial(print, file=sys.stderr if json else sys.stdout)
    compared = run(planned, folder, jobs, None, say)
    found = prove.prove(planned, folder, compared)
    prove.show(found, compared, json)
    say(told(folder))
    sys.exit(prove.CODES[found["verdict"]])


def plan(
    real: str = "",
    *,
    options: Annotated[PlanOptions, Parameter(name="*", allow_leading_hyphen=True)],
    plot: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Plan a data budget: the value of repeated real data, and how much synthetic data closes the gap safely.

    Exit codes: 0 the target can be reached, 4 it cannot be reached safely, 5 unknown.

    Parameters
    ----------
    real
        File of real rows whose tokens are counted; or give --tokens.
    plot
        Also write a figure: FILE.png, .svg or .pdf.
    json
        Print JSON instead of text.
    """
    import json as plain
    import sys

    from selfsown.plan import inputs, json_report
    from selfsown.plan import plot as figure
    from selfsown.terminal import plan as terminal

    if plot:
        figure.check_path(plot)
    result = inputs.make_plan(real, options)
    if plot:
        figure.draw(result, plot)
    if json:
        print(plain.dumps(json_report.to_json(result), indent=1))
    else:
        terminal.show(result, terminal.console())
    sys.exit(terminal.EXIT_CODES[result.feasibility])


def audit(
    synthetic: str,
    *,
    against: str,
    options: Annotated[AuditOptions, Parameter(name="*")] = AuditOptions(),  # noqa: B008
    html: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Compare synthetic rows with real ones: variety, bias, form, duplicates, copies, and benchmark contamination.

    Exit codes: 0 no difference exceeds its tolerance and every check had power, 4 a difference does or a row contains a
    benchmark question, 5 inconclusive.

    Parameters
    ----------
    synthetic
        A file of rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library, or FOLDER:SPLIT.
    against
        The real rows, likewise.
    html
        Also write an HTML page: FILE.html.
    json
        Print JSON instead of text.
    """
    import json as plain
    import sys

    from rich.console import Console

    from selfsown.audit import findings, inputs, json_report
    from selfsown.html import page_path
    from selfsown.terminal import audit as terminal

    if html:
        page_path.check(html)
    result = inputs.run_audit(synthetic, against, options)
    if html:
        from selfsown.html import audit_page

        audit_page.write(result, html)
    if json:
        print(plain.dumps(json_report.to_json(result), indent=1))
    else:
        terminal.show(result, Console(width=None if sys.stdout.isatty() else terminal.PIPE_WIDTH))
    sys.exit(findings.EXIT_CODES[findings.verdict(result)])
