"""Where an export is written: a new or an empty folder, or an earlier export, recognized by its card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from selfsown.errors import SelfsownError
from selfsown.files.remote import check_local

EXPORT_TAG = "selfsown"  # the tag in a card by which an export is recognized
CARD = "README.md"
DATA = "data"
SHARDS = f"{DATA}/train-"  # how the paths of all other files begin


def check_destination(out: Path) -> None:
    """SelfsownError where the path holds something other than an earlier export, or is an address."""
    check_local(out)
    if not out.exists() or is_export(out) or (out.is_dir() and not any(out.iterdir())):
        return
    content = "holds other files than an export" if out.is_dir() else "is a file"
    raise SelfsownError(f"{out} {content}; name a new or an empty folder")


def check_export(folder: Path) -> None:
    """SelfsownError where the folder is not an export."""
    if not is_export(folder):
        raise SelfsownError(f"{folder} is not an export; export writes one")


def is_export(folder: Path) -> bool:
    """Whether the folder holds an export and nothing else."""
    try:
        card = (folder / CARD).read_text(encoding="utf-8")
        paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    except (OSError, ValueError):
        return False
    return DATA in paths and are_of_export(paths - {DATA}, card)


def are_of_export(paths: Iterable[str], card: str) -> bool:
    """Whether these files, by their paths within a folder, are those of an export with this card."""
    try:
        _, head, _ = card.split("---\n", 2)
        tags = yaml.safe_load(head)["tags"]
        return EXPORT_TAG in tags and all(path == CARD or path.startswith(SHARDS) for path in paths)
    except (ValueError, KeyError, TypeError, yaml.YAMLError):
        return False
