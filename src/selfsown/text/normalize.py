"""Normal forms of text, words, code blocks, n-gram counts, and agreement of short texts."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from textwrap import dedent

# A fence ends on a line of its own with the same indent, since code may contain fences.
_FENCED = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>```|~~~)[ \t]*(?P<kind>\w*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^(?P=indent)(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


# Invisible characters: controls, soft hyphens, joiners, direction marks, variation selectors, tags.
_INVISIBLE = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]+")
_INVISIBLE_ASCII = dict.fromkeys(code for code in range(128) if INVISIBLE.match(chr(code)))
# Superscripts, subscripts, circled and squared characters and fractions carry meaning: x² is not x2.
_NO_SUPERSCRIPTS = re.compile(
    r"[^\xaa\xb2\xb3\xb9\xba\xbc-\xbe\u02b0-\u02b8\u02e0-\u02e4\u1d2c-\u1d6a\u1d78\u1d9b-\u1dbf\u2070-\u209f\u2120\u2122"
    r"\u2150-\u215f\u2189\u2460-\u24ff\u3250-\u33ff]+"
)
_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("‘’‚‛ʹʻʼ′", "'")
    | dict.fromkeys("“”„‟", '"')
    | dict.fromkeys("\r\x85\u2028\u2029", "\n")
    | dict.fromkeys(
        "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\xa0", " "
    )
)


def unified(text: str) -> str:
    """The text in one Unicode spelling, for comparison only: stored and exported text stays unchanged.

    Characters are composed and compatibility forms are replaced (NFKC, except superscripts, subscripts, circled and
    squared characters and fractions, which carry meaning); invisible characters are dropped; typographic quotes, primes
    and dashes become ASCII, all spaces U+0020, and all line ends line feeds.
    """
    if text.isascii():  # most texts, and faster
        return text.translate(_INVISIBLE_ASCII).replace("\r\n", "\n").replace("\r", "\n")
    text = INVISIBLE.sub("", text).replace("\r\n", "\n")
    compatible = _NO_SUPERSCRIPTS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return unicodedata.normalize("NFC", compatible).translate(_TYPOGRAPHIC)


def normal(text: str) -> str:
    """The normal form in which texts are compared: `unified`, case-folded, with single spaces."""
    if text.isascii():
        line = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        if line.isprintable():  # most texts, and faster
            line = line.lower()
            return " ".join(line.split()) if "  " in line else line.strip()
    text = unified(text)
    if not text.isascii():
        text = unified(unicodedata.normalize("NFD", text).casefold())
    return " ".join(text.casefold().split())


# Scripts without spaces between words: characters that each count as a word (Chinese, Japanese), and letters of which
# about three make a word (Thai, Lao, Burmese, Khmer and similar ones).
IDEOGRAPHS = (
    r"\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaa7f"
_ASCII_WORD = re.compile(r"\w+")


@cache
def any_word() -> re.Pattern[str]:
    """A word of any script, together with its combining accents and vowel signs."""
    marks = "".join(char for char in map(chr, range(0x300, 0x1EA00)) if unicodedata.category(char)[0] == "M")
    single = rf"(?=\w)[{IDEOGRAPHS}{UNSPACED}]"
    spaced = rf"[^\W{IDEOGRAPHS}{UNSPACED}]"
    return re.compile(f"(?:{spaced}+[{marks}]*)+|{single}[{marks}]*")


def words(text: str) -> list[str]:
    """The words of a text in normal form; in scripts without spaces between words, the characters."""
    normalized = normal(text)
    return (_ASCII_WORD if normalized.isascii() else any_word()).findall(normalized)


def final_match(text: str, pattern: str) -> str:
    """The last match of a pattern, or its first group, in normal form; the whole text without a match or a pattern."""
    matches = [match[match.re.groups and 1] for match in re.finditer(pattern, text)] if pattern else []
    return normal(matches[-1] or "") if matches else normal(text)


def fenced(text: str) -> str:
    """The text between two tags that cannot occur in it, so that it cannot imitate the prompt around it."""
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    return f"<text-{mark}>\n{text}\n</text-{mark}>"


def extract_python(text: str) -> str:
    """The longest code block marked as Python, else the longest one without a language, else the whole text."""
    blocks: dict[str, list[str]] = {"py": [], "": []}
    for block in _FENCED.finditer(text.replace("\r\n", "\n")):
        code = block["code"].rstrip().removesuffix(block["fence"])  # the fence may follow the last line directly
        blocks.get(block["kind"].lower()[:2], []).append(dedent(code))
    return max(blocks["py"] or blocks[""] or [text], key=len)


_NUMBER = re.compile(r"(?:(?<![^\s(])-)?\d+(?:[.,]\d+)*")


def agreement(one: str, other: str) -> float:
    """Agreement of two short texts, from 0 to 1: F1 over their words, ignoring case and punctuation.

    It is 0 if each text has a number that the other lacks.
    """
    normalized = (re.sub(r"(?<=\d),(?=\d{3}\b)", "", normal(text)) for text in (one, other))
    first, second = (_NUMBER.findall(text) + words(_NUMBER.sub(" ", text)) for text in normalized)
    numbers, others = ({word for word in words if word[-1].isdigit()} for words in (first, second))
    if numbers - others and others - numbers:
        return 0.0
    shared = (Counter(first) & Counter(second)).total()
    return 2 * shared / (len(first) + len(second)) if first or second else float(normal(one) == normal(other))


def ngrams(texts: Iterable[str], size: int) -> Counter[str]:
    """The count of each run of `size` characters; the start and end of a text count as characters."""
    counts: Counter[str] = Counter()
    for text in texts:
        padded = f"\x02{text}\x03"
        counts.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return counts


def effective_number(counts: Counter[str]) -> float:
    """The effective number of kinds: Hill's number of order 1, the exponential of the entropy."""
    total = sum(counts.values())
    return math.exp(-sum(count / total * math.log(count / total) for count in counts.values())) if total else 0.0
