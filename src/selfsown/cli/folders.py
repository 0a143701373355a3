"""The folder that a command about a run or about made rows is given: a path, or the name alone."""

from __future__ import annotations

from pathlib import Path

from selfsown.errors import RunFolderError
from selfsown.run_folders import PARENTS, suggest_folder


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
        raise RunFolderError(f"{folder} is a file; name the folder of a run or of made rows{suggest_folder(folder)}")
    raise RunFolderError(f"there is no folder {folder}{suggest_folder(folder)}")
