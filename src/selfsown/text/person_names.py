"""Find full names of persons: a first name and a last name in capitals, by the lists of names of the package Faker.

Faker's lists hold 25,000 first and 26,000 last names of some seventy languages. A word that is on neither list counts
as a name beside one that is, unless it is used as an ordinary word elsewhere or names a place. Names in scripts without
capital letters are not found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

_LETTERS = map(chr, (*range(0x250), *range(0x370, 0x590), *range(0x1E00, 0x2000)))  # Latin, Greek, Cyrillic, Armenian
_CAPITALS = "".join(char for char in _LETTERS if char.isupper())
_WORD = rf"[{_CAPITALS}](?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_PARTICLE = r"(?:de|da|do|dos|del|della|di|du|la|le|van|von|der|den|ter|bin|ibn|al|el)"
# Words in capitals, one after the other; particles and initials may stand between them.
_RUN = re.compile(rf"(?<![\w'’@/.-]){_WORD}\.?(?: (?:{_PARTICLE} ){{0,2}}{_WORD}\.?)+(?![\w@/])")
_TOKEN = re.compile(rf"(?<!\w){_WORD}")
_PREFIXED = re.compile(r"(?:O['’]|Mc|Mac)[A-Z]")
_DETERMINER = re.compile(r"\b(?:the|a|an|this|that|these|those|each|every|our|your|its)[ \n]$", re.IGNORECASE)


def _set(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_TITLES = _set(
    "mr mrs ms miss dr prof professor sir lady lord uncle aunt grandma grandpa granny saint st captain colonel general",
    "governor judge king mayor officer president prince princess queen senator sergeant farmer nurse",
)
# A run that ends like this names an organization, a place or a work.
_ENDINGS = _set(
    "academy airport avenue award bank bay beach bridge building church city club college company corporation court",
    "county day drive equilibrium foundation garden gardens group hall high hospital hotel house inc inn institute",
    "island lake library limited llc ltd method mountain museum palace park partners place plaza prize river road",
    "school square st station store street studios test theorem theory tower union university valley week wood works",
)
_CALENDAR = _set(
    "january february march april may june july august september october november december",
    "monday tuesday wednesday thursday friday saturday sunday",
)
_PLACE_LISTS = ("cit", "state", "countr", "province", "region", "department", "alphabetized")


@dataclass(frozen=True)
class _Lists:
    first: frozenset[str]
    last: frozenset[str]
    places: frozenset[str]
    words: frozenset[str]  # ordinary words, in lower case


@cache
def _lists() -> _Lists:
    persons, addresses = list(_providers("person")), list(_providers("address"))
    lorem, jobs = import_module("faker.providers.lorem.en_US").Provider, import_module("faker.providers.job").Provider
    colors = import_module("faker.providers.color.en_US").Provider.all_colors
    places = {word for name in _values(addresses, _PLACE_LISTS) for word in _TOKEN.findall(name)}
    words = {word for name in (*lorem.word_list, *jobs.jobs) for word in re.findall("[a-z]+", name.lower())} | _CALENDAR
    words |= {word.lower() for name in colors for word in re.findall("[A-Z][a-z]+", name)}
    return _Lists(
        first=frozenset(name for name in _values(persons, ("first_name",)) if name[:1].isupper()),
        last=frozenset(name for name in _values(persons, ("last_name",)) if name[:1].isupper()),
        places=frozenset(places),
        words=frozenset(words),
    )


def _providers(kind: str) -> Iterator[Any]:
    from faker.config import AVAILABLE_LOCALES

    for locale in sorted(AVAILABLE_LOCALES):
        try:
            yield import_module(f"faker.providers.{kind}.{locale}").Provider
        except ModuleNotFoundError:  # a language without names or addresses
            continue


def _values(providers: Iterable[Any], prefixes: tuple[str, ...]) -> Iterator[str]:
    """The texts in the lists of the providers whose names begin so."""
    for provider in providers:
        for name in dir(provider):
            values = getattr(provider, name) if name.startswith(prefixes) else None
            for value in values if isinstance(values, tuple | list | dict) else ():
                yield from (value,) if isinstance(value, str) else (part for part in value if isinstance(part, str))


def ordinary_words(texts: Iterable[str]) -> set[str]:
    """The words that the texts have in lower case."""
    return {word for text in texts for word in text.split() if word.islower() and word.isalpha()}


def full_names(text: str, words: Collection[str] = ()) -> Iterator[str]:
    """The full names in the text, in order: a first name and the last name that follows it, without titles and middle
    names. words: ordinary words, in lower case, which are no names beside a name."""
    known = set[str]()
    for run in _RUN.finditer(text):
        tokens = _TOKEN.findall(run[0])
        if len(tokens) < 2 or run[0].isupper() or tokens[-1].casefold() in _ENDINGS:
            continue
        if _DETERMINER.search(text, max(0, run.start() - 10), run.start()):
            continue
        known = known or ordinary_words([text])
        apart = zip(tokens, tokens[1:], tokens[2:], strict=False)
        pairs = [*pairwise(tokens), *((first, last) for first, middle, last in apart if _is_middle(middle))]
        for first, last in ((first, _bare(last)) for first, last in pairs):
            ordinary = [word.casefold() in known or word.casefold() in words for word in (first, last)]
            if _is_name(first, last, *ordinary):
                yield f"{first} {last}"


def _is_middle(name: str) -> bool:
    return len(name) == 1 or name in _lists().first


def _bare(name: str) -> str:
    """Without the ending of the genitive."""
    return re.sub(r"['’]s?$", "", name)


def _is_name(first: str, last: str, ordinary_first: bool, ordinary_last: bool) -> bool:
    """ordinary: whether the word is used as an ordinary one, besides those that Faker's texts have."""
    lists = _lists()
    if first.casefold() in _TITLES or len(last) < 2 or last.isupper() or first == last:
        return False
    is_first = not lists.first.isdisjoint((first, *first.split("-")))
    is_last = not lists.last.isdisjoint((last, *last.split("-"))) or bool(_PREFIXED.match(last))
    ordinary_first |= first.casefold() in lists.words
    ordinary_last |= last.casefold() in lists.words
    if is_first and is_last:
        return not (ordinary_first and ordinary_last)
    if is_first:
        return not (ordinary_first or ordinary_last or last in lists.first or last in lists.places) and len(last) > 2
    return is_last and not (ordinary_first or ordinary_last or first in lists.places or last in lists.places)
