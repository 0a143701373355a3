"""Documents cut into chunks, one row each: plain text, Markdown, HTML, PDF and DOCX, from a file or a folder of them.

HTML and DOCX are converted to Markdown first, so that their headings name the sections. Of a web page the main part is
used; links keep their text, pictures and scripts are removed. A PDF keeps its line breaks.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from selfsown.errors import DataError, RecipeError, one_line
from selfsown.files.chunking import chunks, sections
from selfsown.files.readers import text_of
from selfsown.files.user_rows import Seeds
from selfsown.option_types import Natural
from selfsown.records import Row, SelfsownError, SetAside

ChunkChars = Annotated[int, Field(ge=20)]
ALL_FILES = "**/*"


@dataclass(frozen=True)
class Task(Seeds):
    """path: a file or a folder. chunk_chars: the most characters in a chunk. overlap_chars: how many of them also begin
    the next chunk. pattern: which files of the folder; with a pattern, files of unknown types are read as text.
    skip_bad: skip files that cannot be read, with a warning, and count them. license: the license of the documents, as
    their owner states it."""

    path: str
    chunk_chars: ChunkChars = 2000
    overlap_chars: Natural = 0
    pattern: str = ALL_FILES
    skip_bad: bool = False
    license: str = ""

    def __post_init__(self) -> None:
        if self.overlap_chars > self.chunk_chars // 2:
            raise RecipeError(
                f"real.documents.overlap_chars is {self.overlap_chars}; it must be at most half of chunk_chars, "
                f"{self.chunk_chars}"
            )

    @property
    def name(self) -> str:
        return Path(self.path).name

    def pose(self, seed: int) -> Iterator[Row]:
        """The chunks of all documents. Raises DataError where none has text, or one cannot be read without skip_bad."""
        count = 0
        skipped = list[SetAside]()
        for name, path in self._files():
            count_before = count
            try:
                parts = _read_parts(path)
            except SelfsownError as error:
                if not self.skip_bad:
                    raise DataError(f"{error}; skip such files with --set real.documents.skip_bad=true") from error
                _warn_once(f"{error}; skipped")
                skipped.append(SetAside(name, str(error).removeprefix(f"{path} ")))
                continue
            pieces = (
                (section, piece)
                for section, text in parts
                for piece in chunks(text, self.chunk_chars, self.overlap_chars)
            )
            for number, (section, piece) in enumerate(pieces, 1):
                metadata = {"source": name} | ({"section": section} if section else {})
                yield Row("", piece, target=piece, source=f"{name}#{number}", sample_index=count, metadata=metadata)
                count += 1
            if count == count_before:
                skipped.append(SetAside(name, "contains no text"))
        self._account(skipped)
        if not count:
            raise DataError(f"{self.path} contains no text to cut into rows")

    def _files(self) -> list[tuple[str, Path]]:
        """The documents with their paths in the folder, sorted; hidden ones are left out."""
        folder = Path(self.path)
        if folder.is_file():
            return [(folder.name, folder)]
        if not folder.is_dir():
            raise DataError(f"there is no file or folder {folder}; name one: real: {{documents: {{path: FOLDER}}}}")
        try:
            paths = {path.relative_to(folder): path for path in folder.glob(self.pattern) if path.is_file()}
        except (NotImplementedError, ValueError) as error:
            raise RecipeError(
                f"real.documents.pattern is {self.pattern!r}; {error}; use a pattern such as **/*.md"
            ) from error
        visible = {
            relative.as_posix(): path
            for relative, path in paths.items()
            if not any(part[0] == "." for part in relative.parts)
        }
        chosen = {
            name: path for name, path in visible.items() if self.pattern != ALL_FILES or path.suffix.lower() in READERS
        }
        if not chosen:
            types = ", ".join(sorted({path.suffix or path.name for path in visible.values()})) or "none"
            raise DataError(
                f"{folder} has no documents that match {self.pattern}; supported: {', '.join(READERS)}; "
                f"available: {types}"
            )
        return sorted(chosen.items())


@cache
def _warn_once(message: str) -> None:
    """Log the warning once, however often the documents are read."""
    logging.getLogger(__name__).warning("selfsown: %s", message)


def _read_parts(path: Path) -> list[tuple[str, str]]:
    """The document's parts as (section, text). Raises DataError where it cannot be read, for any reason."""
    read = READERS.get(path.suffix.lower(), _plain)
    try:
        return read(path)
    except SelfsownError:
        raise
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path} needs the package {error.name}, which is not installed: pip install 'selfsown[documents]'"
        ) from error
    except Exception as error:  # a damaged file can make a reader fail with any exception
        raise DataError(f"{path} cannot be read as {path.suffix[1:].upper()} ({one_line(error)})") from error


def _plain(path: Path) -> list[tuple[str, str]]:
    return [("", text_of(path))]


def _markdown(path: Path) -> list[tuple[str, str]]:
    return list(sections(text_of(path)))


def _html(path: Path) -> list[tuple[str, str]]:
    return list(sections(_as_markdown(path.read_bytes())))


def _docx(path: Path) -> list[tuple[str, str]]:
    import mammoth

    with path.open("rb") as file:
        page = mammoth.convert_to_html(file, convert_image=mammoth.images.img_element(lambda image: {}))
    return list(sections(_as_markdown(page.value)))


def _as_markdown(page: str | bytes) -> str:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about pages that declare XML
        soup = BeautifulSoup(page, "html.parser")
    for part in soup(["script", "style", "nav", "footer", "aside", "form", "noscript", "template", "svg", "head"]):
        part.decompose()
    converter = MarkdownConverter(
        heading_style="ATX", bullets="-", strip=["a", "img"], escape_asterisks=False, escape_underscores=False
    )
    return _normal_text(converter.convert_soup(soup.main or soup.body or soup))


def _pdf(path: Path) -> list[tuple[str, str]]:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # users cannot fix what it warns about
    with PdfReader(path) as reader:
        if reader.is_encrypted and not reader.decrypt(""):
            raise DataError(f"{path} is encrypted; save it without a password")
        text = "\n\n".join(page.extract_text() for page in reader.pages)
    if not text.strip():
        raise DataError(f"{path} contains images but no text; run text recognition (OCR) on it first")
    return [("", _normal_text(text))]


def _normal_text(text: str) -> str:
    """The text with one kind of line end and without unpaired surrogates, so that it can be encoded."""
    valid = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return valid.replace("\r\n", "\n").replace("\r", "\n")


READERS: dict[str, Callable[[Path], list[tuple[str, str]]]] = {
    ".txt": _plain,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
}
