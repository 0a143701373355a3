"""Where an export is written: a new or an empty folder, or an earlier export, recognized by its card."""

from __future__ import annotations

from pathlib import Path

import yaml

from selfsown.records import SelfsownError

EXPORT_TAG = "selfsown"  # the tag in a card by which an export is recognized


def check_destination(out: Path) -> None:
    """SelfsownError where the path holds something other than an earlier export."""
    if not out.exists() or is_export(out) or (out.is_dir() and not any(out.iterdir())):
        return
    content = "holds other files than an export" if out.is_dir() else "is a file"
    raise SelfsownError(f"{out} {content}; name a new or an empty folder")


def is_export(folder: Path) -> bool:
    """Whether the folder holds an export and nothing else."""
    try:
        _, head, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
        tags = yaml.safe_load(head)["tags"]
        shards = list((folder / "data").iterdir())
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return False
    names = {path.name for path in folder.iterdir()}
    is_data = all(shard.name.startswith("train-") for shard in shards)
    return names == {"README.md", "data"} and EXPORT_TAG in tags and is_data
