"""The real command in a process of its own, a recipe of the user's own for it, and what a refusal looks like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pupil
import yaml

FILE = ("--set", "real=names.txt", "--set", "grade=", "--set", "goal=loss", "--set", "evaluate=loss")
Finished = subprocess.CompletedProcess[str]


def selfsown(folder: Path, *arguments: str) -> Finished:
    """The command, run in this folder."""
    order = [sys.executable, "-m", "selfsown", *arguments]
    plain = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(order, cwd=folder, env=plain, capture_output=True, text=True, timeout=240)


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
