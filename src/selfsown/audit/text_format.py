"""The form of a text: its length bin, and whether it is code, a list, a table or prose."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from selfsown.text.near_duplicates import Array

MAX_FORM_CHARS = 4000  # of the beginning of a text
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
_NEEDED = {"table": "|", "list": "\n", "dialogue": "\n", "paragraphs": "\n", "lines": "\n"}  # for a form, in the text
_BLANK_LINES = re.compile(r"\n\s*\n")


def text_form(text: str) -> str:
    """The first form that matches: empty, code, JSON, table, list, dialogue, paragraphs, lines, or one line."""
    # Degenerate models write thousands of empty lines, on which the patterns take quadratic to cubic time.
    text = _BLANK_LINES.sub("\n\n", text[:MAX_FORM_CHARS].strip())
    if not text:
        return "empty"
    possible = ((name, pattern) for name, pattern in _FORMS.items() if _NEEDED.get(name, "") in text)
    return next((name for name, pattern in possible if pattern.search(text)), "one line")


def length_counts(synthetic: Array, real: Array) -> dict[str, tuple[int, int]]:
    """How many synthetic and how many real lengths lie in each bin; the edges are the deciles of the real lengths."""
    edges = np.unique(np.quantile(real, np.arange(0.1, 1.0, 0.1), method="nearest"))
    bins = [np.bincount(np.searchsorted(edges, side, "right"), minlength=len(edges) + 1) for side in (synthetic, real)]
    return {str(index): pair for index, pair in enumerate(zip(*(side.tolist() for side in bins), strict=True))}


def first_words(texts: Sequence[str], count: int) -> list[str]:
    """The first `count` words of each text, so that longer texts do not count as richer ones."""
    return [" ".join(text.split(None, count)[:count]) for text in texts]
