"""The run folder: everything that a run knows, written so that a kill at any moment loses no finished work.

    recipe.yaml  real.parquet  held_out.parquet  log.jsonl  replies.sqlite
    generation-00/ model/ generation.json
    generation-01/ rows.parquet model/ generation.json      … and so on
    control/ generation-00/ …                               real rows alone, if the recipe asks for a control
    best/  result.json

A file or model appears under its name only when it is complete. All but log.jsonl, environment.json and replies.sqlite
is the same, byte for byte, whenever the same recipe runs with the same seed.
"""

from __future__ import annotations

import copy
import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock
import pyarrow
import yaml

from selfsown.atomic import atomic_path, delete_new_folder, explain_os_errors, write_atomically
from selfsown.errors import RunFolderError, SelfsownError, one_line
from selfsown.files.row_parquet import RowWriter, StoredRows, read_table, rows_from_table
from selfsown.recipe.recipe import DEFAULTS, SERVERS
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Json, JsonObject, Row, Score, Signal, Verdict
from selfsown.run_folders import suggest_folder
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import folder_budget
from selfsown.version import __version__

PREVIEW = "preview_rows"  # the file of the rows of the last preview
CONTROL = "control"  # the folder of the control arm, within a run's folder
TRANSPORT_OPTIONS = {  # of a model behind a server: those that do not change its replies
    *("api_key", "max_in_flight", "timeout", "retries", "requests_per_minute"),
    *("tokens_per_minute", "price", "batch", "headers", "identity"),
}
KEYS_THAT_MAY_CHANGE = {"description", "budget", "control", "generations", "grader_requirements"}


class RunFolder:
    """One run's folder. `RunFolder.locked` opens it for writing, the constructor for reading.

    Methods that read raise RunFolderError where a file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, Journal(folder / "replies.sqlite")
        if not (folder / "recipe.yaml").exists():
            raise RunFolderError(f"{folder} is not a run folder: it has no recipe.yaml{suggest_folder(folder)}")

    @classmethod
    @contextmanager
    def locked(
        cls, folder: Path, recipe: Mapping[str, Json], steps: Sequence[Step], *, remake: bool = False
    ) -> Iterator[RunFolder]:
        """The folder, new or to be resumed, for one process at a time.

        remake: the recipe may change, because everything in the folder but the replies is computed again; a new folder
        is deleted if an error ends the work before anything was paid. Raises
        RunFolderError where the folder is of another recipe, in use, or no run folder.
        """
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        with explain_os_errors(folder):
            if folder.exists() and not folder.is_dir():
                raise RunFolderError(f"{folder} is a file; name a folder for the run")
            if folder.exists() and not _is_run_or_empty(folder):
                raise RunFolderError(f"{folder} holds other files and no run; name a new or an empty folder")
            folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(folder / ".lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout as error:
                raise RunFolderError(
                    f"another process is using {folder}; wait for it, or name another folder"
                ) from error
        with lock:
            _same_kind(folder, remake)
            _same_recipe(folder, recipe, steps, remake or _is_only_calibrated(folder))
            store = cls(folder)
            try:
                store.journal.budget = folder_budget(store.journal, recipe)
                yield store
            except SelfsownError:
                store.journal.close()  # after writing what waits
                if remake and new and not store.journal.may_be_paid():
                    store.journal.close()
                    delete_new_folder(new)
                raise
            finally:
                store.journal.close()

    def recipe(self) -> JsonObject:
        """The folder's recipe, as plain values."""
        return dict(_parsed(self.folder / "recipe.yaml", yaml.safe_load))

    def rows(self, name: str) -> list[Row] | None:
        """The rows written under this name, such as "real" or "generation-01/rows"; None if there are none yet."""
        path = self.folder / f"{name}.parquet"
        return _parsed(path, lambda parquet: rows_from_table(read_table(parquet))) if path.exists() else None

    def table(self, name: str) -> pyarrow.Table | None:
        """The same rows as an Arrow table, which is faster where many are counted and few are read."""
        path = self.folder / f"{name}.parquet"
        return _parsed(path, read_table) if path.exists() else None

    def write_rows(self, name: str, rows: Iterable[Row]) -> None:
        """Write the rows, one at a time; the file appears when all are written."""
        with self.written(name) as writer:
            for row in rows:
                writer.add(row)

    @contextmanager
    def written(self, name: str) -> Iterator[RowWriter]:
        """A writer of rows; the file appears, complete, at the end of the `with` block."""
        path = self.folder / f"{name}.parquet"
        with atomic_path(path) as partial, RowWriter(partial) as writer:
            yield writer

    def forget(self, *names: str) -> None:
        """Delete the files with these names, whatever their suffix."""
        for path in [path for name in names for path in self.folder.glob(f"{name}.*")]:
            path.unlink()

    def stream(self, name: str) -> StoredRows:
        """The rows under this name, read from disk each time they are iterated."""
        return StoredRows(self.folder / f"{name}.parquet")

    def json(self, name: str) -> Any:
        """The value of NAME.json; None if it is not written yet."""
        path = self.folder / f"{name}.json"
        return _parsed(path, json.loads) if path.exists() else None

    def write_json(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(self.folder / f"{name}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def generation(self, number: int, arm: str = "") -> Generation | None:
        """A finished generation; None if it is not finished. arm: CONTROL for one of the control."""
        values = self.json(f"{Path(arm) / generation_dir(number)}/generation")
        if values is None:
            return None
        for name in ("scores", "validation_scores"):
            values[name] = tuple(Score(**score) for score in values.get(name, ()))
        return Generation(**values | {"verdicts": tuple(map(_verdict, values["verdicts"]))})

    def write_generation(self, generation: Generation) -> None:
        self.write_json(f"{generation_dir(generation.number)}/generation", asdict(generation))

    def generations(self, arm: str = "") -> list[Generation]:
        """All finished generations, in order. arm: CONTROL for those of the control."""
        generations: list[Generation] = []
        while generation := self.generation(len(generations), arm):
            generations.append(generation)
        return generations

    def model(self, number: int) -> Path | None:
        """The folder of a generation's model; None if it is not written yet."""
        folder = self.folder / generation_dir(number) / "model"
        return folder if folder.exists() else None

    def control(self, start: Generation) -> RunFolder:
        """The folder of the control within this one, which starts with the same generation 0."""
        control = copy.copy(self)
        control.folder = self.folder / CONTROL
        if not control.model(0):
            source = self.folder / generation_dir(0) / "model"
            control.write_model(0, lambda path: shutil.copytree(source, path))
        if not control.generation(0):
            control.write_generation(start)
        return control

    def write_model(self, number: int, save: Callable[[Path], Any]) -> None:
        write_atomically(self.folder / generation_dir(number) / "model", save)

    def write_best(self, number: int, result: Mapping[str, Json]) -> None:
        """Make `best/` a copy of this generation's model, and write result.json."""
        source = self.folder / generation_dir(number) / "model"
        write_atomically(self.folder / "best", lambda path: shutil.copytree(source, path))
        self.write_json("result", result)

    def log(self, **event: Any) -> None:
        """Append a line to log.jsonl: what happened, when, and how long it took."""
        path = self.folder / "log.jsonl"
        with explain_os_errors(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), **event}) + "\n")


def _parsed(path: Path, read: Callable[[bytes], Any]) -> Any:
    """The content of a file that we wrote; RunFolderError where it is damaged."""
    try:
        return read(path.read_bytes())
    except Exception as error:
        raise RunFolderError(
            f"{path} is damaged ({one_line(error)}); delete it and run the same command again"
        ) from error


def _verdict(values: JsonObject) -> Verdict:
    return Verdict(**{**values, "signals": tuple(Signal(**signal) for signal in values.get("signals", ()))})


def generation_dir(number: int) -> str:
    return f"generation-{number:02d}"


def _is_run_or_empty(folder: Path) -> bool:
    """Whether this is a run folder, or an empty one, even if the run was killed before its first file was complete."""
    return (folder / "recipe.yaml").exists() or all(path.name.startswith(".") for path in folder.iterdir())


def _is_only_calibrated(folder: Path) -> bool:
    """Whether graders were calibrated here and nothing else was begun: then the recipe may still change."""
    return (folder / "calibration.json").exists() and not (folder / "real.parquet").exists()


def _same_kind(folder: Path, remake: bool) -> None:
    """RunFolderError where a folder of `run` is given to `make`, or the reverse. A file marks those of `make`."""
    mark = folder / ".make"
    if remake and not mark.exists() and not (folder / "recipe.yaml").exists():
        write_atomically(mark, lambda path: path.write_text("", encoding="utf-8"))
    if remake != mark.exists():
        kind, other = ("run", "make") if remake else ("make", "run")
        raise RunFolderError(f"{folder} is a folder of `{kind}`; name another for `{other}`")


def _same_recipe(folder: Path, recipe: Mapping[str, Json], steps: Sequence[Step], remake: bool) -> None:
    """Write the recipe and its custom methods into a new folder; in an old one, require that they are the same.

    More generations, another budget and other transport options of a server are allowed. The recipe of an older
    version lacks newer keys; they have their defaults.
    """
    for partial in folder.rglob(".*.partial"):
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
    path = folder / "recipe.yaml"
    before = _parsed(path, yaml.safe_load) if path.exists() and not remake else recipe
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
        environment = _environment()
        write_atomically(folder / "environment.json", lambda partial: partial.write_text(environment, encoding="utf-8"))


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


def _environment() -> str:
    """What decides whether the same bytes come out, as JSON: versions, machine, threads."""
    torch = sys.modules.get("torch")
    versions = {"selfsown": __version__, "python": platform.python_version(), "machine": platform.machine()}
    if torch:
        versions |= {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
    return json.dumps(versions, indent=1) + "\n"
