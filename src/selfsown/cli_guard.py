"""The commands that say what is safe: plan, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from selfsown.audit.wish import Wish as Audited
from selfsown.plan.wish import Wish


def plan(
    real: str = "",
    *,
    wish: Annotated[Wish, Parameter(name="*")],
    plot: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Peak data: what your real data is still worth, and how much synthetic data closes the gap safely.

    Ends with exit code 0 where the target can be reached, 4 where it cannot safely, and 5 where nobody can say.

    Parameters
    ----------
    real
        A file of real rows, to be counted at four characters a token; or say --tokens.
    plot
        Draw it: FILE.png, .svg or .pdf.
    json
        Print it as JSON instead.
    """
    import json as plain
    import sys

    from rich.console import Console

    from selfsown.plan import drawn, given, shown

    found = given.planned(real, wish)
    if plot:
        drawn.draw(found, plot)
    if json:
        print(plain.dumps(shown.data(found), indent=1))
    else:
        shown.show(found, Console())
    sys.exit({"no": 4, "perhaps": 5}.get(found.reach, 0))


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
        A file of rows (JSON lines, CSV, Parquet, text …), or a folder of the `datasets` library.
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

    from selfsown.audit import given, shown, told

    found = given.audited(synthetic, against, wish)
    if page:
        given.paged(found, page)
    if json:
        print(plain.dumps(told.data(found), indent=1))
    else:
        shown.show(found, Console())
    sys.exit(told.CODES[told.verdict(found)])
