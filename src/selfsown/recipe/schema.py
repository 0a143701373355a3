"""A JSON Schema of recipes, for editors: made of the recipe's keys and the signatures of all shipped methods."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError

from selfsown.errors import RecipeError
from selfsown.recipe.keys import LIST_KEYS, STEP_STAGES, RecipeKeys
from selfsown.recipe.recipe import DEFAULTS
from selfsown.recipe.steps import find, methods, option_types, options
from selfsown.records import JsonObject
from selfsown.stage_names import STUDENT_OBJECTIVES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
CUSTOM_METHOD = r"^(.*\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)+)$"  # a file beside the recipe, or a module


def json_schema() -> JsonObject:
    """The schema of a recipe's YAML (JSON Schema, draft 2020-12).

    Unknown keys, methods and options are refused, and options of another type; custom methods may have any options.
    Methods whose optional package is not installed may, too.
    """
    types = get_type_hints(RecipeKeys, include_extras=True)
    descriptions = _key_descriptions()
    properties: JsonObject = {}
    for field in fields(RecipeKeys):
        key = field.name
        if key in STEP_STAGES:
            schema: JsonObject = {"anyOf": [_reference(STEP_STAGES[key]), {"type": "null"}]}
        elif key in LIST_KEYS:
            step = _reference(key)
            schema = {"anyOf": [{"type": "array", "items": step}, step, {"type": "null"}]}
        else:
            schema = {**_type_schema(types[key]), "default": DEFAULTS[key]}
        properties[key] = {**schema, "description": descriptions[key]}
    stages = dict.fromkeys([*STEP_STAGES.values(), *LIST_KEYS])
    return {
        "$schema": DRAFT,
        "title": "selfsown recipe",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": {stage: _stage_schema(stage) for stage in stages},
    }


def _reference(stage: str) -> JsonObject:
    return {"$ref": f"#/$defs/{stage}"}


def _stage_schema(stage: str) -> JsonObject:
    """A step of the stage: the name of a method, or METHOD: {OPTION: value}."""
    shipped = sorted({*methods(stage), *(method for package in _packages(stage) for method in methods(stage, package))})
    names: list[JsonObject] = [{"enum": shipped}, {"type": "string", "pattern": CUSTOM_METHOD}]
    any_options = {"type": ["object", "null"]}
    with_options: JsonObject = {
        "type": "object",
        "properties": {method: _of_all_students(stage, method) for method in shipped},
        "patternProperties": {CUSTOM_METHOD: any_options},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    if stage == "tasks":  # the file of real rows may stand for its task
        names.append({"type": "string", "pattern": r"[./\\]"})
        with_options["additionalProperties"] = any_options
    return {"anyOf": [*names, with_options]}


def _packages(stage: str) -> list[str]:
    """The packages in which students have methods of their own for this stage."""
    return [f"selfsown.models.{name}.objectives" for name in STUDENT_OBJECTIVES] if stage == "train" else []


def _of_all_students(stage: str, method: str) -> JsonObject:
    """The options of a shipped method; of a training objective, as each kind of student has it."""
    packages = [package for package in ("", *_packages(stage)) if method in methods(stage, package)]
    schemas = [_method_schema(stage, method, package) for package in packages]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _method_schema(stage: str, method: str, package: str) -> JsonObject:
    """The options of a shipped method, of its signature."""
    try:
        function = find(stage, method, package=package)
    except RecipeError:  # it needs an optional package that is not installed
        return {"type": ["object", "null"]}
    types = option_types(function)
    properties: JsonObject = {}
    required: list[str] = []
    for name, parameter in options(stage, function).items():
        schema = _type_schema(types.get(name, Any))
        if parameter.default is parameter.empty:
            required.append(name)
        elif isinstance(parameter.default, str | int | float | bool | None):
            schema["default"] = parameter.default
        properties[name] = schema
    module = sys.modules[f"{package or f'selfsown.{stage}'}.{method}"]
    documentation = [inspect.getdoc(module), inspect.getdoc(function)]
    description = "\n\n".join(text for text in documentation if text)
    schema = {"description": description, "properties": properties, "additionalProperties": False}
    if required:
        return {**schema, "type": "object", "required": required}
    return {**schema, "type": ["object", "null"]}


def _type_schema(hint: Any) -> JsonObject:
    """The schema of a value of this type; lists stand for tuples, as in YAML."""
    try:
        return TypeAdapter(hint).json_schema(ref_template="#/$defs/{model}")
    except PydanticSchemaGenerationError:
        return {}


def _key_descriptions() -> dict[str, str]:
    """The line of documentation under each field of the recipe."""
    (definition,) = ast.parse(inspect.getsource(RecipeKeys)).body
    assert isinstance(definition, ast.ClassDef)
    descriptions: dict[str, str] = {}
    for node, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert isinstance(below, ast.Expr)
            assert isinstance(below.value, ast.Constant)
            descriptions[node.target.id] = str(below.value.value)
    return descriptions
