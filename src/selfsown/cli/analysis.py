"""The commands that say what helps and what is safe: prove, plan, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from selfsown.audit.options import Wish as Audited
from selfsown.cli.dataset import Changes
from selfsown.plan.options import Wish


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

    from rich.console import Console

    from selfsown.compare import prove
    from selfsown.compare.runner import run
    from selfsown.html.report import write_or_explain
    from selfsown.terminal import comparison

    experiment = prove.plan_proof(recipe, set or [], seeds)
    folder = folder or Path("runs") / f"{experiment.recipe.name}-proof"
    print_line = partial(print, file=sys.stderr if json else sys.stdout)
    result = prove.prove(experiment, folder, run(experiment, folder, jobs, None, print_line))
    assert result.proof
    if json:
        print(result.proof.to_json())
    else:
        comparison.show(result, Console())
    print_line(write_or_explain(folder))
    sys.exit(prove.EXIT_CODES[result.proof.verdict])


def plan(
    real: str = "",
    *,
    wish: Annotated[Wish, Parameter(name="*", allow_leading_hyphen=True)],
    plot: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Peak data: what your real data is still worth, and how much synthetic data closes the gap safely.

    Ends with exit code 0 where the target can be reached, 4 where it cannot safely, and 5 where nobody can say.

    Parameters
    ----------
    real
        A file of real rows, whose characters are counted; or say --tokens.
    plot
        Draw it: FILE.png, .svg or .pdf.
    json
        Print it as JSON instead.
    """
    import json as plain
    import sys

    from selfsown.plan import inputs
    from selfsown.plan import plot as plots
    from selfsown.terminal import plan as terminal

    if plot:
        plots.fits(plot)
    found = inputs.planned(real, wish)
    if plot:
        plots.draw(found, plot)
    if json:
        print(plain.dumps(terminal.data(found), indent=1))
    else:
        terminal.show(found, terminal.console())
    sys.exit(terminal.CODES.get(found.reach, 0))


def audit(
    synthetic: str,
    *,
    against: str,
    wish: Annotated[Audited, Parameter(name="*")] = Audited(),  # noqa: B008
    page: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Hold synthetic rows against real ones: variety, bias, form, copies, and leaks of an examination.

    Ends with exit code 0 where nothing differs by more than is borne, 4 where something does, and 5 where the rows are
    too few to say.

    Parameters
    ----------
    synthetic
        A file of rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library, or FOLDER:SPLIT.
    against
        The real rows, likewise.
    page
        Write it as a page, too: FILE.html.
    json
        Print it as JSON instead.
    """
    import json as plain
    import sys

    from rich.console import Console

    from selfsown.audit import findings, inputs
    from selfsown.terminal import audit as terminal

    inputs.checked(page)
    found = inputs.audited(synthetic, against, wish)
    if page:
        inputs.paged(found, page)
    if json:
        print(plain.dumps(findings.data(found), indent=1))
    else:
        terminal.show(found, Console(width=None if sys.stdout.isatty() else terminal.PIPED))
    sys.exit(findings.CODES[findings.verdict(found)])
