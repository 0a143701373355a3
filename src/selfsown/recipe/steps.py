"""Finding the function that a recipe names and setting its knobs.

The file is the way, the function is the verb: `exact` under `grade` is `selfsown.grade.exact.grade`. A way
is looked for in three places: ours, a `./file.py` beside the recipe, any module that can be imported.
What a function takes by position is given by the loop, by name (the roles); what it takes by keyword only
is a knob, with its default in the signature.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from selfsown.errors import SelfsownError, suggest

Kind = TypeVar("Kind")

# Each verb, in the order of the loop: the name of its function, and the roles that the loop can fill.
STAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "tasks": ("Task", ()),
    "prepare": ("prepare", ("rows",)),
    "models": ("create", ("rows", "seed", "journal", "role")),
    "generate": ("generate", ("rows", "real", "teacher", "task", "level", "generation", "seed")),
    "grade": ("grade", ("rows", "judge", "teacher", "task", "real", "seed")),
    "curate": ("curate", ("rows", "task", "real", "held_out", "past", "grader_count", "seed")),
    "mix": ("mix", ("real", "synthetic")),
    "train": ("train", ("mixture", "parent", "seed", "tick", "teacher", "grader")),
    "evaluate": ("evaluate", ("model", "held_out", "task", "seed")),
    "guard": ("guard", ("history", "made", "kept", "real", "held_out", "task", "goal", "written", "baselines")),
}

_EXTRAS = {"torch": "'selfsown[tiny]'", "safetensors": "'selfsown[tiny]'", "aiohttp": "'selfsown[endpoint]'"}


@dataclass(frozen=True)
class Step:
    """One way of one verb with its knobs set; calling it fills the roles it asks for."""

    stage: str
    method: str
    function: Callable[..., Any] = field(compare=False, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, **roles: Any) -> Any:
        wanted = [name for name in parameters(self.function) if name in roles and name not in self.options]
        return self.function(**{name: roles[name] for name in wanted}, **self.options)

    @property
    def name(self) -> str:
        return f"{self.stage}.{self.method}"

    def collect(self, kind: type[Kind], **roles: Any) -> list[Kind]:
        """All that the function yields, each of this kind."""
        return list(self.stream(kind, **roles))

    def stream(self, kind: type[Kind], **roles: Any) -> Iterator[Kind]:
        """The same, one by one, as they are asked for."""
        with self._blamed():
            for item in self(**roles):
                yield self._check(item, kind)

    def one(self, kind: type[Kind], **roles: Any) -> Kind:
        """What the function returns, of this kind."""
        with self._blamed():
            found = self(**roles)
        return self._check(found, kind)

    def _check(self, found: Any, kind: type[Kind]) -> Kind:
        if not isinstance(found, kind):
            raise SelfsownError(f"{self.name} gave a {type(found).__name__}; it must give a {kind.__name__}")
        return found

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """What a user's own way raises is the user's to mend: place and reason, in one line."""
        try:
            yield
        except SelfsownError:
            raise
        except Exception as error:
            if self.function.__module__.startswith("selfsown."):
                raise
            at = traceback.extract_tb(error.__traceback__)[-1]
            said = f"{type(error).__name__}: {error}"
            raise SelfsownError(f"{self.name} failed: {said} ({Path(at.filename).name}:{at.lineno})") from error

    def dump(self) -> Any:
        """As a recipe writes it."""
        return {self.method: dict(self.options)} if self.options else self.method


def step(verb: str, way: str, knobs: Mapping[str, Any] | None = None, beside: Path = Path(), key: str = "") -> Step:
    """The step that a recipe means under this key; SelfsownError names what there is where it fits nothing."""
    function = find(verb, way, beside)
    place = f"{key or verb}.{way}"
    checked = {name: _option(verb, place, function, name, value) for name, value in (knobs or {}).items()}
    made = Step(verb, way, function, checked)
    given = STAGES[verb][1]
    for name, parameter in parameters(function).items():
        needed = parameter.default is parameter.empty and name not in checked
        if needed and (verb == "tasks" or parameter.kind is parameter.KEYWORD_ONLY):
            raise SelfsownError(f"{place} needs {name}: write {way}: {{{name}: …}}")
        if needed and name not in given:
            raise SelfsownError(
                f"{place} asks for {name!r}, which {verb} is not given; it is given: {', '.join(given)}"
            )
    return made


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def options(verb: str, function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a recipe may set: keyword-only arguments, and all the fields of a world."""
    only = inspect.Parameter.KEYWORD_ONLY
    return {n: p for n, p in parameters(function).items() if p.kind is only or verb == "tasks"}


def methods(verb: str) -> list[str]:
    """The ways that we ship."""
    package = importlib.import_module(f"selfsown.{verb}")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def find(verb: str, way: str, beside: Path = Path()) -> Callable[..., Any]:
    """The verb's function in the way's file."""
    if way.endswith(".py"):
        module = _from_file(verb, beside / way)
    elif way in methods(verb):
        module = _ours(verb, way)
    elif "." in way:
        module = _imported(verb, way)
    else:
        raise SelfsownError(f"{verb}: there is nothing called {way!r}{suggest(way, methods(verb))}")
    wanted = STAGES[verb][0]
    for name in (wanted, "load") if verb == "models" else (wanted,):
        if not callable(getattr(module, name, None)):
            raise SelfsownError(f"{verb}: {way} has no function {name!r}; the file is the way, the function the verb")
    return getattr(module, wanted)  # type: ignore[no-any-return]


def _ours(verb: str, way: str) -> Any:
    try:
        return importlib.import_module(f"selfsown.{verb}.{way}")
    except ModuleNotFoundError as error:
        hint = f"pip install {_EXTRAS.get(error.name or '', error.name)}"
        raise SelfsownError(f"{verb}.{way} needs the package {error.name}, which is not installed: {hint}") from error


def _from_file(verb: str, path: Path) -> Any:
    if not path.exists():
        raise SelfsownError(f"{verb}: there is no file {path}; a way of your own lies beside its recipe")
    spec = importlib.util.spec_from_file_location(
        f"selfsown_user{path.resolve().with_suffix('')}".replace("/", "_"), path
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SelfsownError(f"{verb}: {path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _imported(verb: str, way: str) -> Any:
    try:
        return importlib.import_module(way)
    except (ImportError, TypeError, ValueError) as error:
        raise SelfsownError(
            f"{verb}: {way!r} cannot be imported: {error}; ours are: {', '.join(methods(verb))}"
        ) from error


def _option(verb: str, place: str, function: Callable[..., Any], name: str, value: Any) -> Any:
    there = options(verb, function)
    if name not in there:
        raise SelfsownError(f"{place} has no option {name!r}{suggest(name, list(there))}")
    typed = function if inspect.isfunction(function) else function.__init__
    return fitted(f"{place}.{name}", value, get_type_hints(typed, include_extras=True).get(name, Any))


def fitted(place: str, value: Any, hint: Any) -> Any:
    """The value as the type wants it, or an error that says what was written and what fits."""
    try:
        return TypeAdapter(hint).validate_python(tuple(value) if isinstance(value, list) else value, strict=True)
    except ValidationError as error:
        wanted = error.errors()[0]["msg"].removeprefix("Input should be ")
        raise SelfsownError(f"{place} is {value!r}; it should be {wanted}{_remedy(value)}") from error


def _remedy(value: Any) -> str:
    """YAML reads a number in quotes, or with an exponent but no point, as text."""
    try:
        number = repr(int(value) if value.isdigit() else float(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""
    pointed = number if "." in number else number.replace("e", ".0e")
    return f"; YAML reads it as text: write {pointed}" if number else ""
