"""Files and folders that appear under their name only when they are whole; what the system refuses, in plain words."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selfsown.records import SelfsownError


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the path, bring it to disk, then give it its name: it is there whole or not at all."""
    with atomic_path(path) as partial:
        write(partial)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A place beside the path, whose file or folder gets the path's name when the `with` is left in peace."""
    partial = path.with_name(f".{path.name}.partial")
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            for file in [*partial.rglob("*"), partial] if partial.is_dir() else [partial]:
                _to_disk(file)
            if path.is_dir():
                shutil.rmtree(path)
            partial.replace(path)
            _to_disk(path.parent)
        except BaseException:
            if partial.exists():
                shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
            raise


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """What the operating system refuses, in words that help."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room and give the same command again: the run goes on" if full else "name another folder"
        raise SelfsownError(
            f"{error.filename or path} cannot be written: {error.strerror or error}; {remedy}"
        ) from error
