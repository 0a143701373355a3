"""The commands: run, explain, list, check."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from selfsown import __version__
from selfsown.records import SelfsownError

app = App(
    name="selfsown",
    version=__version__,
    help="A model writes its own training data, grades it, learns, and proves it got better.",
)

Changes = Annotated[
    list[str], Parameter(name="--set", help="Change the recipe: seed=1, real=FILE, train.tiny.steps=100.", negative=())
]


@app.command
def run(recipe: str, folder: Path | None = None, *, set: Changes | None = None) -> None:
    """Run a recipe, or go on where it was left.

    Parameters
    ----------
    recipe
        The name of a ready recipe (see `selfsown list`) or a YAML file of yours.
    folder
        Where the run is kept; by default runs/RECIPE. Give it again after a kill, and the run goes on.
    """
    from rich.console import Console
    from rich.markup import escape

    from selfsown import loop, screen
    from selfsown.recipe import Recipe

    loaded = Recipe.load(recipe, set or [])
    folder = folder or Path("runs") / loaded.name
    watch = screen.Screen(loaded, Console())
    watch.say(escape(f"{loaded.name}: {loaded.about}\nkept in {folder}"))
    with watch.progress:
        history = loop.run(loaded, folder, watch)
    watch.end_of_run(history, folder)


@app.command
def check(recipe: str, *, set: Changes | None = None) -> None:
    """Say whether a recipe is sound, and print it as it would run.

    Parameters
    ----------
    recipe
        The name of a ready recipe or a YAML file of yours.
    """
    import yaml

    from selfsown.recipe import Recipe
    from selfsown.rehearsal import rehearsed

    loaded = Recipe.load(recipe, set or [])
    rehearsed(loaded, loaded.real())
    print(yaml.safe_dump(loaded.dump(), sort_keys=False, allow_unicode=True, width=100), end="")


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
    from selfsown.explain import story

    print(story(folder, row))


@app.command(name="list")
def list_() -> None:
    """List the ready recipes and every way of every verb, in the loop's order, with its knobs."""
    from selfsown.catalogue import catalogue

    print(catalogue())


def main() -> None:
    """The entry point: a user's mistake is one line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show an arrow
    try:
        app(exit_on_error=False, print_error=False)
    except BrokenPipeError:  # `selfsown list | head`
        sys.stderr.close()
        sys.exit(0)
    except (SelfsownError, CycloptsError, OSError) as error:
        print(f"selfsown: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("selfsown: stopped; give the same command again and the run goes on", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
