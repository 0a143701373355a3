"""Where the words of known texts stand again in other texts: a run of thirteen of them, or all words of a shorter text.

Words are compared, so case, spaces and punctuation make no difference; signs between numbers do: 2 + 3 is not 2 - 3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from selfsown.text.normalize import UNSPACED, any_word, normal

RUN = 13  # words in a row that are shared by chance hardly ever (Brown et al. 2020, appendix C; Phi-4, appendix B.1)
SHORT = 5  # words; a shorter text is looked for as a whole, and not inside others
COMMON = 10  # texts; a run of words that more of them share is a phrase of their form
_OPERATOR = r"(?:[+<=>^%/±×÷\u2200-\u22ff]|[-*](?= ?[\d(]))"
_OPERATORS = rf"{_OPERATOR}(?: ?{_OPERATOR})*"
_EPSILON = 1e-9
_LETTER = re.compile(f"[{UNSPACED}]")
_END = " .?:;,\"'。？，；："


_ASCII_TOKEN = re.compile(rf"\w+|{_OPERATORS}")


@cache
def _any_token() -> re.Pattern[str]:
    return re.compile(f"{any_word().pattern}|{_OPERATORS}")


def tokenize(text: str) -> list[str]:
    """The words of a text, and the signs between its numbers, each a token."""
    plain = normal(text)
    return [token.replace(" ", "") for token in (_ASCII_TOKEN if plain.isascii() else _any_token()).findall(plain)]


def runs(tokens: Sequence[str]) -> list[str]:
    """What is looked for of a text: each run of thirteen words, or all of a shorter text, if it has five or more."""
    weights = [_weight(token) for token in tokens]
    if sum(weights) < RUN - _EPSILON:
        return [" ".join(tokens)] if sum(weights) > SHORT - _EPSILON else []
    found, end, total = list[str](), 0, 0.0
    for start, own in enumerate(weights):
        while total < RUN - _EPSILON and end < len(tokens):
            total += weights[end]
            end += 1
        if total < RUN - _EPSILON:
            break
        found.append(" ".join(tokens[start:end]))
        total -= own
    return found


def _weight(token: str) -> float:
    """As how many words it counts: a sign none, a letter of a script without spaces a third."""
    if not token[0].isalnum() and token[0] != "_":
        return 0.0
    return 1 / 3 if _LETTER.match(token) else 1.0


def bare(text: str) -> str:
    """The text in normal form, without quotes around it and without the period or question mark that ends it."""
    plain = normal(text).strip(" \"'")
    ended = plain.rstrip(_END + "!！")
    return ended if ended[-1:].isalpha() else plain.rstrip(_END)  # 5! is not 5


class Passages:
    """Runs of tokens, as `runs` gives them, that are looked for in other texts."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self._wanted = set[str]()
        self._lengths: dict[tuple[str, str], set[int]] = defaultdict(set)  # by the first two tokens
        for run in wanted:
            self.add(run)

    def add(self, run: str) -> None:
        first, second, *rest = run.split(" ")
        self._wanted.add(run)
        self._lengths[first, second].add(2 + len(rest))

    def within(self, tokens: Sequence[str]) -> Iterator[str]:
        """The wanted runs that stand among these tokens, in their order."""
        for start, pair in enumerate(pairwise(tokens)):
            for length in self._lengths.get(pair, ()):
                if (run := " ".join(tokens[start : start + length])) in self._wanted:
                    yield run
