"""Folders of runs nearby, for an error about one that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from selfsown.errors import closest

PARENTS = (Path("runs"), Path("made"))  # where commands put them by default
MAX_SEARCHED = 1_000  # folders
MAX_LISTED = 6


def suggest_folder(folder: Path) -> str:
    """ "; did you mean runs/names?", or the folders of runs that there are; "" where there is none."""
    folders = list(islice(_run_folders(folder), MAX_SEARCHED))
    names = {str(path): path for path in folders}
    by_name = {path.name: str(path) for path in reversed(folders)}
    if near := by_name.get(folder.name) or closest(str(folder), names) or by_name.get(closest(folder.name, by_name)):
        return f"; did you mean {near}?"
    listed = sorted(names)
    more = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return f"; folders of runs: {', '.join(listed[:MAX_LISTED])}{more}" if listed else ""


def _run_folders(folder: Path) -> Iterator[Path]:
    """Those beside the one that was named, in it, and where commands put them."""
    for parent in dict.fromkeys((*PARENTS, folder.parent, folder)):
        try:
            paths = sorted(parent.iterdir()) if parent.is_dir() else []
        except OSError:  # it may not be read
            continue
        yield from (path for path in paths if (path / "recipe.yaml").is_file())
