"""The commands about what a recipe may name: list, show and schema."""

from __future__ import annotations

from selfsown.cli.options import AsJson, Changes


def list_methods(name: str = "", *, as_json: AsJson = False) -> None:
    """List the shipped recipes and the methods of every stage; or describe one of them with all its options.

    Parameters
    ----------
    name
        recipes, keys (of a recipe), a stage such as grade, a recipe, a method (judge, grade.judge), or your FILE.py.
    """
    import json
    import sys

    from selfsown.terminal import catalogue

    listing = catalogue.find(name, with_options=as_json)
    if as_json:
        print(json.dumps(listing.to_json(), indent=1, ensure_ascii=False))
    else:
        print(catalogue.show(listing, sys.stdout.isatty()))


def show(recipe: str, *, changes: Changes | None = None) -> None:
    """Print the YAML of a recipe, to begin one of your own: selfsown show answers > mine.yaml

    Parameters
    ----------
    recipe
        The name of a shipped recipe or your YAML file.
    """
    from selfsown.recipe.show import changed_text

    print(changed_text(recipe, changes or []), end="")


def schema() -> None:
    """Print the JSON Schema of recipes, for editors and other tools."""
    import json

    from selfsown.recipe.schema import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
