"""Find the method that a recipe names, and set its options.

The file is the method, the function is the stage: `exact_match` under `grade` is `selfsown.grade.exact_match.grade`.
A method is a shipped one, a `./file.py` beside the recipe, a module that can be imported, or a function passed in
from Python. Its positional arguments are inputs, which the engine fills by name (`recipe/inputs.py`); its
keyword-only arguments are options, with types and defaults in the signature.

A file may declare `REQUIRES = {"verifiable"}`, what the method needs of the rest of the recipe
(`recipe/requirements.py`), and that `rows` need not fit into memory: `STREAMS = True`, it reads them one at a time;
for a curator `REREADS = True`, it does so more than once, and takes none by its index.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from selfsown.errors import RecipeError, SelfsownError, one_line, suggest
from selfsown.files.functions import load_file
from selfsown.recipe.inputs import STAGES, Inputs
from selfsown.recipe.servers import check_model
from selfsown.recipe.values import validated
from selfsown.records import Json, JsonObject
from selfsown.usage.journal import Journal

Kind = TypeVar("Kind")
Function = Callable[..., Any]

FUNCTION = "function:"  # before the name of a function that was passed in from Python, in a dumped recipe
_EXTRAS = {
    "ray": "'selfsown[ray]'",
    "torch": "'selfsown[tiny]'",
    "safetensors": "'selfsown[tiny]'",
    "aiohttp": "'selfsown[endpoint]'",
    **dict.fromkeys(("transformers", "trl", "peft", "accelerate", "datasets"), "'selfsown[hf]'"),
}


@dataclass(frozen=True)
class Step:
    """A method of a stage with its options; calling it passes the inputs that it asks for."""

    stage: str
    method: str
    function: Function = field(compare=False, repr=False)
    options: Mapping[str, Json] = field(default_factory=dict)
    module: ModuleType | None = field(default=None, compare=False, repr=False)  # None: passed in as a function

    def __call__(self, **inputs: Any) -> Any:
        names = [name for name in parameters(self.function) if name in inputs and name not in self.options]
        return self.function(**{name: inputs[name] for name in names}, **self.options)

    @property
    def name(self) -> str:
        return f"{self.stage}.{self.method}"

    @property
    def requires(self) -> frozenset[str]:
        """What the method declares that it needs of the rest of the recipe."""
        return frozenset(getattr(self.module, "REQUIRES", ()))

    @property
    def streams(self) -> bool:
        """Whether the method declares that it reads its rows one at a time."""
        return bool(getattr(self.module, "STREAMS", False))

    @property
    def rereads(self) -> bool:
        """Whether the method declares that it reads its rows one at a time, more than once."""
        return bool(getattr(self.module, "REREADS", False))

    @property
    def decontaminates(self) -> bool:
        """Whether the method declares (DECONTAMINATES = True) that it rejects rows which have held-out questions."""
        return bool(getattr(self.module, "DECONTAMINATES", False))

    @property
    def is_remote(self) -> bool:
        """Whether it is a model behind a server, which can be asked but not trained."""
        return bool(getattr(self.module, "REMOTE", False))

    @property
    def objectives(self) -> str:
        """The package of the training objectives of a student that has its own; "" for selfsown.train."""
        return getattr(self.module, "OBJECTIVES", "")

    @property
    def role_options(self) -> tuple[str, ...]:
        """Options that a model needs in the role of teacher or judge."""
        return getattr(self.module, "ROLE_OPTIONS", ())

    def takes(self, *names: str) -> bool:
        """Whether the method asks for any of these inputs or options."""
        return any(name in parameters(self.function) for name in names)

    def option(self, name: str) -> Any:
        """The option's value: as the recipe sets it, or the default; None where there is no such option."""
        parameter = parameters(self.function).get(name)
        default = parameter.default if parameter and parameter.default is not parameter.empty else None
        return self.options.get(name, default)

    def load(self, folder: Path, journal: Journal | None = None) -> Any:
        """The model that was saved in the folder, for a step that creates models."""
        assert self.module
        if "journal" in parameters(self.module.load):
            return self.module.load(folder, journal, **self.options)
        return self.module.load(folder)

    def source(self) -> bytes | None:
        """The source of a custom method, for a file or a function; None for a method of an installed package."""
        if self.method.endswith(".py"):
            return Path(inspect.getsourcefile(self.function) or self.method).read_bytes()
        if self.module or not self.stage:
            return None
        try:
            return inspect.getsource(self.function).encode()
        except (OSError, TypeError):  # typed in a terminal: its code then stands for it
            code = getattr(self.function, "__code__", None)
            return repr((code.co_code, code.co_consts, code.co_names)).encode() if code else self.method.encode()

    def collect(self, kind: type[Kind], inputs: Inputs) -> list[Kind]:
        """All items that the method yields; RecipeError where one is not of this kind."""
        return list(self.stream(kind, inputs))

    def stream(self, kind: type[Kind], inputs: Inputs) -> Iterator[Kind]:
        """The same items, one at a time."""
        with self._blamed():
            for item in self(**inputs.available()):
                yield self._checked(item, kind)

    def one(self, kind: type[Kind], inputs: Inputs) -> Kind:
        """What the method returns; RecipeError where it is not of this kind."""
        with self._blamed():
            result = self(**inputs.available())
        return self._checked(result, kind)

    def _checked(self, result: Any, kind: type[Kind]) -> Kind:
        if not isinstance(result, kind):
            raise RecipeError(f"{self.name} gave a {type(result).__name__}; it must give a {kind.__name__}")
        return result

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """An exception of a custom method is reported with its place and reason in one line."""
        try:
            yield
        except SelfsownError:
            raise
        except Exception as error:
            if self.function.__module__.startswith("selfsown."):
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            raise RecipeError(f"{self.name} failed: {one_line(error)} ({place})") from error

    def dump(self) -> Any:
        """As a recipe writes it; of a function that was passed in, only the name."""
        name = self.method if self.module else FUNCTION + self.method
        return {name: dict(self.options)} if self.options else name


def step(
    stage: str,
    method: str | Function,
    options: Mapping[str, Json] | None = None,
    beside: Path = Path(),
    key: str = "",
    objectives: str = "",
) -> Step:
    """The step that a recipe means.

    method: a name, a `./file.py` in the folder `beside`, a module, or a function. key: the recipe's key, for errors;
    the stage where it is left out. objectives: the package of the student's own training objectives. Raises RecipeError
    where the method or an option does not exist or fit.
    """
    if isinstance(method, str):
        if stage == "models":
            check_model(key or "teacher", method, options or {}, methods(stage))
        module: ModuleType | None = _module(stage, method, beside, objectives)
        name, function = method, getattr(module, STAGES[stage][0])
    else:
        module, name, function = None, getattr(method, "__name__", type(method).__name__), method
    place = f"{key or stage}.{name}"
    checked = {
        option: _checked_option(stage, place, function, option, value) for option, value in (options or {}).items()
    }
    _check_inputs(stage, place, function, checked)
    return Step(stage, name, function, checked, module)


def _check_inputs(stage: str, place: str, function: Function, chosen: Mapping[str, Json]) -> None:
    """RecipeError where a required option is missing, or an input is asked for that the stage does not have."""
    inputs = STAGES[stage][1]
    needed = [name for name, option in options(stage, function).items() if option.default is option.empty]
    if missing := [name for name in needed if name not in chosen]:
        values = ", ".join(f"{name}: {chosen.get(name, '…')}" for name in needed)
        raise RecipeError(f"{place} needs {' and '.join(missing)}: write {place.partition('.')[2]}: {{{values}}}")
    for name, parameter in parameters(function).items():
        if parameter.default is not parameter.empty or name in chosen:
            continue
        if name not in inputs:
            raise RecipeError(
                f"{place} asks for {name!r}, which is no input of {stage}; available: {', '.join(inputs)}"
            )


def parameters(function: Function) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def options(stage: str, function: Function) -> dict[str, inspect.Parameter]:
    """What a recipe may set: keyword-only arguments, and all fields of a task."""
    return {n: p for n, p in parameters(function).items() if p.kind is p.KEYWORD_ONLY or stage == "tasks"}


def option_types(function: Function) -> JsonObject:
    """The types of a method's arguments, with their constraints."""
    typed = function if inspect.isfunction(function) else function.__init__
    return get_type_hints(typed, include_extras=True)


def methods(stage: str, package: str = "") -> list[str]:
    """The shipped methods of a stage, sorted. package: another than the stage's own."""
    folder = importlib.import_module(package or f"selfsown.{stage}")
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


def find(stage: str, method: str, beside: Path = Path(), package: str = "") -> Function:
    """The stage's function in the method's file. RecipeError where there is none."""
    return getattr(_module(stage, method, beside, package), STAGES[stage][0])  # type: ignore[no-any-return]


def _module(stage: str, method: str, beside: Path, package: str = "") -> ModuleType:
    """The method's file, which has the stage's function."""
    shipped = methods(stage, package)
    if method.startswith(FUNCTION):
        name = method.removeprefix(FUNCTION)
        raise RecipeError(
            f"{stage}: {name!r} is a function that was passed in from Python; pass it again, or save it as ./{name}.py"
        )
    if method.endswith(".py"):
        module = _from_file(stage, beside / method)
    elif method in shipped:
        module = _shipped(stage, method, package)
    elif "." in method:
        module = _imported(stage, method)
    else:
        raise RecipeError(f"{stage}: there is no method {method!r}{suggest(method, shipped, f'selfsown list {stage}')}")
    function = STAGES[stage][0]
    for name in (function, "load") if stage == "models" else (function,):
        if not callable(getattr(module, name, None)):
            raise RecipeError(
                f"{stage}: {method} has no function {name!r}; a method of {stage} is a file with a function {name!r}"
            )
    return module


def _shipped(stage: str, method: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(f"{package or f'selfsown.{stage}'}.{method}")
    except ModuleNotFoundError as error:
        command = f"pip install {_EXTRAS.get(error.name or '', error.name)}"
        raise RecipeError(
            f"{stage}.{method} needs the package {error.name}, which is not installed: {command}"
        ) from error


def _from_file(stage: str, path: Path) -> ModuleType:
    if not path.exists():
        raise RecipeError(f"{stage}: there is no file {path}; the file of a custom method lies beside its recipe")
    try:
        return load_file(path)
    except Exception as error:
        raise RecipeError(f"{stage}: {path} cannot be loaded: {one_line(error)}") from error


def _imported(stage: str, method: str) -> ModuleType:
    try:
        return importlib.import_module(method)
    except (ImportError, TypeError, ValueError) as error:
        hint = suggest(method, methods(stage), f"selfsown list {stage}")
        raise RecipeError(f"{stage}: {method!r} cannot be imported: {error}{hint}") from error


def _checked_option(stage: str, place: str, function: Function, name: str, value: Any) -> Any:
    available = options(stage, function)
    if name not in available:
        hint = suggest(name, available, f"selfsown list {place.partition('.')[2]}")
        raise RecipeError(f"{place} has no option {name!r}{hint}")
    return validated(f"{place}.{name}", value, option_types(function).get(name, Any))
