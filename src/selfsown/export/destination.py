"""Where an export is written: a new or an empty folder, or an earlier export, recognized by its card."""

from __future__ import annotations

from pathlib import Path

import yaml

from selfsown.errors import SelfsownError
from selfsown.files.remote import check_local

EXPORT_TAG = "selfsown"  # the tag in a card by which an export is recognized
CARD = "README.md"


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
        shards = list((folder / "data").iterdir())
    except (OSError, ValueError):
        return False
    names = {path.name for path in folder.iterdir()}
    is_data = all(shard.name.startswith("train-") for shard in shards)
    return names == {CARD, "data"} and is_card(card) and is_data


def is_card(text: str) -> bool:
    """Whether this is the card of an export."""
    try:
        _, head, _ = text.split("---\n", 2)
        return EXPORT_TAG in yaml.safe_load(head)["tags"]
    except (ValueError, KeyError, TypeError, yaml.YAMLError):
        return False
