"""The run folder: the only truth on disk, written so that a kill at any moment loses no finished work.

    recipe.yaml  real.parquet  held_out.parquet  log.jsonl  replies.sqlite
    generation-00/ model/ generation.json
    generation-01/ rows.parquet model/ generation.json      … and so on
    control/ generation-00/ …                               real rows alone, if the recipe asks for a control
    best/  result.json

Each file and each model appears under its name only when it is whole. All but log.jsonl, environment.json
and replies.sqlite is the same, byte for byte, whenever the same recipe runs with the same seed.
"""

from __future__ import annotations

import copy
import inspect
import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import pyarrow
import yaml

from selfsown import __version__
from selfsown.atomic import becoming, explained, whole
from selfsown.files.row_parquet import Stored, Writer, rows_of, table
from selfsown.recipe.recipe import DEFAULTS
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Row, Score, SelfsownError, Signal, Verdict
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import folder_budget

CONTROL = "control"  # the folder of the control arm within a run's
SERVED = {"anthropic", "endpoint"}  # models behind a server, and those of their knobs that change no reply:
MANNER = frozenset(
    ("max_in_flight", "timeout", "retries", "requests_per_minute", "tokens_per_minute", "api_key", "price")
)
MANNER |= {"batch", "headers", "identity"}


class RunFolder:
    """One run's folder. `Store.locked` opens it for writing, the constructor for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, Journal(folder / "replies.sqlite")
        if not (folder / "recipe.yaml").exists():
            raise SelfsownError(f"{folder} is not the folder of a run: it has no recipe.yaml")

    @classmethod
    @contextmanager
    def locked(
        cls, folder: Path, recipe: Mapping[str, Any], steps: Sequence[Step], *, remake: bool = False
    ) -> Iterator[RunFolder]:
        """The folder, new or left off, for one process alone; SelfsownError if it is another recipe's.

        remake: the recipe may change, for whatever is in the folder but the replies is made anew.
        """
        with explained(folder):
            if folder.exists() and not folder.is_dir():
                raise SelfsownError(f"{folder} is a file; name a folder for the run")
            if folder.exists() and not _began(folder):
                raise SelfsownError(f"{folder} holds something that is no run; name a new or an empty folder")
            folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(folder / ".lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout as error:
                raise SelfsownError(f"another process is at work in {folder}; wait for it, or name another") from error
        with lock:
            _same_kind(folder, remake)
            _same_recipe(folder, recipe, steps, remake or _only_calibrated(folder))
            store = cls(folder)
            try:
                store.journal.budget = folder_budget(store.journal, recipe)
                yield store
            finally:
                store.journal.close()

    def recipe(self) -> dict[str, Any]:
        """As it stands in the folder, as plain values."""
        return dict(_parsed(self.folder / "recipe.yaml", yaml.safe_load))

    def rows(self, name: str) -> list[Row] | None:
        """The rows written under this name, such as "real" or "generation-01/rows"; None if there are none yet."""
        path = self.folder / f"{name}.parquet"
        return _parsed(path, lambda parquet: rows_of(table(parquet))) if path.exists() else None

    def table(self, name: str) -> pyarrow.Table | None:
        """The same rows as a table, for who counts many and reads few."""
        path = self.folder / f"{name}.parquet"
        return _parsed(path, table) if path.exists() else None

    def write_rows(self, name: str, rows: Iterable[Row]) -> None:
        """They are taken as they come, and are there when all are."""
        with self.written(name) as writer:
            for row in rows:
                writer.add(row)

    @contextmanager
    def written(self, name: str) -> Iterator[Writer]:
        """A file of rows that is there, whole, when the `with` is left."""
        path = self.folder / f"{name}.parquet"
        with becoming(path) as partial, Writer(partial) as writer:
            yield writer

    def forget(self, *names: str) -> None:
        """What stood under these names is no longer true."""
        for path in [path for name in names for path in self.folder.glob(f"{name}.*")]:
            path.unlink()

    def stream(self, name: str) -> Stored:
        """The rows under this name, read anew each time that somebody goes through them."""
        return Stored(self.folder / f"{name}.parquet")

    def json(self, name: str) -> Any:
        path = self.folder / f"{name}.json"
        return _parsed(path, json.loads) if path.exists() else None

    def write_json(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        whole(self.folder / f"{name}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def generation(self, number: int, arm: str = "") -> Generation | None:
        found = self.json(f"{Path(arm) / generation_dir(number)}/generation")
        if found is None:
            return None
        for name in ("scores", "validation_scores"):
            found[name] = tuple(Score(**score) for score in found.get(name, ()))
        return Generation(**found | {"verdicts": tuple(map(_verdict, found["verdicts"]))})

    def write_generation(self, generation: Generation) -> None:
        self.write_json(f"{generation_dir(generation.number)}/generation", asdict(generation))

    def generations(self, arm: str = "") -> list[Generation]:
        """All that are finished, in order. arm: CONTROL for those of the control."""
        found: list[Generation] = []
        while generation := self.generation(len(found), arm):
            found.append(generation)
        return found

    def model(self, number: int) -> Path | None:
        """The folder of a generation's model, if it is written."""
        folder = self.folder / generation_dir(number) / "model"
        return folder if folder.exists() else None

    def control(self, start: Generation) -> RunFolder:
        """The folder within of the control, which begins with the same generation 0."""
        beside = copy.copy(self)
        beside.folder = self.folder / CONTROL
        if not beside.model(0):
            source = self.folder / generation_dir(0) / "model"
            beside.write_model(0, lambda path: shutil.copytree(source, path))
        if not beside.generation(0):
            beside.write_generation(start)
        return beside

    def write_model(self, number: int, save: Callable[[Path], Any]) -> None:
        whole(self.folder / generation_dir(number) / "model", save)

    def write_best(self, number: int, result: Mapping[str, Any]) -> None:
        """`best/` becomes a copy of this generation's model."""
        source = self.folder / generation_dir(number) / "model"
        whole(self.folder / "best", lambda path: shutil.copytree(source, path))
        self.write_json("result", result)

    def log(self, **event: Any) -> None:
        """One line more in log.jsonl: what happened, when, and how long it took."""
        path = self.folder / "log.jsonl"
        with explained(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), **event}) + "\n")


def _parsed(path: Path, read: Callable[[bytes], Any]) -> Any:
    """What a file of ours holds; SelfsownError where somebody damaged it."""
    try:
        return read(path.read_bytes())
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{path} is damaged ({said}); delete it and give the same command again") from error


def _verdict(said: dict[str, Any]) -> Verdict:
    return Verdict(**{**said, "signals": tuple(Signal(**each) for each in said.get("signals", ()))})


def generation_dir(number: int) -> str:
    return f"generation-{number:02d}"


def _began(folder: Path) -> bool:
    """Whether this is a run's folder, or an empty one, even if the run was killed before its first file was whole."""
    return (folder / "recipe.yaml").exists() or all(path.name.startswith(".") for path in folder.iterdir())


def _only_calibrated(folder: Path) -> bool:
    """Whether graders were calibrated here and nothing else was begun: then the recipe may still change."""
    return (folder / "calibration.json").exists() and not (folder / "real.parquet").exists()


def _same_kind(folder: Path, remake: bool) -> None:
    """A folder is of `run` or of `make`, which says so by a file."""
    mark = folder / ".make"
    if remake and not mark.exists() and not (folder / "recipe.yaml").exists():
        whole(mark, lambda at: at.write_text("", encoding="utf-8"))
    if remake != mark.exists():
        kind, other = ("run", "make") if remake else ("make", "run")
        raise SelfsownError(f"{folder} is a folder of `selfsown {kind}`; name another for `selfsown {other}`")


def _same_recipe(folder: Path, recipe: Mapping[str, Any], steps: Sequence[Step], remake: bool) -> None:
    """Write the recipe and the user's own ways into a new folder; in an old one, demand that they are the same.

    More generations may be asked for than before, another budget set, and a server asked in another manner. An older
    version's recipe lacks the keys that came since: they are as if unsaid.
    """
    for old in folder.rglob(".*.partial"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    path = folder / "recipe.yaml"
    before = _parsed(path, yaml.safe_load) if path.exists() and not remake else recipe
    for key in sorted({*before, *recipe} - {"description", "budget", "control", "generations", "grader_requirements"}):
        was, now = (decisive(each.get(key, DEFAULTS.get(key))) for each in (before, recipe))
        if was != now:
            raise SelfsownError(
                f"{folder} is the folder of another recipe: {key} was {was!r}, now it is {now!r}; name another folder"
            )
    if recipe.get("generations", 0) < before.get("generations", 0):
        raise SelfsownError(
            f"{folder} was begun with {before['generations']} generations; there can be more now, not fewer"
        )
    text = yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True, width=100)
    whole(path, lambda at: at.write_text(text, encoding="utf-8"))
    for way, source in {step.method: step.function for step in steps if step.method.endswith(".py")}.items():
        _keep_way(folder, Path(way), Path(inspect.getsourcefile(source) or way), remake)
    if remake or not (folder / "environment.json").exists():
        whole(folder / "environment.json", lambda at: at.write_text(_environment(), encoding="utf-8"))


def decisive(value: Any) -> Any:
    """What decides what comes out. How a server is asked does not, and the key's name is not for showing."""
    if not isinstance(value, dict) or not {*value} <= SERVED:
        return value
    own = {way: {"url": each["identity"]} for way, each in value.items() if each.get("identity")}  # for the address
    return {way: {k: v for k, v in each.items() if k not in MANNER} | own.get(way, {}) for way, each in value.items()}


def _keep_way(folder: Path, way: Path, source: Path, remake: bool) -> None:
    """A copy of the user's own way, where the folder's recipe finds it; SelfsownError if it has changed."""
    copy = folder / (way.name if way.is_absolute() or ".." in way.parts else way)
    if not remake and copy.exists() and copy.read_bytes() != source.read_bytes():
        raise SelfsownError(f"{way} has changed since this run began; name another folder, or put it back")
    whole(copy, partial(shutil.copyfile, source))


def _environment() -> str:
    """What decides whether the same bytes come out: versions, machine, threads."""
    torch = sys.modules.get("torch")
    found = {"selfsown": __version__, "python": platform.python_version(), "machine": platform.machine()}
    found |= {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())} if torch else {}
    return json.dumps(found, indent=1) + "\n"
