"""The run folder: everything that a run knows, written so that a kill at any moment loses no finished work.

    recipe.yaml  real.parquet  held_out.parquet  log.jsonl  replies.sqlite
    generation-00/ model/ generation.json
    generation-01/ rows.parquet model/ generation.json      … and so on
    control/ generation-00/ …                               real rows alone, if the recipe asks for a control
    best/  result.json
    student.json  pretrained.json                           a pretrained student: its hash, its scores as it came

A file or model appears under its name only when it is complete. All but log.jsonl, environment.json and replies.sqlite
is the same, byte for byte, whenever the same recipe runs with the same seed.
"""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import pyarrow
import yaml

from selfsown.atomic import atomic_path, delete_new_folder, explain_os_errors, link_or_copy, write_atomically
from selfsown.errors import RunFolderError, SelfsownError
from selfsown.files.remote import check_local
from selfsown.files.row_parquet import RowWriter, StoredRows, read_table, rows_from_table
from selfsown.files.row_sequences import IN_MEMORY, copied, spooled
from selfsown.folder_recipe import check_kind, check_recipe, damage_explained, parsed
from selfsown.recipe.steps import Step
from selfsown.records import Generation, Json, JsonObject, Row, Score, Signal, Verdict
from selfsown.run_folders import suggest_folder
from selfsown.usage.journal import Journal
from selfsown.usage.ledger import folder_budget

PREVIEW = "preview_rows"  # the file of the rows of the last preview
CONTROL = "control"  # the folder of the control arm, within a run's folder


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
        check_local(folder)
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
            check_kind(folder, remake)
            check_recipe(folder, recipe, steps, remake or _is_only_calibrated(folder))
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
        return dict(parsed(self.folder / "recipe.yaml", yaml.safe_load))

    def rows(self, name: str) -> list[Row] | None:
        """The rows written under this name, such as "real" or "generation-01/rows"; None if there are none yet."""
        path = self.folder / f"{name}.parquet"
        return parsed(path, lambda parquet: rows_from_table(read_table(parquet))) if path.exists() else None

    def table(self, name: str) -> pyarrow.Table | None:
        """The same rows as an Arrow table, which is faster where many are counted and few are read."""
        path = self.folder / f"{name}.parquet"
        return parsed(path, read_table) if path.exists() else None

    def sequence(self, name: str) -> Sequence[Row] | None:
        """The same rows, in memory where they are few."""
        stored = self.stream(name)
        if not stored.path.exists():
            return None
        with damage_explained(stored.path):
            return list(stored) if len(stored) <= IN_MEMORY else stored

    def write_rows(self, name: str, rows: Iterable[Row]) -> None:
        """Write the rows, one at a time; the file appears when all are written."""
        with self.written(name) as writer:
            for row in rows:
                writer.add(row)

    def write_sequence(self, name: str, rows: Iterable[Row]) -> Sequence[Row]:
        """The same; returns the rows, in memory where they are few."""
        few: list[Row] = []
        self.write_rows(name, copied(rows, few))
        return few if len(few) <= IN_MEMORY else self.stream(name)

    def spooled(self, number: int, name: str, rows: Iterable[Row]) -> Sequence[Row]:
        """Rows of a generation between two stages: in memory where they are few, else in a file of this name."""
        return spooled(rows, self.working_dir(number) / f"{name}.parquet")

    def working_dir(self, number: int = 0) -> Path:
        """The folder of files between the stages of a generation; 0: of rows that are made without one."""
        return self.folder / generation_dir(number) / "working" if number else self.folder / ".working"

    def forget_working(self, number: int = 0) -> None:
        """Delete the files between the stages."""
        shutil.rmtree(self.working_dir(number), ignore_errors=True)

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
        return parsed(path, json.loads) if path.exists() else None

    def write_json(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(self.folder / f"{name}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def generation(self, number: int, arm: str = "") -> Generation | None:
        """A finished generation; None if it is not finished. arm: CONTROL for one of the control."""
        values = self.json(f"{Path(arm) / generation_dir(number)}/generation")
        if values is None:
            return None
        for name in ("scores", "validation_scores", "pretrained_scores"):
            values[name] = _scores(values.get(name, ()))
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

    def training_dir(self, number: int, name: str) -> Path:
        """The folder of a training that takes long enough to have checkpoints; not there yet."""
        return self.folder / generation_dir(number) / "training" / name

    def forget_training(self, number: int) -> None:
        """Delete the folders of a generation's trainings, whose model is written."""
        shutil.rmtree(self.folder / generation_dir(number) / "training", ignore_errors=True)

    def keep_models(self, numbers: Collection[int]) -> None:
        """Delete the weights of all other generations."""
        for path in self.folder.glob("generation-*/model"):
            if int(path.parent.name.partition("-")[2]) not in numbers:
                shutil.rmtree(path)

    def check_student(self, identity: JsonObject) -> None:
        """Write from which model the run started; RunFolderError where it started from other weights."""
        before = self.json("student")
        if before is None:
            self.write_json("student", identity)
        elif before["weights"] != identity["weights"]:
            raise RunFolderError(
                f"{self.folder} was started from other weights of {before['model']}: their hash was "
                f"{before['weights']} and is now {identity['weights']}; restore them, or name another folder"
            )

    def pretrained_scores(self) -> tuple[Score, ...]:
        """The scores on test rows of a student as it came; () where they are not measured."""
        return _scores(self.json("pretrained") or ())

    def write_pretrained_scores(self, scores: Sequence[Score]) -> None:
        self.write_json("pretrained", list(map(asdict, scores)))

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

    def copy_start(self, other: RunFolder) -> None:
        """Copy generation 0 from a run that began alike: its rows, its model, and replies that cost nothing."""
        for pattern in ("*.parquet", "real.json", "student.json", "pretrained.json"):
            for path in other.folder.glob(pattern):
                write_atomically(self.folder / path.name, partial(shutil.copyfile, path))
        for key, reply in other.journal.unpaid_replies():
            self.journal.store_reply(key, "", reply)
        if (first := other.generation(0)) and (model := other.model(0)):
            self.write_model(0, lambda path: shutil.copytree(model, path, copy_function=link_or_copy))
            self.write_generation(first)

    def write_model(self, number: int, save: Callable[[Path], Any]) -> None:
        write_atomically(self.folder / generation_dir(number) / "model", save)

    def write_best(self, number: int, result: Mapping[str, Json]) -> None:
        """Make `best/` a copy of this generation's model, and write result.json.

        Weights that `keep_models` deleted are in `best/` already.
        """
        if source := self.model(number):
            write_atomically(self.folder / "best", lambda path: shutil.copytree(source, path))
        self.write_json("result", result)

    def log(self, **event: Any) -> None:
        """Append a line to log.jsonl: what happened, when, and how long it took."""
        path = self.folder / "log.jsonl"
        with explain_os_errors(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), **event}) + "\n")


def _scores(values: Iterable[JsonObject]) -> tuple[Score, ...]:
    return tuple(Score(**score) for score in values)


def _verdict(values: JsonObject) -> Verdict:
    return Verdict(**{**values, "signals": tuple(Signal(**signal) for signal in values.get("signals", ()))})


def generation_dir(number: int) -> str:
    return f"generation-{number:02d}"


def _is_run_or_empty(folder: Path) -> bool:
    """Whether this is a run folder, or an empty one, even if the run was killed before its first file was complete."""
    return (folder / "recipe.yaml").exists() or all(path.name.startswith(".") for path in folder.iterdir())


def _is_only_calibrated(folder: Path) -> bool:
    """Whether graders were calibrated or attacked here and nothing else was begun: then the recipe may still change."""
    measured = any((folder / f"{name}.json").exists() for name in ("calibration", "attack"))
    return measured and not (folder / "real.parquet").exists()
