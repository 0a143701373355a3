"""Files and folders that appear under their name only when they are complete; operating system errors explained."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from selfsown.errors import RunFolderError


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the path, flush to disk, then rename: the path is complete or does not exist."""
    with atomic_path(path) as partial:
        write(partial)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside this one; its file or folder is renamed to it when the `with` block ends without an error."""
    partial = path.with_name(f".{path.name}.partial")
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            for file in [*partial.rglob("*"), partial] if partial.is_dir() else [partial]:
                _flush_to_disk(file)
            if path.is_dir():
                shutil.rmtree(path)
            partial.replace(path)
            _flush_to_disk(path.parent)
        except BaseException:
            if partial.exists():
                shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
            raise


def _flush_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into a RunFolderError that says what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free disk space and run the same command again to resume" if full else "name another folder"
        raise RunFolderError(
            f"{error.filename or path} cannot be written: {error.strerror or error}; {remedy}"
        ) from error


def delete_new_folder(paths: Sequence[Path]) -> None:
    """Delete a folder that was created for work that came to nothing, and then those above it, created with it, that
    are empty. paths: innermost first."""
    shutil.rmtree(paths[0], ignore_errors=True)
    for path in paths[1:]:
        with suppress(OSError):
            path.rmdir()


def link_or_copy(source: str, target: str) -> None:
    """A file of weights becomes a second name of the same file, where the file system can, since nobody edits it."""
    if source.endswith((".safetensors", ".bin")):
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)
