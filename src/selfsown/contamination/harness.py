"""Questions of tasks of the Language Model Evaluation Harness, which runs in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from selfsown.errors import DataError, RecipeError
from selfsown.records import Json

# Where the folder has all tasks that are named, the harness need not list its own thousands, which takes seconds.
_BEGINNING = """
import json, sys
from lm_eval.tasks import TaskManager

def task_manager(names, folder):
    own = TaskManager(include_path=folder, include_defaults=False) if folder else None
    return own if own and set(names) <= set(own.all_subtasks) else TaskManager(include_path=folder or None)

options, out = json.loads(sys.argv[1]), sys.argv[2]
"""
# Writes one line of JSON for each question.
_QUESTIONS = """
from lm_eval.tasks import get_task_dict

def leaves(tree):
    for value in tree.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value[1] if isinstance(value, tuple) else value

def question(task, document):
    if task.should_decontaminate():
        try:
            return task.doc_to_decontamination_query(document)
        except (SyntaxError, ValueError):  # the harness takes a column's name here, and many tasks have a template
            pass
    return task.doc_to_text(document)

name, folder = options
manager = task_manager([name], folder)
with open(out, "w", encoding="utf-8") as file:
    for task in leaves(get_task_dict([name], manager)):
        documents = task.test_docs() if task.has_test_docs() else task.validation_docs()
        for number, document in enumerate(documents, 1):
            text = question(task, document)
            if isinstance(text, str):
                file.write(json.dumps([task.config.task, number, text]) + "\\n")
"""


class HarnessError(Exception):
    """The last line that the harness printed before it failed."""


def run_harness(program: str, options: Json) -> str:
    """What a program that uses the harness writes into the file `out`. Raises HarnessError.

    It may use `options` and `task_manager(names, folder)`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.json"
        done = subprocess.run(
            [sys.executable, "-c", _BEGINNING + program, json.dumps(options), str(out)],
            cwd=scratch,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise HarnessError(lines[-1].strip()[:300] if lines else f"exit code {done.returncode}")
        return out.read_text(encoding="utf-8")


def harness_questions(task: Json) -> tuple[str, list[tuple[str, str]]]:
    """The name of a harness task, and each of its test questions with its place, such as "gsm8k:12".

    task: its name, or {task: NAME, folder: DIR} with a folder of YAML files. A task's own query for decontamination is
    the question, where it has one, else the prompt of the example alone. Raises RecipeError where the harness is not
    installed, DataError where the task or its data set cannot be read.
    """
    options = {"task": task} if isinstance(task, str) else task
    if not isinstance(options, dict) or not options.get("task") or not options.keys() <= {"task", "folder"}:
        raise DataError(
            f"curate.decontaminate.against: lm_eval is {json.dumps(task)}; it must be the name of a task, or "
            "{task: NAME, folder: DIR}"
        )
    if not find_spec("lm_eval"):
        raise RecipeError("a benchmark of lm_eval needs the package lm_eval: pip install 'selfsown[lm_eval]'")
    name = str(options["task"])
    folder = str(Path(str(options["folder"])).expanduser().resolve()) if options.get("folder") else ""
    if folder and not Path(folder).is_dir():
        raise DataError(f"curate.decontaminate.against: there is no folder {options['folder']} of harness tasks")
    try:
        lines = run_harness(_QUESTIONS, [name, folder]).splitlines()
    except HarnessError as error:
        raise DataError(f"curate.decontaminate.against: lm_eval cannot read the task {name}: {error}") from error
    questions = [(text, f"{source}:{number}") for source, number, text in map(json.loads, lines)]
    return name, questions
