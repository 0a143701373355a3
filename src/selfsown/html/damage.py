"""A damaged file of a folder as an error in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow
import yaml

from selfsown.errors import RunFolderError, one_line

UNREADABLE = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError, pyarrow.ArrowException)


@contextmanager
def damaged_if_unreadable(path: Path) -> Iterator[None]:
    """Raise RunFolderError, which says that the file is damaged, where it cannot be parsed."""
    try:
        yield
    except UNREADABLE as error:
        raise RunFolderError(f"{path} is damaged ({one_line(error)}); a report needs it whole") from error
