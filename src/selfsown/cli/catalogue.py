"""The commands about what a recipe may name: list and schema."""

from __future__ import annotations


def list_methods() -> None:
    """List the shipped recipes and every method of every stage with its options, in the loop's order."""
    from selfsown.terminal.catalogue import catalogue

    print(catalogue())


def schema() -> None:
    """Print the JSON Schema of recipes, for editors and other tools."""
    import json

    from selfsown.recipe.schema import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
