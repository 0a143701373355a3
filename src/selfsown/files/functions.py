"""Functions of the user's own that an option names: `./file.py:name` or `package.module:name`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from selfsown.errors import RecipeError, one_line, suggest


def load_function(name: str, place: str) -> Callable[..., Any]:
    """The function that the name means. place: the option, for errors.

    Raises RecipeError: the file, the module or the function does not exist, or cannot be loaded."""
    path, separator, attribute = name.rpartition(":")
    if not separator or not path or not attribute:
        raise RecipeError(f"{place} is {name!r}; it must be ./file.py:name or package.module:name")
    module = _from_file(Path(path), place) if path.endswith(".py") else _imported(path, place)
    function = getattr(module, attribute, None)
    if not callable(function):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise RecipeError(f"{place}: {path} has no function {attribute!r}{suggest(attribute, public)}")
    return function  # type: ignore[no-any-return]


def blame(error: BaseException) -> str:
    """What a function of the user's own raised, and where, in one line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{one_line(error)} ({Path(frame.filename).name}:{frame.lineno})"


def load_file(path: Path) -> ModuleType:
    """The module of a user's file. Raises whatever the file raises."""
    name = f"selfsown_user{path.resolve().with_suffix('')}".replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _from_file(path: Path, place: str) -> ModuleType:
    path = path.expanduser()
    if not path.exists():
        raise RecipeError(f"{place}: there is no file {path}")
    try:
        return load_file(path)
    except Exception as error:
        raise RecipeError(f"{place}: {path} cannot be loaded: {blame(error)}") from error


def _imported(name: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # of many types, all raised by the module or the packages that it needs
        raise RecipeError(f"{place}: {name} cannot be imported: {one_line(error)}") from error
