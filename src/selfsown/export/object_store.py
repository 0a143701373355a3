"""Copies an export to an address such as s3://bucket/folder, through fsspec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfsown import progress
from selfsown.errors import SelfsownError
from selfsown.export.destination import CARD, check_export, is_card
from selfsown.files.remote import errors_explained

DATA = "data/train-"  # how the names of all files begin, but that of the card


def push(folder: Path, address: str) -> str:
    """Copy the export to the folder at the address, in place of an earlier export there; returns the address.

    The card is deleted first and written last, so that data without a card are known to be incomplete, and may be
    replaced. SelfsownError where the folder is not an export, the address holds other files, or cannot be written.
    """
    check_export(folder)
    address = address.rstrip("/")
    with errors_explained(address, "written"):
        import fsspec
        from fsspec.asyn import AsyncFileSystem

        system, place = fsspec.url_to_fs(address)
        earlier = _files(system, place)
        if not _is_export(system, place, earlier):
            raise SelfsownError(f"{address} holds other files than an export; name a new or an empty folder")
        if CARD in earlier:
            system.rm_file(f"{place}/{CARD}")
        if not isinstance(system, AsyncFileSystem):  # an object store has no folders, and would create a bucket
            system.makedirs(f"{place}/data", exist_ok=True)
        data = sorted(path.relative_to(folder).as_posix() for path in (folder / "data").iterdir())
        for name in progress.track([*data, CARD], "uploading", unit="files"):
            if name == CARD:
                for other in earlier - {CARD, *data}:
                    system.rm_file(f"{place}/{other}")
            system.put_file(str(folder / name), f"{place}/{name}")
    return address


def _files(system: Any, place: str) -> set[str]:
    """The files below the place, by their paths there; "" where the place itself is a file."""
    system.invalidate_cache()
    return {path.removeprefix(place).lstrip("/") for path in system.find(place)}


def _is_export(system: Any, place: str, files: set[str]) -> bool:
    """Whether they are those of an export, perhaps an incomplete one."""
    if not all(name == CARD or name.startswith(DATA) for name in files):
        return False
    return CARD not in files or is_card(system.cat_file(f"{place}/{CARD}").decode("utf-8", "replace"))
