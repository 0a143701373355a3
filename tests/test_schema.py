"""The JSON Schema of recipes accepts what loads, and refuses what does not."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.schema import json_schema


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_every_shipped_recipe_is_valid(name: str, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(yaml.safe_load(shipped_recipes()[name]))


@pytest.mark.parametrize(
    "changes",
    [
        {"grade": "./mine.py"},
        {"grade": [{"./mine.py": {"word": "please"}}, "their_package.polite"]},
        {"real": "rows.jsonl"},
        {"prepare": None, "generate": []},
        {"teacher": {"endpoint": {"url": "http://localhost:8000/v1", "model": "m"}}},
    ],
)
def test_custom_methods_and_files_are_valid(
    changes: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    validator.validate(yaml.safe_load(shipped_recipes()["first"]) | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"gaurd": "regression"},
        {"generate": "propse"},
        {"generate": [{"propose": {"cuont": 5}}]},
        {"train": [{"sft": {"steps": "many"}}]},
        {"train": [{"sft": {"steps": 0}}]},
        {"init_from": "last"},
        {"seed": "one"},
        {"teacher": {"endpoint": {"url": "http://localhost:8000/v1"}}},
        {"grade": [{"verify": {}, "rules": {}}]},
    ],
)
def test_unknown_names_and_wrong_types_are_refused(
    changes: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    recipe = yaml.safe_load(shipped_recipes()["first"])
    assert validator.is_valid(recipe)
    assert not validator.is_valid(recipe | changes)


def test_every_key_is_described() -> None:
    properties = json_schema()["properties"]
    assert all(schema["description"].endswith(".") for schema in properties.values())
