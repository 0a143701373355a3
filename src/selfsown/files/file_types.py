"""What a file holds and what packed it, known by its first bytes: a name may say anything, or nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from selfsown.records import SelfsownError

HEAD = 512  # bytes
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"\x1f\x9d": "compress",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\xff\x06\x00\x00sNaPpY": "Snappy",
}
_NAMED = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bzip2", ".xz": "xz"}
_NAMED |= {".lz4": "lz4", ".zip": "zip", ".z": "compress", ".7z": "7-Zip", ".rar": "RAR", ".sz": "Snappy"}
_NAMED |= {".br": "Brotli", ".lzma": "LZMA", ".lz": "lzip", ".lzo": "lzop"}
_READ = ("gzip", "zstd", "bzip2", "xz", "lz4", "zip")
_HELD = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"\xff\xff\xff\xff": ".arrow",  # a stream of batches, as the datasets library saves it
}
_CSV = "save the sheet as CSV (UTF-8)"
_FOREIGN = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": f"is an old Excel or Word file; {_CSV}, or the text as .docx",
    b"SQLite format 3\x00": "is an SQLite database; export its table as CSV",
    b"Obj\x01": "is an Avro file; write it as Parquet or JSON lines",
    b"FEA1": "is a Feather file of version 1; write it as Parquet",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file; write it as Parquet or CSV",
    b"\x93NUMPY": "is a NumPy array; write it as Parquet or CSV",
    b"%PDF-": "is a PDF; give it the ending .pdf and have it cut into rows with real: {documents: {path: …}}",
    b"version https://git-lfs.github.com/": "is a pointer of Git LFS, not the file itself; run: git lfs pull",
}


def kind_of(path: Path) -> str:
    """The ending that says how the file is to be read, without that of its packing: ".jsonl", ".parquet", ….

    What the first bytes say outweighs the name. SelfsownError where the file cannot be opened or is of a kind that is
    not read here, with what to do about it.
    """
    with _reported(path):
        packing = packing_of(path)
        with unpacked(path) as file:
            head = file.read(HEAD)
        name = Path(_member(path)) if packing == "zip" else path
    if foreign := next((words for magic, words in _FOREIGN.items() if head.startswith(magic)), ""):
        raise SelfsownError(f"{path} {foreign}")
    if head[257:262] == b"ustar":
        raise SelfsownError(f"{path} is a tar archive; unpack it and name one file of rows")
    suffix = Path(name.stem).suffix if name.suffix.lower() in _NAMED else name.suffix
    held = next((kind for magic, kind in _HELD.items() if head.startswith(magic)), "")
    if packing and (held or suffix.lower() in (".parquet", ".pq", ".arrow", ".feather")):
        raise SelfsownError(f"{path} holds {held or suffix} packed once more by {packing}; unpack it first")
    return held or suffix.lower()


def packing_of(path: Path) -> str:
    """What packed the file, "" where nothing did; SelfsownError where that cannot be unpacked here."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    packing = next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")
    if packing == "bzip2" and head[4:10] != b"1AY&SY":  # a text may begin with the same three letters
        packing = ""
    named = _NAMED.get(path.suffix.lower(), "")
    if (packing and packing not in _READ) or (named and not packing):
        by = packing or named
        if by in _READ:
            raise SelfsownError(
                f"{path} cannot be unpacked: it is not packed by {by}; give it the ending it should have"
            )
        raise SelfsownError(
            f"{path} is packed by {by}, which is not read here; unpack it, or pack it with gzip or zstd"
        )
    return packing


@contextmanager
def opened(path: Path, newline: str | None) -> Iterator[TextIO]:
    """The file's text, unpacked; SelfsownError where it cannot be read or is no UTF-8."""
    try:
        with _reported(path), unpacked(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked, as a stream."""
    packing = packing_of(path)
    if packing in ("zstd", "lz4"):
        import pyarrow

        with pyarrow.input_stream(str(path), compression=packing) as stream:
            yield stream
    elif packing == "zip":
        with zipfile.ZipFile(path) as archive, _entered(path, archive) as member:
            yield member
    else:
        opener: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}.get(packing, open)
        with opener(path, "rb") as file:
            yield file


def _entered(path: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    try:
        return archive.open(_member(path))
    except (RuntimeError, NotImplementedError) as error:  # it has a password, or was packed in a rare way
        raise SelfsownError(f"{path} cannot be unpacked: {error}") from error


def _member(path: Path) -> str:
    """The name of the one file in a zip archive; SelfsownError where it holds another number of files."""
    with zipfile.ZipFile(path) as archive:
        names = [each.filename for each in archive.infolist() if not each.is_dir()]
    if "[Content_Types].xml" in names:
        office = (
            f"an Excel workbook; {_CSV}" if "xl/workbook.xml" in names else "an Office document; give it its ending"
        )
        raise SelfsownError(f"{path} is {office}")
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        shown = ", ".join(names[:3]) + ", …" * (len(names) > 3)
        raise SelfsownError(f"{path} holds {len(names)} files ({shown}); unpack it and name one, or pack one alone")
    return names[0]


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read or unpacked, in one line."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise SelfsownError(f"{path} cannot be unpacked: {error}; pack it again") from error
    except OSError as error:  # without a number it is bzip2's, zstd's or lz4's, on a damaged file
        said = " ".join((error.strerror or str(error)).split())
        failed = "cannot be unpacked" if error.errno is None else "cannot be read"
        raise SelfsownError(f"{path} {failed}: {said}") from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> SelfsownError:
    """Text is decoded a block at a time, so the line is looked for once more."""
    with unpacked(path) as file:
        head = file.read(HEAD)
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return SelfsownError(
            f"{path} is not UTF-8 text but binary data of a kind that is not known here; "
            "write it as JSON lines, CSV or Parquet"
        )
    with unpacked(path) as file:
        for at, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as found:
                byte = line[found.start]
                return SelfsownError(f"{path}:{at} is not UTF-8 text (byte {byte:#x}); convert the file to UTF-8")
    return SelfsownError(f"{path} is not UTF-8 text ({error.reason}); convert the file to UTF-8")
