"""Cut documents into chunks: at headings first, then at paragraphs, sentences, lines and words."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator

# Where to cut, best first: each pattern matches just before the cut.
PARAGRAPH = re.compile(r"(?=\n[ \t]*\n)")
SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]")
LINE = re.compile(r"(?=\n)")
WORD = re.compile(r"(?=\s)")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def chunks(text: str, size: int, overlap: int = 0) -> Iterator[str]:
    """Chunks of at most `size` characters; each begins with up to `overlap` last characters of the previous one, in
    whole words.

    Joined, they are the text, except for white space at their ends. Only a word longer than `size` is cut.
    """
    start = 0
    while start < len(text):
        end = _end(text, start, size)
        if chunk := text[start:end].strip():
            yield chunk
        overlapping = _overlap_start(text, start, end, overlap) if overlap else end
        # Before a word that is too long, the overlapping chunk would hold nothing new.
        start = overlapping if _end(text, overlapping, size) > end else end


def _end(text: str, start: int, size: int) -> int:
    """The end of the chunk: the last paragraph end in its second half, else the last sentence, line or word end."""
    last = start + size
    if last >= len(text):
        return len(text)
    for pattern, first in ((PARAGRAPH, size // 2), (SENTENCE, size // 2), (LINE, size // 2), (WORD, 1)):
        ends = [match.end() for match in pattern.finditer(text, start + first, last + 1)]
        if fitting := [end for end in ends if end <= last]:
            return fitting[-1]
    return last


def _overlap_start(text: str, start: int, end: int, overlap: int) -> int:
    """The start of the next chunk: at a word, at most `overlap` characters back."""
    first = max(end - overlap, start + 1)
    if text[first - 1].isspace():
        return first
    word = WORD.search(text, first, end)
    return word.end() if word else end


def sections(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a Markdown text, each with the path of its headings ("Guide > Install") and its own heading.

    A heading without text under it goes with the following part; front matter is left out.
    """
    from markdown_it import MarkdownIt

    text = _FRONT_MATTER.sub("", text, count=1)
    tokens = MarkdownIt("commonmark").disable("inline").parse(text)
    lines, path, start, last = list(io.StringIO(text)), dict[int, str](), 0, -1
    for token, inline in itertools.pairwise(tokens):
        if token.type != "heading_open" or token.level or not token.map:
            continue
        line, after = token.map
        if line > last and "".join(lines[start:line]).strip():
            yield _heading_path(path), "".join(lines[start:line])
            start = line
        level = int(token.tag[1])
        path = {depth: title for depth, title in path.items() if depth < level} | {level: inline.content}
        last = after + _blank_lines(lines, after)
    yield _heading_path(path), "".join(lines[start:])


def _blank_lines(lines: list[str], start: int) -> int:
    """The number of blank lines from `start` on."""
    return next((count for count, line in enumerate(lines[start:]) if line.strip()), 0)


def _heading_path(headings: dict[int, str]) -> str:
    return " > ".join(title for _, title in sorted(headings.items()))
