"""Documents cut into chunks, a row each: plain text, Markdown, HTML, PDF and DOCX, from a file or a folder of them.

HTML and DOCX become Markdown first, so that their headings name the sections. Of a web page the main part is
taken; links keep their words, pictures and scripts go. A PDF keeps the lines as they were set.
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

from selfsown.files.chunking import chunks, sections
from selfsown.files.readers import read_text
from selfsown.files.user_rows import UserRows
from selfsown.option_types import Natural
from selfsown.records import Row, SelfsownError, SetAside

Size = Annotated[int, Field(ge=20)]
ALL = "**/*"


@dataclass(frozen=True)
class Task(UserRows):
    """path: a file, or a folder. chunk: characters in one at the most. overlap: of these, how many begin the next,
    too. pattern: which files of the folder; where it is given, files of other endings are read as text. skip: go on
    without a file that cannot be read, say so, and count it. license: what the documents may be used under, as their
    owner says."""

    path: str
    chunk_chars: Size = 2000
    overlap_chars: Natural = 0
    pattern: str = ALL
    skip_bad: bool = False
    license: str = ""

    def __post_init__(self) -> None:
        if self.overlap_chars > self.chunk_chars // 2:
            raise SelfsownError(
                f"real.documents.overlap is {self.overlap_chars}; it must be at most half of chunk, which is {self.chunk_chars}"
            )

    @property
    def name(self) -> str:
        return Path(self.path).name

    def pose(self, seed: int) -> Iterator[Row]:
        draw = 0
        aside = list[SetAside]()
        for source, path in self._files():
            before = draw
            try:
                parts = _parts(path)
            except SelfsownError as error:
                if not self.skip_bad:
                    raise SelfsownError(f"{error}; or go on without it: --set real.documents.skip_bad=true") from error
                _told(f"{error}; skipped")
                aside.append(SetAside(source, str(error).removeprefix(f"{path} ")))
                continue
            pieces = (
                (section, piece)
                for section, part in parts
                for piece in chunks(part, self.chunk_chars, self.overlap_chars)
            )
            for at, (section, piece) in enumerate(pieces, 1):
                traits = {"source": source} | ({"section": section} if section else {})
                yield Row("", piece, target=piece, source=f"{source}#{at}", sample_index=draw, metadata=traits)
                draw += 1
            if draw == before:
                aside.append(SetAside(source, "holds no text"))
        self._remember_skipped(aside)
        if not draw:
            raise SelfsownError(f"{self.path} holds no text to cut into rows")

    def _files(self) -> list[tuple[str, Path]]:
        """The documents by their path in the folder, in its order; what is hidden is left out."""
        folder = Path(self.path)
        if folder.is_file():
            return [(folder.name, folder)]
        if not folder.is_dir():
            raise SelfsownError(f"there is no file or folder {folder}; name one: real: {{documents: {{path: FOLDER}}}}")
        try:
            found = {path.relative_to(folder): path for path in folder.glob(self.pattern) if path.is_file()}
        except (NotImplementedError, ValueError) as error:
            raise SelfsownError(
                f"real.documents.pattern is {self.pattern!r}; {error}; write such as **/*.md"
            ) from error
        seen = {at.as_posix(): path for at, path in found.items() if not any(part[0] == "." for part in at.parts)}
        named = {at: path for at, path in seen.items() if self.pattern != ALL or path.suffix.lower() in READERS}
        if not named:
            there = ", ".join(sorted({path.suffix or path.name for path in seen.values()})) or "none"
            raise SelfsownError(
                f"{folder} has no documents like {self.pattern}; read are {', '.join(READERS)}; there is: {there}"
            )
        return sorted(named.items())


@cache
def _told(words: str) -> None:
    """Said once, however often the documents are read."""
    logging.getLogger(__name__).warning("selfsown: %s", words)


def _parts(path: Path) -> list[tuple[str, str]]:
    """The document's parts with their sections; SelfsownError where it cannot be read, whatever the reason."""
    read = READERS.get(path.suffix.lower(), _plain)
    try:
        return read(path)
    except SelfsownError:
        raise
    except ModuleNotFoundError as error:
        raise SelfsownError(
            f"{path} needs the package {error.name}, which is not installed: pip install 'selfsown[documents]'"
        ) from error
    except Exception as error:  # a damaged file makes a reader fail in any way
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{path} cannot be read as {path.suffix[1:].upper()} ({said})") from error


def _plain(path: Path) -> list[tuple[str, str]]:
    return [("", read_text(path))]


def _markdown(path: Path) -> list[tuple[str, str]]:
    return list(sections(read_text(path)))


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
        warnings.simplefilter("ignore")  # it has its doubts where a page calls itself XML
        soup = BeautifulSoup(page, "html.parser")
    for part in soup(["script", "style", "nav", "footer", "aside", "form", "noscript", "template", "svg", "head"]):
        part.decompose()
    converter = MarkdownConverter(
        heading_style="ATX", bullets="-", strip=["a", "img"], escape_asterisks=False, escape_underscores=False
    )
    return _mended(converter.convert_soup(soup.main or soup.body or soup))


def _pdf(path: Path) -> list[tuple[str, str]]:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # what it doubts is not the user's to mend
    with PdfReader(path) as reader:
        if reader.is_encrypted and not reader.decrypt(""):
            raise SelfsownError(f"{path} is encrypted; save it without a password")
        text = "\n\n".join(page.extract_text() for page in reader.pages)
    if not text.strip():
        raise SelfsownError(f"{path} holds pictures and no text; have its letters recognised (OCR) first")
    return [("", _mended(text))]


def _mended(text: str) -> str:
    """Text that can be written: one kind of line end, and no halves of characters."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n")


READERS: dict[str, Callable[[Path], list[tuple[str, str]]]] = {
    ".txt": _plain,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
}
