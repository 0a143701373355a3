"""The commands in README and docs, as a reader would type them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("selfsown", "python", "python3", "pip", "make")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(selfsown [a-z][^`]*)`")


@dataclass(frozen=True)
class Command:
    """A command of a page, split into words as a shell does; settings of the environment before it are left out."""

    page: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return shlex.join(self.words)


def commands() -> list[Command]:
    """Every command in a block of code, each once."""
    found = (Command(_name(page), words) for page in PAGES for words in _block_commands(page.read_text("utf-8")))
    return list(dict.fromkeys(found))


def inline_commands() -> list[Command]:
    """Every `selfsown` command within a sentence that names more than the command."""
    matches = ((page, match) for page in PAGES for match in _INLINE.findall(_BLOCK.sub("", page.read_text("utf-8"))))
    found = (Command(_name(page), tuple(shlex.split(match))) for page, match in matches)
    return [command for command in dict.fromkeys(found) if len(command.words) > 2]


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _block_commands(text: str) -> Iterator[tuple[str, ...]]:
    for block in _BLOCK.findall(text):
        for line in _lines(block):
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for part in _parts(words):
                while part and re.fullmatch(r"[A-Z_]+=.*", part[0]):
                    part = part[1:]
                if part and part[0] in PROGRAMS:
                    yield tuple(part)


def _lines(block: str) -> Iterator[str]:
    """The lines that may be commands; a backslash at the end of a line continues it."""
    for line in re.sub(r"\\\n\s*", "", block).splitlines():
        if re.match(rf"(\$ )?([A-Z_]+=\S* )*({'|'.join(PROGRAMS)}) ", line):
            yield line


def _parts(words: list[str]) -> Iterator[list[str]]:
    """The commands that && joins."""
    part: list[str] = []
    for word in words:
        if word == "&&":
            yield part
            part = []
        else:
            part.append(word)
    yield part
