"""Files elsewhere, at an address such as s3://bucket/rows.parquet, through fsspec."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from selfsown.errors import DataError, RecipeError, SelfsownError, one_line

MARK = "://"
_SCHEME = re.compile(r"([A-Za-z][\w+.-]+):/(?=[^/])")  # in a path, which has one slash where the address had two


def is_remote(path: str) -> bool:
    """Whether this is an address, and not a path on this machine."""
    return MARK in path


def local_file(path: str) -> Path:
    """The file itself; of an address, its copy in a temporary folder, which is deleted when the process ends.

    Raises RecipeError where the package for such addresses is not installed, DataError where nothing can be read there.
    """
    return _copy(path) if is_remote(path) else Path(path)


def check_local(path: Path) -> None:
    """SelfsownError where the path was an address: what is written or resumed must be in files of this machine."""
    if scheme := _SCHEME.match(path.as_posix()):
        address = f"{scheme[1]}{MARK}{path.as_posix()[scheme.end() :]}"
        raise SelfsownError(
            f"{address} is an address, and this must be a path on this machine, or on a file system that it mounts; "
            f"made rows are taken elsewhere afterwards: selfsown export FOLDER OUT, then selfsown push OUT {address}"
        )


@contextmanager
def errors_explained(address: str, deed: str) -> Iterator[None]:
    """RecipeError where a package for such addresses is not installed, DataError for errors of their file system.

    deed: what was tried, as in "cannot be read".
    """
    scheme = address.partition(MARK)[0]
    try:
        yield
    except SelfsownError:
        raise
    except ImportError as error:
        ours = error.name == "fsspec"
        missing = "fsspec: pip install 'selfsown[remote]'" if ours else f"one for {scheme}{MARK}: {one_line(error)}"
        raise RecipeError(f"{address} needs a package that is not installed, {missing}") from error
    except Exception as error:  # each file system has errors of its own
        raise DataError(
            f"{address} cannot be {deed} ({one_line(error)[:200]}); check the address and the credentials of {scheme}, "
            "or name a path on this machine"
        ) from error


@cache
def _copy(address: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="selfsown-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = folder / (address.partition(MARK)[2].rpartition("/")[2] or "rows")
    with errors_explained(address, "read"):
        import fsspec

        with fsspec.open(address, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return copy
