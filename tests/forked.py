"""The command in processes to be killed, which are at work at once: what takes seconds to import, one process has
imported for all of them, and each is forked from it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

IMPORTED = [
    "selfsown.cli.run",
    "selfsown.loop",
    "selfsown.pipeline",
    "selfsown.models.endpoint.endpoint",
    "selfsown.export.export",
    "pandas",
]
_CONTEXT = multiprocessing.get_context("forkserver")


def begun(folder: Path, *arguments: str) -> BaseProcess:
    """The command, run in this folder by a process of its own, with this process's environment. Nobody sees what it
    prints; a test ends it, or waits for it."""
    _CONTEXT.set_forkserver_preload(IMPORTED)
    process = _CONTEXT.Process(target=_run, args=(str(folder), dict(os.environ), arguments))
    process.start()
    return process


def finish(folder: Path, *arguments: str) -> None:
    """The same, waited for: it ends well."""
    process = begun(folder, *arguments)
    process.join(240)
    assert process.exitcode == 0


def _run(folder: str, environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    from selfsown.cli import main  # here, so that whoever only starts processes does not import it

    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["selfsown", *arguments]
    main()
