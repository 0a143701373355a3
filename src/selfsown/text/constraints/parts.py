"""The parts of an answer that constraints count: words, sentences, paragraphs, lines and items of lists."""

from __future__ import annotations

import re

from selfsown.text.normalize import unified

BULLET = re.compile(r"^[ \t]*[*\-•][ \t]+(?=.*\w)(.+)$", re.MULTILINE)
NUMBERED = re.compile(r"^[ \t]*(\d+)[.)][ \t]+(?=.*\w)(.+)$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*(?:[*\-•]|\d+[.)])[ \t]+")
_END = re.compile(r"[。！？]+|[.!?…]+[\"')\]*]*(?=\s|$)")
_ABBREVIATIONS = "mr mrs ms dr prof st vs etc e.g i.e no jr sr u.s u.k a.m p.m fig approx dept"
_WORD = re.compile(r"[^\W_]+(?:['.,:/&-][^\W_]+)*")


def spaced_words(text: str) -> list[str]:
    """Words as a reader counts them: "don't", "well-known" and "3.5" are one each. In scripts without spaces, a run."""
    return _WORD.findall(unified(text))


def lines(text: str) -> list[str]:
    """The lines that are not blank, without surrounding spaces."""
    return [line.strip() for line in unified(text).split("\n") if line.strip()]


def paragraphs(text: str) -> list[str]:
    """The parts between blank lines that have a word."""
    parts = re.split(r"\n[ \t]*\n", unified(text))
    return [part.strip() for part in parts if re.search(r"\w", part)]


def sentences(text: str) -> list[str]:
    """The sentences. A line break ends one; abbreviations, initials and decimal points do not."""
    parts = [sentence for line in lines(text) for sentence in _line_sentences(_ITEM.sub("", line))]
    return [sentence for sentence in parts if re.search(r"\w", sentence)]


def _line_sentences(line: str) -> list[str]:
    parts, start = list[str](), 0
    for match in _END.finditer(line):
        before = line[start : match.start()].split()
        rest = line[match.end() :].lstrip()
        if rest and match[0] == "." and before and _is_abbreviation(before[-1].lstrip("(\"'")):
            continue
        if rest[:1].islower() and match[0] in ("...", "…"):
            continue
        parts.append(line[start : match.end()].strip())
        start = match.end()
    return [part for part in [*parts, line[start:].strip()] if part]


def _is_abbreviation(word: str) -> bool:
    return word.lower() in _ABBREVIATIONS.split() or bool(re.fullmatch(r"[A-HJ-Z]", word))


def bullets(text: str) -> list[str]:
    """The items of bullet points."""
    return [match[1].strip() for match in BULLET.finditer(unified(text))]


def numbered(text: str) -> list[tuple[int, str]]:
    """The items of numbered lists, each with its number."""
    return [(int(match[1]), match[2].strip()) for match in NUMBERED.finditer(unified(text))]


def starts_with(text: str, phrase: str) -> bool:
    """Whether a text begins with a phrase, as whole words, ignoring case and spacing."""
    pattern = r"\s+".join(map(re.escape, unified(phrase).split()))
    return bool(re.match(rf"\W*{pattern}(?!\w)" if pattern[:1].isalnum() else pattern, unified(text), re.IGNORECASE))


def count_word(text: str, word: str) -> int:
    """How often a word or a phrase occurs, as whole words, ignoring case."""
    pattern = r"\s+".join(map(re.escape, unified(word).split()))
    return len(re.findall(rf"(?<!\w){pattern}(?!\w)", unified(text), re.IGNORECASE))
