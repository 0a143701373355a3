"""The beginning of a text on one line, cut between words."""

from __future__ import annotations

from collections.abc import Callable

ELLIPSIS = "…"
CHARS_PER_CELL = 20  # more of a text are not looked at: a mark that takes no place, or white space


def excerpt(text: str, size: int, width: Callable[[str], int] = len) -> str:
    """The text with every white space as one space; if it is longer than `size`, its first words and an ellipsis.

    A word that does not fit by itself is cut. width: of a text, such as the columns that it takes on a terminal.
    """
    line = " ".join(text[: CHARS_PER_CELL * size + 1].split())
    if width(line) <= size and len(text) <= CHARS_PER_CELL * size:
        return line
    end = len(line)
    if width(line) > size - 1:
        end = next(index for index in range(1, len(line) + 1) if width(line[:index]) > size - 1) - 1
    space = line.rfind(" ", 0, end + 1)
    return line[: space if space >= end // 2 else end].rstrip() + ELLIPSIS


def fitting(words: list[str], size: int, separator: str, width: Callable[[str], int] = len) -> list[str]:
    """The words on as many lines as they need, each at most `size` wide where a word is not wider by itself."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{separator}{word}" if lines else ""
        if longer and width(longer) <= size:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
