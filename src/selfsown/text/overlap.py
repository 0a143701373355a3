"""Find known texts inside other texts: by a run of thirteen words, or by all words of a shorter text.

Words are compared, so case, spaces and punctuation make no difference; operators between numbers do (2 + 3, 2 - 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from selfsown.text.normalize import UNSPACED, any_word, normal

RUN_WORDS = 13  # hardly ever shared by chance (Brown et al. 2020, appendix C; Phi-4, appendix B.1)
MIN_SEARCH_WORDS = 5  # a shorter text is only matched as a whole
MAX_SHARING_TEXTS = 10  # a run of words that more texts share is boilerplate
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
    """The words of a text and the operators between its numbers, each a token."""
    return tokens_of_normal(normal(text))


def tokens_of_normal(normalized: str) -> list[str]:
    """As `tokenize`, of a text in normal form."""
    tokens: list[str] = (_ASCII_TOKEN if normalized.isascii() else _any_token()).findall(normalized)
    if " ".join(tokens).count(" ") >= len(tokens):  # hardly ever, and the fastest way to know it: operators in a row
        return [token.replace(" ", "") for token in tokens]
    return tokens


def runs(tokens: Sequence[str]) -> list[str]:
    """The runs that identify a text: each of thirteen words, or all of a shorter text of five words or more."""
    weights = [_weight(token) for token in tokens]
    if sum(weights) < RUN_WORDS - _EPSILON:
        return [" ".join(tokens)] if sum(weights) > MIN_SEARCH_WORDS - _EPSILON else []
    result, end, total = list[str](), 0, 0.0
    for start, weight in enumerate(weights):
        while total < RUN_WORDS - _EPSILON and end < len(tokens):
            total += weights[end]
            end += 1
        if total < RUN_WORDS - _EPSILON:
            break
        result.append(" ".join(tokens[start:end]))
        total -= weight
    return result


def _weight(token: str) -> float:
    """The number of words that a token counts as: 0 for an operator, 1/3 for a letter of a script without spaces."""
    if not token[0].isalnum() and token[0] != "_":
        return 0.0
    return 1 / 3 if _LETTER.match(token) else 1.0


def bare(text: str) -> str:
    """The text in normal form, without enclosing quotes and final punctuation."""
    return bare_of_normal(normal(text))


def bare_of_normal(normalized: str) -> str:
    """As `bare`, of a text in normal form."""
    unquoted = normalized.strip(" \"'")
    stripped = unquoted.rstrip(_END + "!！")
    return stripped if stripped[-1:].isalpha() else unquoted.rstrip(_END)  # 5! is not 5


class Passages:
    """Runs of tokens, as `runs` returns them, to be found in other texts."""

    def __init__(self, passages: Iterable[str] = ()) -> None:
        self._passages = set[str]()
        self._lengths: dict[tuple[str, ...], frozenset[int]] = {}  # by the first MIN_SEARCH_WORDS tokens
        self._shared: dict[frozenset[int], frozenset[int]] = {}  # nearly all of them are equal, and one is enough
        for run in passages:
            self.add(run)

    def add(self, run: str) -> None:
        tokens = run.split(" ")
        self._passages.add(run)
        beginning = tuple(tokens[:MIN_SEARCH_WORDS])
        lengths = self._lengths.get(beginning, frozenset()) | {len(tokens)}
        self._lengths[beginning] = self._shared.setdefault(lengths, lengths)

    def within(self, tokens: Sequence[str]) -> Iterator[str]:
        """The runs that occur among these tokens, in order."""
        beginnings = list(zip(*(tokens[start:] for start in range(MIN_SEARCH_WORDS)), strict=False))
        if self._lengths.keys().isdisjoint(beginnings):  # nearly always, and the fastest way to know it
            return
        for start, beginning in enumerate(beginnings):
            for length in self._lengths.get(beginning, ()):
                if (run := " ".join(tokens[start : start + length])) in self._passages:
                    yield run
