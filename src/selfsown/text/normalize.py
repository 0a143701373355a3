"""The one home of text handling: counting n-grams and measuring how varied a set of texts is."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from textwrap import dedent

# A fence ends where it stands alone, as far in as it began: a program may hold fences of its own.
_FENCED = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>```|~~~)[ \t]*(?P<kind>\w*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^(?P=indent)(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


# Signs that nobody sees: controls, soft hyphens, joiners, marks of direction, selectors of a variant, tags.
_INVISIBLE = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]+")
# Raised, lowered, circled and squared signs and fractions are no other spelling of plain ones: x² is not x2.
_OTHER_THAN_RAISED = re.compile(
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
    """The text in one spelling, for comparison alone: what is kept and exported stays as it was written.

    Letters are composed, whatever their width or ligature (NFKC, but for raised, lowered, circled and squared signs and
    fractions, which carry meaning); invisible signs are dropped; typographic quotes, primes and dashes become plain,
    all spaces one kind of space, and all ends of lines one.
    """
    text = INVISIBLE.sub("", text).replace("\r\n", "\n")
    if text.isascii():
        return text.replace("\r", "\n")
    plain = _OTHER_THAN_RAISED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return unicodedata.normalize("NFC", plain).translate(_TYPOGRAPHIC)


def normal(text: str) -> str:
    """The one form in which texts are compared: `unified`, without regard to letter case and to how many spaces stand
    where."""
    text = unified(text)
    if not text.isascii():
        text = unified(unicodedata.normalize("NFD", text).casefold())
    return " ".join(text.casefold().split())


# Where words are written without spaces between them: characters that each count as a word (Chinese, Japanese), and
# letters (Thai, Lao, Burmese, Khmer and their like), of which some three make a word.
IDEOGRAPHS = (
    r"\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaa7f"
_ASCII_WORD = re.compile(r"\w+")


@cache
def any_word() -> re.Pattern[str]:
    """A word of any script; accents and vowel signs that are characters of their own belong to their letter."""
    marks = "".join(char for char in map(chr, range(0x300, 0x1EA00)) if unicodedata.category(char)[0] == "M")
    alone = rf"(?=\w)[{IDEOGRAPHS}{UNSPACED}]"
    spaced = rf"[^\W{IDEOGRAPHS}{UNSPACED}]"
    return re.compile(f"(?:{spaced}+[{marks}]*)+|{alone}[{marks}]*")


def words(text: str) -> list[str]:
    """The words of a text in normal form; where a script puts no spaces between words, its characters."""
    plain = normal(text)
    return (_ASCII_WORD if plain.isascii() else any_word()).findall(plain)


def final(text: str, pattern: str) -> str:
    """What an answer says in the end, in normal form: the pattern's last match, or that one's first group; where it
    matches nowhere, or there is none, the whole."""
    found = [match[match.re.groups and 1] for match in re.finditer(pattern, text)] if pattern else []
    return normal(found[-1] or "") if found else normal(text)


def fenced(text: str) -> str:
    """The text between two marks that cannot stand in it, so that it cannot pass for what is said around it."""
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    return f"<text-{mark}>\n{text}\n</text-{mark}>"


def python(text: str) -> str:
    """The longest fenced piece that is called Python, or of those that are called nothing; else the whole text."""
    found: dict[str, list[str]] = {"py": [], "": []}
    for each in _FENCED.finditer(text.replace("\r\n", "\n")):
        code = each["code"].rstrip().removesuffix(each["fence"])  # it may end beside the last line
        found.get(each["kind"].lower()[:2], []).append(dedent(code))
    return max(found["py"] or found[""] or [text], key=len)


_NUMBER = re.compile(r"(?:(?<![^\s(])-)?\d+(?:[.,]\d+)*")


def agreement(one: str, other: str) -> float:
    """How much two short texts say the same, from 0 to 1: F1 over their words, letter case and punctuation aside.

    Where each gives a number that the other does not, they do not agree, however alike the words about them.
    """
    plain = (re.sub(r"(?<=\d),(?=\d{3}\b)", "", normal(text)) for text in (one, other))
    first, second = (_NUMBER.findall(text) + words(_NUMBER.sub(" ", text)) for text in plain)
    numbers, others = ({word for word in words if word[-1].isdigit()} for words in (first, second))
    if numbers - others and others - numbers:
        return 0.0
    shared = (Counter(first) & Counter(second)).total()
    return 2 * shared / (len(first) + len(second)) if first or second else float(normal(one) == normal(other))


def ngrams(texts: Iterable[str], size: int) -> Counter[str]:
    """How often each run of `size` characters occurs; a text's start and end count as characters."""
    counts: Counter[str] = Counter()
    for text in texts:
        padded = f"\x02{text}\x03"
        counts.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    return counts


def effective_number(counts: Counter[str]) -> float:
    """Hill's number of order 1: the exponential of the entropy, 'how many kinds, in effect'."""
    total = sum(counts.values())
    return math.exp(-sum(c / total * math.log(c / total) for c in counts.values())) if total else 0.0
