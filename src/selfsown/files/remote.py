"""Files elsewhere, at an address such as s3://bucket/rows.parquet: copied here once a process, through fsspec."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from selfsown.errors import DataError, RecipeError, one_line

MARK = "://"


def is_remote(path: str) -> bool:
    """Whether this is an address, and not a path on this machine."""
    return MARK in path


def local_file(path: str) -> Path:
    """The file itself; of an address, its copy in a temporary folder, which is deleted when the process ends.

    Raises RecipeError where the package for such addresses is not installed, DataError where nothing can be read there.
    """
    return _copy(path) if is_remote(path) else Path(path)


@cache
def _copy(address: str) -> Path:
    scheme = address.partition(MARK)[0]
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"{address} is read through the package fsspec, which is not installed: pip install fsspec"
        ) from error
    folder = Path(tempfile.mkdtemp(prefix="selfsown-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = folder / (address.partition(MARK)[2].rpartition("/")[2] or "rows")
    try:
        with fsspec.open(address, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except ImportError as error:
        raise RecipeError(f"{address}: a package for {scheme}{MARK} is not installed: {one_line(error)}") from error
    except Exception as error:  # each file system has errors of its own
        raise DataError(
            f"{address} cannot be read ({one_line(error)[:200]}); check the address and the credentials of {scheme}, "
            "or name a file on this machine"
        ) from error
    return copy
