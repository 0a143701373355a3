"""The one home of text handling: counting n-grams and measuring how varied a set of texts is."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from textwrap import dedent

# A fence ends where it stands alone, as far in as it began: a program may hold fences of its own.
_FENCED = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>```|~~~)[ \t]*(?P<kind>\w*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^(?P=indent)(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


def normal(text: str) -> str:
    """The text without regard to letter case and to how many spaces stand where."""
    return " ".join(text.casefold().split())


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


def agreement(one: str, other: str) -> float:
    """How much two short texts say the same, from 0 to 1: F1 over their words, letter case and punctuation aside.

    Where each gives a number that the other does not, they do not agree, however alike the words about them.
    """
    plain = (re.sub(r"(?<=\d),(?=\d{3}\b)", "", normal(text)) for text in (one, other))
    first, second = (re.findall(r"(?:(?<![^\s(])-)?\d+(?:[.,]\d+)*|[^\W\d]+", text) for text in plain)
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
