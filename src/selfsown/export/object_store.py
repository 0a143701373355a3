"""Copies an export to an address such as s3://bucket/folder, through fsspec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfsown import progress
from selfsown.errors import SelfsownError
from selfsown.export.destination import CARD, DATA, EXPORT_TAG, are_of_export, check_export
from selfsown.files.remote import errors_explained

INCOMPLETE = f"---\ntags: [{EXPORT_TAG}]\n---\nThis data set is not complete; repeat `selfsown push`.\n"


def push(folder: Path, address: str) -> str:
    """Copy the export to the folder at the address, in place of an earlier export there; returns the address.

    Until all data are there, the card says that they are not. SelfsownError where the folder is not an export, or the
    address holds other files or cannot be written.
    """
    check_export(folder)
    address = address.rstrip("/")
    with errors_explained(address, "written"):
        import fsspec
        from fsspec.asyn import AsyncFileSystem

        system, place = fsspec.url_to_fs(address)
        earlier = _files(system, place)
        if earlier and not _is_export(system, place, earlier):
            raise SelfsownError(f"{address} holds other files than an export; name a new or an empty folder")
        if not isinstance(system, AsyncFileSystem):  # an object store has no folders, and would create a bucket
            system.makedirs(f"{place}/{DATA}", exist_ok=True)
        system.pipe_file(f"{place}/{CARD}", INCOMPLETE.encode())
        data = sorted(path.relative_to(folder).as_posix() for path in (folder / DATA).iterdir())
        for name in progress.track(data, "uploading", unit="files"):
            system.put_file(str(folder / name), f"{place}/{name}")
        for name in earlier - {CARD, *data}:
            system.rm_file(f"{place}/{name}")
        system.put_file(str(folder / CARD), f"{place}/{CARD}")
    return address


def _files(system: Any, place: str) -> set[str]:
    """The files below the place, by their paths there; "" where the place itself is a file."""
    system.invalidate_cache()
    return {path.removeprefix(place).lstrip("/") for path in system.find(place)}


def _is_export(system: Any, place: str, files: set[str]) -> bool:
    """Whether they are those of an export, perhaps an incomplete one."""
    return CARD in files and are_of_export(files, system.cat_file(f"{place}/{CARD}").decode("utf-8", "replace"))
