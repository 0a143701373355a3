"""The format and the compression of a file, by its first bytes, since a suffix may be wrong or missing."""

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

from selfsown.errors import DataError

HEAD_BYTES = 512  # bytes
_COMPRESSIONS = {
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
_COMPRESSION_SUFFIXES = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bzip2", ".xz": "xz"}
_COMPRESSION_SUFFIXES |= {
    ".lz4": "lz4",
    ".zip": "zip",
    ".z": "compress",
    ".7z": "7-Zip",
    ".rar": "RAR",
    ".sz": "Snappy",
}
_COMPRESSION_SUFFIXES |= {".br": "Brotli", ".lzma": "LZMA", ".lz": "lzip", ".lzo": "lzop"}
_SUPPORTED = ("gzip", "zstd", "bzip2", "xz", "lz4", "zip")
_FORMATS = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"\xff\xff\xff\xff": ".arrow",  # a stream of batches, as the datasets library saves it
}
_SAVE_AS_CSV = "save the sheet as CSV (UTF-8)"
_UNSUPPORTED = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": f"is an old Excel or Word file; {_SAVE_AS_CSV}, or the text as .docx",
    b"SQLite format 3\x00": "is an SQLite database; export its table as CSV",
    b"Obj\x01": "is an Avro file; write it as Parquet or JSON lines",
    b"FEA1": "is a Feather file of version 1; write it as Parquet",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file; write it as Parquet or CSV",
    b"\x93NUMPY": "is a NumPy array; write it as Parquet or CSV",
    b"%PDF-": "is a PDF; rename it to .pdf and cut it into rows with real: {documents: {path: …}}",
    b"version https://git-lfs.github.com/": "is a Git LFS pointer, not the file itself; run: git lfs pull",
}


def kind_of(path: Path) -> str:
    """The suffix of the file's format, without that of its compression: ".jsonl", ".parquet", ….

    The first bytes take precedence over the name. DataError: the file cannot be opened, or its format is not supported.
    """
    with _reported(path):
        compression = compression_of(path)
        with open_bytes(path) as file:
            head = file.read(HEAD_BYTES)
        name = Path(_member(path)) if compression == "zip" else path
    if unsupported := next((reason for magic, reason in _UNSUPPORTED.items() if head.startswith(magic)), ""):
        raise DataError(f"{path} {unsupported}")
    if head[257:262] == b"ustar":
        raise DataError(f"{path} is a tar archive; unpack it and name one file of rows")
    suffix = Path(name.stem).suffix if name.suffix.lower() in _COMPRESSION_SUFFIXES else name.suffix
    by_content = next((kind for magic, kind in _FORMATS.items() if head.startswith(magic)), "")
    if compression and (by_content or suffix.lower() in (".parquet", ".pq", ".arrow", ".feather")):
        raise DataError(f"{path} is {by_content or suffix} compressed again with {compression}; unpack it first")
    return by_content or suffix.lower()


def compression_of(path: Path) -> str:
    """The compression of the file, "" for none. DataError: it is not supported, or not the one of the suffix."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    compression = next((name for magic, name in _COMPRESSIONS.items() if head.startswith(magic)), "")
    if compression == "bzip2" and head[4:10] != b"1AY&SY":  # a text may begin with the same three letters
        compression = ""
    by_suffix = _COMPRESSION_SUFFIXES.get(path.suffix.lower(), "")
    if compression in _SUPPORTED or not (compression or by_suffix):
        return compression
    if not compression and by_suffix in _SUPPORTED:
        raise DataError(f"{path} cannot be unpacked: it is not compressed with {by_suffix}; correct its suffix")
    raise DataError(
        f"{path} is compressed with {compression or by_suffix}, which is not supported; unpack it, or use gzip or zstd"
    )


@contextmanager
def open_text(path: Path, newline: str | None) -> Iterator[TextIO]:
    """The file's text, unpacked; newline as in `open`. DataError: it cannot be read, or is not UTF-8."""
    try:
        with _reported(path), open_bytes(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline=newline) as file:
            yield file
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked, as a stream."""
    compression = compression_of(path)
    if compression in ("zstd", "lz4"):
        import pyarrow

        with pyarrow.input_stream(str(path), compression=compression) as stream:
            yield stream
    elif compression == "zip":
        with zipfile.ZipFile(path) as archive, _open_member(path, archive) as member:
            yield member
    else:
        # Any: not all of their return types are IO[bytes].
        opener: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}.get(compression, open)
        with opener(path, "rb") as file:
            yield file


def _open_member(path: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    try:
        return archive.open(_member(path))
    except (RuntimeError, NotImplementedError) as error:  # a password, or a rare compression method
        raise DataError(f"{path} cannot be unpacked: {error}") from error


def _member(path: Path) -> str:
    """The name of the only file in a zip archive. DataError: it has several files, or none."""
    with zipfile.ZipFile(path) as archive:
        names = [member.filename for member in archive.infolist() if not member.is_dir()]
    if "[Content_Types].xml" in names:
        if "xl/workbook.xml" in names:
            raise DataError(f"{path} is an Excel workbook; {_SAVE_AS_CSV}")
        raise DataError(f"{path} is an Office document; correct its suffix")
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        shown = ", ".join([*names[:3], "…"] if len(names) > 3 else names)
        raise DataError(f"{path} has {len(names)} files ({shown}); unpack it and name one, or compress only one")
    return names[0]


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Errors while a file is read or unpacked, as a one-line DataError."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise DataError(f"{path} cannot be unpacked: {error}; compress it again") from error
    except OSError as error:  # without errno, it comes from bzip2, zstd or lz4 and the file is damaged
        reason = " ".join((error.strerror or str(error)).split())
        failure = "cannot be unpacked" if error.errno is None else "cannot be read"
        raise DataError(f"{path} {failure}: {reason}") from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    """The error with the line; text is decoded in blocks, so the file is read again to find the line."""
    with open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return DataError(
            f"{path} is not UTF-8 text but binary data of an unknown format; write it as JSON lines, CSV or Parquet"
        )
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as line_error:
                byte = line[line_error.start]
                return DataError(f"{path}:{number} is not UTF-8 text (byte {byte:#x}); convert the file to UTF-8")
    return DataError(f"{path} is not UTF-8 text ({error.reason}); convert the file to UTF-8")
