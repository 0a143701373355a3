"""The command, in a process of its own or in this one, a recipe for it, and the form of its errors."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pupil
import yaml

from selfsown.cli import main

FILE = ("--set", "real=names.txt", "--set", "grade=", "--set", "goal=loss", "--set", "evaluate=loss")
PLAIN = {"NO_COLOR": "1", "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
Finished = subprocess.CompletedProcess[str]


def selfsown(folder: Path, *arguments: str) -> Finished:
    """The command, run in this folder by a process of its own, which takes seconds to import what it needs."""
    order = [sys.executable, "-m", "selfsown", *arguments]
    return subprocess.run(order, cwd=folder, env=os.environ | PLAIN, capture_output=True, text=True, timeout=240)


def run_in_process(folder: Path, *arguments: str) -> Finished:
    """The same within this process: arguments, output, log lines and exit code. An exception that `main` does not
    handle, which a user would see as a traceback, is raised."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    root, ours, last = logging.getLogger(), logging.getLogger("selfsown"), logging.lastResort
    assert last
    levels = ours.level, last.level
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, PLAIN))
        stack.enter_context(mock.patch.object(sys, "argv", ["selfsown", *arguments]))
        stack.enter_context(mock.patch.object(root, "handlers", []))  # so that log lines go to standard error
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        finally:
            ours.setLevel(levels[0])
            last.setLevel(levels[1])
    return Finished(arguments, int(code), out.getvalue(), err.getvalue())


def written(folder: Path, **changes: Any) -> None:
    """A recipe of the user's own, `mine.yaml`, with all that it needs beside it, which runs in no time."""
    shutil.copy(pupil.__file__, folder)
    (folder / "names.txt").write_text("".join(f"name{at}\n" for at in range(50)), encoding="utf-8")
    (folder / "few.txt").write_text("emma\nolivia\nava\n", encoding="utf-8")
    (folder / "mine.yaml").write_text(yaml.safe_dump({**pupil.RECIPE, **changes}), encoding="utf-8")


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refused(done: Finished) -> str:
    """What the command says of a mistake: one line, without a traceback."""
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr
