"""The questions to search for: those of held-out rows, and of benchmarks from files, data sets and harness tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from selfsown.contamination.harness import harness_questions
from selfsown.errors import DataError, SelfsownError, suggest
from selfsown.files.column_mapping import Columns
from selfsown.files.remote import is_remote
from selfsown.records import Row
from selfsown.tasks import dataset, file
from selfsown.tasks.dataset import SAVED_FILES
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY
from selfsown.text.normalize import normal

QUESTION_COLUMNS = ("prompt", "question", "instruction")  # usual names in a benchmark file
HELD_OUT = "held-out rows"  # the name of the benchmark that they are

BenchmarkEntry: TypeAlias = str | dict[str, Any]
_SOURCES: dict[str, Any] = {"file": file.Task, "dataset": dataset.Task}
_EXAMPLE = "a file, a folder or name of the datasets library, {lm_eval: TASK}, or {file: {path: FILE, prompt: COLUMN}}"


@dataclass(frozen=True)
class Question:
    """A question of a benchmark. place: of a held-out row its id, of another benchmark "exam.jsonl:12"."""

    text: str
    benchmark: str
    place: str
    is_document: bool = False  # of a held-out row without a prompt: its text

    @property
    def name(self) -> str:
        return f"held-out row {self.place}" if self.benchmark == HELD_OUT else self.place


def asked_question(row: Row) -> str:
    """The prompt, without sentences that pose constraints on how to answer: prompts about anything share those."""
    return row.problem if row.problem and CONSTRAINTS_KEY in row.metadata else row.prompt


def held_out_questions(rows: Iterable[Row]) -> list[Question]:
    """The prompts of held-out rows; of documents, their texts."""
    prompts = ((row, asked_question(row)) for row in rows)
    return [Question(prompt or row.answer, HELD_OUT, row.id, not prompt) for row, prompt in prompts]


def read_benchmarks(against: Sequence[BenchmarkEntry]) -> dict[str, list[Question]]:
    """The questions of each entry, by the benchmark's name; each is read once in a process.

    An entry is the path or the address of a file, a folder or name of the datasets library, or a mapping: of `file` or
    `dataset` to the options of these tasks, or of `lm_eval` to a task of the harness or to {task: NAME, folder: DIR}.
    Raises DataError where one cannot be read, or has no question.
    """
    benchmarks: dict[str, list[Question]] = {}
    for entry in against:
        name, questions = _read(json.dumps(entry, sort_keys=True), _version(entry))
        if name in benchmarks:
            name = json.dumps(entry, ensure_ascii=False) if isinstance(entry, dict) else entry
        if name in benchmarks:
            raise DataError(f"curate.decontaminate.against names {name} twice; name it once")
        benchmarks[name] = [Question(text, name, place) for text, place in questions]
    return benchmarks


def _version(entry: BenchmarkEntry) -> tuple[int, int]:
    """Changes with the file that the entry names."""
    options = next(iter(entry.values()), None) if isinstance(entry, dict) else {"path": entry}
    path = Path(str(options.get("path", ""))) if isinstance(options, dict) else Path()
    if not path.is_file():
        return 0, 0
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(32)
def _read(written: str, version: tuple[int, int]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The name of a benchmark, and each question with its place."""
    entry = json.loads(written)
    if isinstance(entry, dict) and "lm_eval" in entry and len(entry) == 1:
        name, questions = harness_questions(entry["lm_eval"])
    else:
        task = _task(entry)
        name, questions = task.name, [(row.prompt or row.answer, row.source) for row in _rows(task)]
    known = tuple((text, place) for text, place in questions if normal(text))
    if not known:
        raise DataError(f"curate.decontaminate.against: {name} has no question; all of them are blank")
    return name, known


def _task(entry: BenchmarkEntry) -> file.Task | dataset.Task:
    if isinstance(entry, str):
        return _task_of_path(entry)
    source, options = next(iter(entry.items()), ("", None))
    if len(entry) != 1 or source not in (*_SOURCES, "lm_eval") or not isinstance(options, str | dict):
        near = suggest(source, [*_SOURCES, "lm_eval"]) if len(entry) == 1 and source not in _SOURCES else ""
        raise DataError(f"curate.decontaminate.against is {json.dumps(entry)}; an entry is {_EXAMPLE}{near}")
    if isinstance(options, str):
        options = {"path": options}
    kind = _SOURCES[source]
    known = [name for name in kind.__dataclass_fields__ if name != "task_name"]
    for name in options:
        if name not in known:
            raise DataError(f"curate.decontaminate.against: {source} has no option {name!r}{suggest(name, known)}")
    if "path" not in options:
        raise DataError(f"curate.decontaminate.against: {source} needs a path: {{{source}: {{path: …}}}}")
    path = str(options["path"])
    if source == "file" and not is_remote(path) and not Path(path).exists():
        raise _missing(path)
    task: file.Task | dataset.Task = kind(**options)
    return task


def _task_of_path(path: str) -> file.Task | dataset.Task:
    """A file, its address, a folder of the datasets library (or FOLDER:SPLIT), or a data set's name on the Hub."""
    if is_remote(path) or Path(path).is_file():
        return file.Task(path)
    folder, _, split = path.rpartition(":")
    if folder and not Path(path).exists() and Path(folder).is_dir():
        return dataset.Task(folder, split=split)
    if Path(path).is_dir():
        return dataset.Task(path, split=_test_split(Path(path)))
    if path.count("/") == 1 and not Path(path).suffix and not path.startswith((".", "~")):
        return dataset.Task(path, split="test")
    raise _missing(path)


def _test_split(folder: Path) -> str:
    """The split to read where none is named: the test split of a saved data set that has one."""
    return "test" if (folder / SAVED_FILES[1]).exists() and (folder / "test").is_dir() else "train"


def _missing(path: str) -> DataError:
    return DataError(f"curate.decontaminate.against: there is no file or folder {path}; an entry is {_EXAMPLE}")


def _rows(task: file.Task | dataset.Task) -> Iterable[Row]:
    """Its rows, of which only questions are read where a column has a usual name of questions, so that a benchmark
    needs no column of answers that this package knows."""
    named = task.prompt or task.text
    head = [] if named else task.head()
    question = next((name for name in QUESTION_COLUMNS if any(name in record for record in head)), "")
    try:
        if question:
            columns = Columns(task.path, question, "", lenient=True)
            return list(columns.rows(task.records(columns.column_names), task.name))
        return list(task.pose(0))
    except SelfsownError as error:
        raise DataError(f"curate.decontaminate.against: {error}") from error


def by_benchmark(questions: Iterable[Question]) -> Mapping[str, list[Question]]:
    """The questions of each benchmark, in order."""
    result: dict[str, list[Question]] = {}
    for question in questions:
        result.setdefault(question.benchmark, []).append(question)
    return result
