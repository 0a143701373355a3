"""The command attack: wrong answers that are made to pass a grader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from selfsown.cli.options import AsJson, Changes, check_row_count, with_progress
from selfsown.errors import SelfsownError
from selfsown.html import page_path

if TYPE_CHECKING:
    from selfsown.attack.results import Attack

GRADER = """With a recipe, the one of its graders to attack. Alone: a method (math_equal), a file (./mine.py), or a
reward function for TRL (./rewards.py:accuracy)."""
ROWS = "The maximum number of rows; at most 5 for a grader that asks a model."
MIN_SCORE = "Without a recipe: the score or reward from which an answer is accepted."
SEED = "Draws the rows and the combinations."
HTML = "Also write an HTML page: FILE.html."
WHAT = "attack takes a recipe, or one grader: --grader NAME, ./FILE.py or ./FILE.py:FUNCTION"


def attack(
    recipe: str = "",
    folder: Path | None = None,
    *,
    grader: Annotated[str, Parameter(help=GRADER)] = "",
    rows: Annotated[int, Parameter(help=ROWS)] = 20,
    min_score: Annotated[float, Parameter(help=MIN_SCORE)] = 0.5,
    seed: Annotated[int, Parameter(help=SEED)] = 0,
    html: Annotated[Path | None, Parameter(help=HTML)] = None,
    as_json: AsJson = False,
    changes: Changes | None = None,
) -> None:
    """Try graders on wrong answers that are made to pass, and on right ones in other notations.

    Exit codes: 0 no wrong answer passed, 4 one did, 5 too little could be tried.

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file; without one, name a grader.
    folder
        The folder of attack.json and of a judge's replies: that of `run` or `make`.
    """
    import sys

    check_row_count(rows)
    if not recipe and not grader:
        raise SelfsownError(WHAT)
    if html:
        page_path.check(html, packages=("jinja2",))
    if recipe:
        result = with_progress(_of_recipe, recipe, changes or [], folder, grader, rows, seed)
    else:
        result = with_progress(_of_one, grader, rows, seed, min_score)
    _report(result, folder if recipe else None, html, as_json)
    sys.exit(result.code)


def _of_recipe(source: str, changes: list[str], folder: Path | None, grader: str, rows: int, seed: int) -> Attack:
    from selfsown.attack.graders import attack_recipe
    from selfsown.recipe.recipe import Recipe

    return attack_recipe(Recipe.load(source, changes), folder, grader, rows, seed)


def _of_one(grader: str, rows: int, seed: int, min_score: float) -> Attack:
    from selfsown.attack.graders import attack_one

    return attack_one(grader, rows, seed, min_score)


def _report(result: Attack, folder: Path | None, html: Path | None, as_json: bool) -> None:
    """The page, and the result as a table or as JSON."""
    from json import dumps

    from rich.console import Console

    from selfsown.terminal import attack as terminal

    if html:
        from selfsown.html import attack_page

        attack_page.write(result, html)
    if as_json:
        print(dumps(result.to_json(), indent=1, ensure_ascii=False))
    else:
        terminal.show(result, folder, Console())
