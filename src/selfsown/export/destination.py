"""Where an export goes: a new or an empty folder, or an earlier export, which is known by its card."""

from __future__ import annotations

from pathlib import Path

import yaml

from selfsown.export.card_metadata import MARK
from selfsown.records import SelfsownError


def free(out: Path) -> None:
    """SelfsownError where something else stands in the place."""
    if not out.exists() or ours(out) or (out.is_dir() and not any(out.iterdir())):
        return
    held = "holds something that is no export of ours alone" if out.is_dir() else "is a file"
    raise SelfsownError(f"{out} {held}; name a new or an empty folder")


def ours(folder: Path) -> bool:
    """Whether this is an export, with nothing else in it."""
    try:
        _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
        tags = yaml.safe_load(head)["tags"]
        shards = list((folder / "data").iterdir())
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return False
    alone = {each.name for each in folder.iterdir()} == {"README.md", "data"}
    return alone and MARK in tags and all(each.name.startswith("train-") for each in shards)
