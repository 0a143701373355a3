"""The form of a row: how long it is, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_FORMS = {
    "code": re.compile(
        r"```|^\s*(?:def|class|import|from|return|#include|function|var|let|const)\b.*[\w)\]:;{]$", re.M
    ),
    "JSON": re.compile(r"\A\s*[\[{].*[\]}]\s*\Z", re.S),
    "table": re.compile(r"^\s*\|.+\|\s*$", re.M),
    "list": re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+\S.*\n\s*(?:[-*•]|\d+[.)])\s+\S", re.M),
    "dialogue": re.compile(r"^\s*\w[\w ]{0,20}:\s.*\n(?:.*\n)*?\s*\w[\w ]{0,20}:\s", re.M),
    "paragraphs": re.compile(r"\S\s*\n\s*\n\s*\S"),
    "lines": re.compile(r"\S\s*\n\s*\S"),
}
_BLANK = re.compile(r"\n\s*\n")


def form(text: str) -> str:
    """The first of these that it is: empty, code, JSON, table, list, dialogue, paragraphs, lines, or a line."""
    # Models that run astray write thousands of empty lines, and the patterns' time grows with their square and cube.
    text = _BLANK.sub("\n\n", text[:4000].strip())
    return next((name for name, pattern in _FORMS.items() if pattern.search(text)), "one line") if text else "empty"


def bins(lengths: Sequence[int], real: Sequence[int]) -> list[str]:
    """Of each length, between which tenths of the real lengths it lies."""
    edges = np.unique(np.quantile(np.asarray(real), np.arange(0.1, 1.0, 0.1), method="nearest"))
    return [str(at) for at in np.searchsorted(edges, np.asarray(lengths), side="right")]


def cut(texts: Sequence[str], words: int) -> list[str]:
    """The first so many words of each text, so that none says more for being longer."""
    return [" ".join(text.split(None, words)[:words]) for text in texts]
