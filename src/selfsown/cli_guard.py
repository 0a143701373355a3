"""The commands that say what is safe: plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

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
