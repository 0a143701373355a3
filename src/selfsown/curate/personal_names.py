"""Reject rows with the full name of a person, first and last, unless several real rows have that name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

from selfsown.errors import RecipeError
from selfsown.option_types import Natural
from selfsown.records import Row
from selfsown.text.person_names import full_names, ordinary_words
from selfsown.text.samples import evenly

STREAMS = True

MAX_REAL_ROWS = 5000  # whose ordinary words are learned


def curate(
    rows: Iterable[Row], real: Sequence[Row], *, common: Natural = 3, allowed: tuple[str, ...] = ()
) -> Iterator[Row]:
    """Search prompt, answer and metadata; the reason does not repeat the name. First names alone are no full names.

    common: names that so many real rows have, such as those of public figures or of a story, may stay; a name that
    fewer have may be a person's, and a synthetic row must not pass it on; 0: no name may stay.
    allowed: more names that may stay, such as Marie Curie.

    By the lists of 25,000 first and 26,000 last names in the package Faker. Words that the real rows have in lower case
    are no names. Names in scripts without capital letters, such as Chinese, are not found. RecipeError where the
    package is not installed.
    """
    if not find_spec("faker"):
        raise RecipeError(
            "curate.personal_names needs the package faker, which is not installed: pip install 'selfsown[curation]'"
        )
    words = ordinary_words(text for row in evenly(real, MAX_REAL_ROWS) for text in (row.prompt, row.answer))
    counts = Counter[str]()
    for row in real if common else ():
        counts.update(set(_names(f"{row.prompt}\n{row.answer}", words)))
    may_stay = {name for name, count in counts.items() if count >= common} | {_plain(name) for name in allowed}
    for row in rows:
        parts = {"prompt": row.prompt, "answer": row.answer, **row.metadata}
        part = next((part for part, text in parts.items() if set(_names(text, words)) - may_stay), "")
        yield row.rejected(f"personal_names: its {part} has the full name of a person") if part else row


def _names(text: str, words: set[str]) -> Iterator[str]:
    return map(_plain, full_names(text, words))


def _plain(name: str) -> str:
    """First and last word, in lower case."""
    parts = name.casefold().split()
    return f"{parts[0]} {parts[-1]}" if parts else ""
