"""Formats and compressions are detected by the first bytes; unsupported ones are errors with a remedy."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown.files.readers import records
from selfsown.records import SelfsownError
from selfsown.tasks.file import Task

ROWS = [{"prompt": "Name a river.", "answer": "Ebro, naïvely 東京"}, {"prompt": "And a lake?", "answer": "Como"}]
LINES = '{"prompt": "Name a river.", "answer": "Ebro, naïvely 東京"}\n{"prompt": "And a lake?", "answer": "Como"}\n'
TABLE = pyarrow.Table.from_pylist(ROWS)


def by_arrow(codec: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        sink = pyarrow.BufferOutputStream()
        with pyarrow.output_stream(sink, compression=codec) as out:
            out.write(content)
        return bytes(sink.getvalue())

    return pack


def zipped(content: bytes, name: str = "rows.jsonl", **others: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, what in {name: content, **others}.items():
            archive.writestr(member, what)
    return sink.getvalue()


PACKERS = {
    "gz": gzip.compress,
    "zst": by_arrow("zstd"),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lz4": by_arrow("lz4"),
    "zip": zipped,
}


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path) -> list[dict[str, object]]:
    return [record for _, record in records(path)]


def parquet(**options: object) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, sink, **options)
    return sink.getvalue()


def arrow(stream: bool = False) -> bytes:
    sink = io.BytesIO()
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def feather() -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(TABLE, sink)
    return sink.getvalue()


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("named", ["rows.jsonl.{}", "ROWS.JSONL.{}", "rows.jsonl"])
def test_compressed_files_are_read_under_any_suffix(ending: str, named: str, tmp_path: Path) -> None:
    name = named.format(ending.upper() if named.isupper() else ending)
    assert read(put(tmp_path, name, PACKERS[ending](LINES.encode()))) == ROWS


def test_a_compression_under_the_suffix_of_another_is_read(tmp_path: Path) -> None:
    assert read(put(tmp_path, "rows.jsonl.gz", PACKERS["zst"](LINES.encode()))) == ROWS
    assert read(put(tmp_path, "rows.jsonl.zst", PACKERS["gz"](LINES.encode()))) == ROWS


@pytest.mark.parametrize("ending", ["gz", "zst", "bz2", "xz", "lz4"])
def test_concatenated_compressed_parts_are_all_read(ending: str, tmp_path: Path) -> None:
    first, second = LINES.encode().splitlines(keepends=True)
    assert read(put(tmp_path, f"rows.jsonl.{ending}", PACKERS[ending](first) + PACKERS[ending](second))) == ROWS


@pytest.mark.parametrize("ending", PACKERS)
@settings(max_examples=6, deadline=None)
@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff")), max_size=9))
def test_any_text_comes_out_as_it_went_in(
    ending: str, lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = "".join(line + "\n" for line in ["first", *lines]).encode()
    packed = PACKERS[ending](content) if ending != "zip" else zipped(content, "rows.txt")
    path = put(tmp_path_factory.mktemp("any"), f"rows.txt.{ending}" if ending != "zip" else "rows.zip", packed)
    assert [record["text"] for record in read(path)] == ["first", *(line for line in lines if line.strip())]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.pq", "rows.data", "rows.jsonl", "rows"])
@pytest.mark.parametrize(
    "content", [parquet(), parquet(compression="zstd"), arrow(), arrow(stream=True), feather()], ids=repr
)
def test_binary_formats_are_detected_under_any_name(name: str, content: bytes, tmp_path: Path) -> None:
    path = put(tmp_path, name, content)
    assert read(path) == ROWS
    assert [list(record) for _, record in records(path, ["answer"])] == [["answer"], ["answer"]]
    assert [(row.prompt, row.answer) for row in Task(str(path)).pose(0)] == [tuple(row.values()) for row in ROWS]


def test_a_zip_of_one_file_has_the_format_of_that_file(tmp_path: Path) -> None:
    table = "prompt,answer\nName a river.,Ebro\n"
    mac = {"__MACOSX/._rows.csv": b"\0\1"}
    assert read(put(tmp_path, "download.zip", zipped(table.encode(), "folder/rows.csv", **mac))) == [
        {"prompt": "Name a river.", "answer": "Ebro"}
    ]


def tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        info = tarfile.TarInfo("rows.jsonl")
        info.size = len(LINES.encode())
        archive.addfile(info, io.BytesIO(LINES.encode()))
    return sink.getvalue()


def locked() -> bytes:
    """A zip archive whose only file is marked as encrypted."""
    content = bytearray(zipped(LINES.encode()))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


REFUSED = [
    ("rows.jsonl.Z", b"\x1f\x9d\x90" + bytes(40), "compressed with compress, which is not supported; unpack it"),
    ("rows.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), "compressed with 7-Zip"),
    ("rows.rar", b"Rar!\x1a\x07\x01\x00", "compressed with RAR"),
    ("rows.jsonl.br", b"\x0b\x02\x80hello\x03", "compressed with Brotli"),
    ("rows.jsonl.sz", b"\xff\x06\x00\x00sNaPpY" + bytes(9), "compressed with Snappy"),
    ("rows.xlsx", zipped(b"<x/>", "[Content_Types].xml", **{"xl/workbook.xml": b"<w/>"}), "save the sheet as CSV"),
    ("rows.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old Excel or Word file"),
    ("text.odd", zipped(b"<x/>", "[Content_Types].xml", **{"word/document.xml": b"<w/>"}), "an Office document"),
    ("two.zip", zipped(b"a", "a.csv", **{"b.csv": b"b"}), "has 2 files (a.csv, b.csv)"),
    ("none.zip", zipped(b"", "folder/"), "has 0 files"),
    ("locked.zip", locked(), "cannot be unpacked"),
    ("rows.tar.gz", tar(), "tar archive"),
    ("rows.parquet.gz", gzip.compress(parquet()), ".parquet compressed again with gzip; unpack it first"),
    ("rows.db", b"SQLite format 3\x00" + bytes(99), "SQLite database"),
    ("rows.avro", b"Obj\x01" + bytes(99), "Avro"),
    ("rows.feather", b"FEA1" + bytes(99), "Feather file of version 1"),
    ("rows.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    ("rows.npy", b"\x93NUMPY\x01" + bytes(99), "NumPy"),
    ("rows.txt", b"%PDF-1.7\n" + bytes(99), "is a PDF"),
    ("rows.pkl", b"\x80\x04\x95" + bytes(99), "binary data of an unknown format"),
    ("rows.arrow", b"plain text\n", "not an Arrow file"),
    ("rows.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ("rows.jsonl.gz", LINES.encode(), "it is not compressed with gzip"),
    ("rows.jsonl", LINES.encode("utf-16"), "convert the file to UTF-8"),
]


@pytest.mark.parametrize(("name", "content", "said"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_unsupported_formats_are_one_line_errors(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(SelfsownError) as caught:
        read(put(tmp_path, name, content))
    message = str(caught.value)
    assert said in message
    assert name in message
    assert len(message.splitlines()) == 1
    assert ("UTF-8; convert" in message or "convert the file" in message) == (content[:2] == b"\xff\xfe")


@pytest.mark.parametrize("ending", PACKERS)
def test_damaged_compressed_files_are_errors(ending: str, tmp_path: Path) -> None:
    whole = PACKERS[ending](LINES.encode() * 3000)
    with pytest.raises(SelfsownError, match="cannot be unpacked"):
        read(put(tmp_path, f"rows.jsonl.{ending}", whole[: len(whole) // 2]))


def test_text_that_begins_as_a_packed_file_does_is_text(tmp_path: Path) -> None:
    assert read(put(tmp_path, "rows.txt", b"BZh9 is how bzip2 begins\n")) == [{"text": "BZh9 is how bzip2 begins"}]
    assert read(put(tmp_path, "rows.txt", b"PARTY\nORC and elf\n")) == [{"text": "PARTY"}, {"text": "ORC and elf"}]
    assert read(put(tmp_path, "rows.txt", b"a\0b\n")) == [{"text": "a\0b"}]
