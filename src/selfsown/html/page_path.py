"""Check where a page is to be written, before anything is computed for it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from selfsown.errors import SelfsownError

PACKAGES = ("matplotlib", "jinja2")


def check(path: Path, packages: Sequence[str] = PACKAGES) -> None:
    """SelfsownError: --html is not an .html file in an existing, writable folder, or a package is missing."""
    if path.suffix not in (".html", ".htm"):
        raise SelfsownError(f"--html is {path}; its name must end with .html")
    if path.is_dir() or not path.parent.is_dir():
        reason = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise SelfsownError(f"--html is {path}, but {reason}; name a file in an existing folder")
    if not os.access(path.parent, os.W_OK):
        raise SelfsownError(f"--html is {path}, but {path.parent} is not writable; name another folder")
    if missing := next((name for name in packages if not importlib.util.find_spec(name)), ""):
        raise SelfsownError(f"--html needs {missing}; pip install 'selfsown[report]'")
