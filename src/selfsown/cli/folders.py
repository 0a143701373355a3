"""The folder that a command about a run or about made rows is given: a path, or the name alone."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from selfsown.errors import RunFolderError

PARENTS = (Path("runs"), Path("made"))  # where `run` and `make` put their folders by default


def existing_folder(folder: Path) -> Path:
    """The folder itself, or runs/FOLDER or made/FOLDER. RunFolderError where there is none, or where both exist."""
    if folder.exists() or folder.is_absolute():
        return _checked(folder)
    present = [parent / folder for parent in PARENTS if (parent / folder).is_dir()]
    if len(present) > 1:
        raise RunFolderError(f"{folder} is {present[0]} or {present[1]}; name one of them")
    return present[0] if present else _checked(folder)


def _checked(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    if folder.exists():
        raise RunFolderError(f"{folder} is a file; name the folder of a run or of made rows{_hint(folder)}")
    raise RunFolderError(f"there is no folder {folder}{_hint(folder)}")


def _hint(folder: Path) -> str:
    """The folders that there are, the likest first."""
    present = {path.name: path for parent in PARENTS for path in sorted(parent.glob("*/")) if path.is_dir()}
    if close := get_close_matches(folder.name, present, 1):
        return f"; did you mean {present[close[0]]}?"
    listed = ", ".join(map(str, list(present.values())[:5]))
    return f"; there are: {listed}" if listed else "; selfsown run and selfsown make write such folders"
