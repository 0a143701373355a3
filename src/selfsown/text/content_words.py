"""The content words and numbers of a text, in a form in which other wordings of it have them, too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

from selfsown.text.normalize import IDEOGRAPHS, UNSPACED
from selfsown.text.overlap import tokenize

Features: TypeAlias = tuple[str, ...]

STEM_LETTERS = 4  # words are cut to them: purchase and purchased agree, and so do most inflections of other languages
_FUNCTION_WORDS = """
    a about after again all also am an and another any are as at be because been before being between both
    but by can could did do does doing done down during each either else every few for from further had has have having
    he her here hers him his how i if in into is it its just may me might mine more most must my neither no nor not of
    off on once only onto or other our ours out over own same shall she should so some such than that the their theirs
    them then there these they this those through till to too until up upon us very was we were what when where whether
    which while who whom whose why will with within without would you your yours d ll m re s t ve"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
_UP_TO_TWENTY = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_SPELLED = {word: str(value) for value, word in enumerate(_UP_TO_TWENTY.split())} | {
    **{"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90"},
    **{"hundred": "100", "thousand": "1000", "million": "1000000", "dozen": "12", "dozens": "12"},
    **dict.fromkeys(("half", "halves"), "/2"),
    **dict.fromkeys(("third", "thirds"), "/3"),
    **dict.fromkeys(("quarter", "quarters", "fourth", "fourths"), "/4"),
    **dict.fromkeys(("twice", "double", "doubled", "doubles"), "*2"),
    **dict.fromkeys(("thrice", "triple", "tripled", "triples"), "*3"),
}
_MAX_KNOWN = 1 << 17  # tokens
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_UNSPACED = re.compile(f"[{IDEOGRAPHS}{UNSPACED}]")


def is_number(feature: str) -> bool:
    """Whether it is a number other than 0 and 1, which are words as often."""
    return feature[0].isdigit() and feature not in ("0", "1")


def features(text: str, tokens: Sequence[str] | None = None) -> Features:
    """The content words of a text in order, cut to their first letters, and its numbers in digits.

    Names with underscores are several words. In scripts without spaces, pairs of letters take the place of words.
    tokens: those of the text, where they are known.
    """
    if tokens is None or ("," in text and _GROUPED.search(text)):
        tokens = tokenize(_GROUPED.sub("", text))
    if text.isascii() or "".join(tokens).isascii():
        return tuple(chain.from_iterable(map(_KNOWN.__getitem__, tokens)))
    result = list[str]()
    before = ""
    for token in tokens:
        letter = "" if token.isascii() or not _UNSPACED.match(token) else token
        if letter:
            result += [before + letter] if before else []
        else:
            result += _KNOWN[token]
        before = letter
    return tuple(result)


class _KnownTokens(dict[str, Features]):
    """The features of each token that was met: a dictionary answers in half the time of lru_cache."""

    def __missing__(self, token: str) -> Features:
        if len(self) >= _MAX_KNOWN:
            self.clear()
        features_of_token = self[token] = _of_token(token)
        return features_of_token


_KNOWN = _KnownTokens()


def _of_token(token: str) -> Features:
    if not (token[0].isalnum() or token[0] == "_"):
        return ()
    parts = filter(None, token.split("_"))
    return tuple(
        _SPELLED.get(part, part[:STEM_LETTERS]) if part.isalpha() else part
        for part in parts
        if part not in FUNCTION_WORDS
    )
