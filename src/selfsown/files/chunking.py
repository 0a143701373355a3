"""A document is cut into chunks: at headings first, then at paragraphs, sentences, lines, and words."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator

# Where to cut, the best first: each matches just before the place.
PARAGRAPH = re.compile(r"(?=\n[ \t]*\n)")
SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]")
LINE = re.compile(r"(?=\n)")
WORD = re.compile(r"(?=\s)")
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # what some tools want to know of a page


def chunks(text: str, size: int, overlap: int = 0) -> Iterator[str]:
    """Chunks of at most `size` characters; each begins with the last `overlap` of the one before, in whole words.

    Put together they are the text, but for white space at their ends. A word is cut where it alone is too long.
    """
    start = 0
    while start < len(text):
        end = _end(text, start, size)
        if chunk := text[start:end].strip():
            yield chunk
        back = _back(text, start, end, overlap) if overlap else end
        start = back if _end(text, back, size) > end else end  # before a word too long, a chunk would say nothing new


def _end(text: str, start: int, size: int) -> int:
    """Where the chunk ends: as late as it may, but rather at a paragraph in its second half than later in one."""
    last = start + size
    if last >= len(text):
        return len(text)
    for pattern, first in ((PARAGRAPH, size // 2), (SENTENCE, size // 2), (LINE, size // 2), (WORD, 1)):
        found = [match.end() for match in pattern.finditer(text, start + first, last + 1)]
        if places := [place for place in found if place <= last]:
            return places[-1]
    return last


def _back(text: str, start: int, end: int, overlap: int) -> int:
    """Where the next chunk starts: at a word, `overlap` characters back at the most."""
    first = max(end - overlap, start + 1)
    if text[first - 1].isspace():
        return first
    inside = WORD.search(text, first, end)
    return inside.end() if inside else end


def sections(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a Markdown text, each with the path of its headings ("Guide > Install") and its own heading.

    A heading that nothing stands under goes with the part that follows; front matter is left out.
    """
    from markdown_it import MarkdownIt

    text = _FRONT.sub("", text, count=1)
    tokens = MarkdownIt("commonmark").disable("inline").parse(text)
    lines, path, start, last = list(io.StringIO(text)), dict[int, str](), 0, -1
    for token, inline in itertools.pairwise(tokens):
        if token.type != "heading_open" or token.level or not token.map:
            continue
        at, after = token.map
        if at > last and "".join(lines[start:at]).strip():
            yield _path(path), "".join(lines[start:at])
            start = at
        level = int(token.tag[1])
        path = {deep: words for deep, words in path.items() if deep < level} | {level: inline.content}
        last = after + _blank(lines, after)
    yield _path(path), "".join(lines[start:])


def _blank(lines: list[str], at: int) -> int:
    """How many blank lines follow."""
    return next((more for more, line in enumerate(lines[at:]) if line.strip()), 0)


def _path(headings: dict[int, str]) -> str:
    return " > ".join(words for _, words in sorted(headings.items()))
