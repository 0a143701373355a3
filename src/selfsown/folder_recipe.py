"""The recipe in a run folder: written once, and required to be the same whenever the folder is opened again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from selfsown.atomic import write_atomically
from selfsown.environment import environment
from selfsown.errors import RunFolderError, one_line
from selfsown.recipe.recipe import DEFAULTS, SERVERS
from selfsown.recipe.steps import Step
from selfsown.records import Json, JsonObject

TRANSPORT_OPTIONS = {  # of a model behind a server: those that do not change its replies
    *("api_key", "max_in_flight", "timeout", "retries", "requests_per_minute"),
    *("tokens_per_minute", "price", "batch", "headers", "identity"),
}
KEYS_THAT_MAY_CHANGE = {
    *("description", "budget", "control", "engine", "generations", "grader_requirements", "keep_models")
}


def parsed(path: Path, read: Callable[[bytes], Any]) -> Any:
    """The content of a file that we wrote; RunFolderError where it is damaged."""
    with damage_explained(path):
        return read(path.read_bytes())


@contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """RunFolderError where a file that we wrote cannot be read."""
    try:
        yield
    except Exception as error:
        raise RunFolderError(
            f"{path} is damaged ({one_line(error)}); delete it and run the same command again"
        ) from error


def check_kind(folder: Path, remake: bool) -> None:
    """RunFolderError where a folder of `run` is given to `make`, or the reverse. A file marks those of `make`."""
    mark = folder / ".make"
    if remake and not mark.exists() and not (folder / "recipe.yaml").exists():
        write_atomically(mark, lambda path: path.write_text("", encoding="utf-8"))
    if remake != mark.exists():
        kind, other = ("run", "make") if remake else ("make", "run")
        raise RunFolderError(f"{folder} is a folder of `{kind}`; name another for `{other}`")


def check_recipe(folder: Path, recipe: Mapping[str, Json], steps: Sequence[Step], remake: bool) -> None:
    """Write the recipe and its custom methods into a new folder; in an old one, require that they are the same.

    More generations, another budget and other transport options of a server are allowed. The recipe of an older
    version lacks newer keys; they have their defaults.
    """
    for partial in folder.rglob(".*.partial"):
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
    path = folder / "recipe.yaml"
    before = parsed(path, yaml.safe_load) if path.exists() and not remake else recipe
    for key in sorted({*before, *recipe} - KEYS_THAT_MAY_CHANGE):
        old, new = (without_transport(values.get(key, DEFAULTS.get(key))) for values in (before, recipe))
        if old != new:
            raise RunFolderError(
                f"{folder} is the folder of another recipe: {key} was {old!r} and is now {new!r}; name another folder"
            )
    if recipe.get("generations", 0) < before.get("generations", 0):
        raise RunFolderError(
            f"{folder} was started with {before['generations']} generations; it can have more, not fewer"
        )
    text = yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True, width=100)
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    for step in {step.method: step for step in steps}.values():
        _keep_source(folder, step, remake)
    if remake or not (folder / "environment.json").exists():
        described = environment()
        write_atomically(folder / "environment.json", lambda partial: partial.write_text(described, encoding="utf-8"))


def without_transport(value: Any) -> Any:
    """A recipe's value without what does not change the rows: how a server is asked. `identity` replaces its url."""
    if not isinstance(value, dict) or not {*value} <= {*SERVERS}:
        return value
    return {method: _reply_options(options) for method, options in value.items()}


def _reply_options(options: Mapping[str, Json]) -> JsonObject:
    kept = {name: value for name, value in options.items() if name not in TRANSPORT_OPTIONS}
    return kept | ({"url": options["identity"]} if options.get("identity") else {})


def _keep_source(folder: Path, step: Step, remake: bool) -> None:
    """Keep a copy of a custom method where the folder's recipe finds it; RunFolderError where it has changed."""
    source = step.source()
    if source is None:
        return
    path = Path(step.method)
    if path.suffix != ".py":
        path = Path(f"function-{step.method}.py")
    copied = folder / (path.name if path.is_absolute() or ".." in path.parts else path)
    if not remake and copied.exists() and copied.read_bytes() != source:
        raise RunFolderError(f"{step.method} has changed since this run began; name another folder, or restore it")
    write_atomically(copied, lambda partial: partial.write_bytes(source))
