"""The language of a text, by the package py3langid (Lui and Baldwin 2012, "langid.py"; the model is in the package).

Code, formulas, links and numbers are in no language, so they are left out before a text is judged; what has too few
letters is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

from selfsown.text.normalize import IDEOGRAPHS, UNSPACED

NO_LANGUAGE = "zxx"  # the code of texts in none
MIN_LETTERS = 30  # of a text that is judged; shorter ones are often taken for other languages
MIN_PARAGRAPH_LETTERS = 60  # of a paragraph that is also judged by itself
MAX_SYMBOLS = 0.08  # of the characters of a line; code and formulas have more
MAX_CHARACTERS = 4000  # of a text that are read: more change no verdict

_NOT_PROSE = re.compile(
    r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)"  # fenced code
    r"|`[^`\n]+`|\$\$.+?\$\$|\$[^$\n]*[\\^_=][^$\n]*\$|\\\(.+?\\\)|\\\[.+?\\\]|<<[^<>\n]*>>|</?\w[^<>\n]*>"
    r"|(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,100}",
    re.DOTALL | re.MULTILINE,
)
_CODE_LINE = re.compile(
    r"^\s*(?:(?:from\s+\S+\s+)?import\s|def\s|class\s|return\b|elif\b|else:|try:|except\b|@\w|#include|#!|//|/\*|\*/|>>>"
    r"|(?:const|let|var|public|private|static|void|function|async|await|fn|func)\s|SELECT\s|INSERT\s|CREATE\s|UPDATE\s)"
    r"|[{};]\s*$|^\s*(?:for|if|while|with)\b.*:\s*$|^ {4,}.*[=(\[]",
)
_SYMBOLS = re.compile(r"[=(){}\[\]<>_/\\|&^%$#@*+~;\d]")
_NO_WORD = re.compile(r"[\d_/\\=@#$%^&*+<>|~{}\[\]]|[a-z][A-Z]|\w\(")  # in a word of ASCII
_LETTERS = re.compile(r"[^\W\d_]")
_DENSE_LETTERS = re.compile(f"[{IDEOGRAPHS}{UNSPACED}\uac00-\ud7a3]")  # one says as much as three letters of Latin


def prose(text: str) -> str:
    """The paragraphs of the text that are in a natural language, without code, formulas, links, numbers and names of
    variables; "" if there are none."""
    kept = list[str]()
    for line in _NOT_PROSE.sub(" ", text[:MAX_CHARACTERS]).splitlines():
        characters = len(line) - line.count(" ")
        if _CODE_LINE.search(line) or len(_SYMBOLS.findall(line)) > max(2, MAX_SYMBOLS * characters):
            line = ""
        kept.append(" ".join(word for word in line.split() if not (word.isascii() and _NO_WORD.search(word))))
    return "\n".join(kept).strip()


def letters(text: str) -> int:
    """How many letters; one of Chinese, Japanese, Korean, Thai and similar scripts counts three times."""
    return len(_LETTERS.findall(text)) + 2 * len(_DENSE_LETTERS.findall(text))


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_codes() -> list[str]:
    """The languages that can be identified, as ISO 639 codes."""
    return sorted(code for code in _identifier().labels if code != NO_LANGUAGE)


def identify(text: str) -> dict[str, float]:
    """The probability of each language, the most probable one first. The text is prose."""
    return dict(_identifier().rank(text))


def segments(text: str) -> Iterator[str]:
    """The prose of a text as a whole, if it has enough letters, and each of its long paragraphs, if there are more."""
    whole = prose(text)
    if letters(whole) < MIN_LETTERS:
        return
    yield whole
    paragraphs = [line for line in whole.splitlines() if line]
    if len(paragraphs) > 1:
        yield from (line for line in paragraphs if letters(line) >= MIN_PARAGRAPH_LETTERS)


def least_probable(text: str, languages: Collection[str]) -> tuple[float, str]:
    """The probability that the text, or its most foreign paragraph, is in one of the languages, and the language that
    is the most probable one there; (1, "") for a text that is not judged."""
    lowest, best = 1.0, ""
    for segment in segments(text):
        ranked = identify(segment)
        probability = sum(ranked.get(language, 0.0) for language in (*languages, NO_LANGUAGE))
        if probability < lowest or not best:
            lowest, best = probability, next(iter(ranked))
    return lowest, best
