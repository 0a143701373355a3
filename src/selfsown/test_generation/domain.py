"""What the inputs of a function's own tests have in common, which further inputs must keep.

Invariants are learned from the calls (Ernst et al. 2007, Daikon): types, ranges of numbers, characters, lengths, order
and distinctness of lists, shapes of texts, and relations between arguments. An input that breaks one may lie outside
what the prompt defines, where right programs differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, pairwise
from typing import Any

from selfsown.test_generation.calls import Arguments

MIN_SEEN = 4  # values from which an invariant is learned, beyond types and ranges
HIGHER = 10  # how far numbers may exceed those seen
LONGER = 5  # how far lists and texts may
MANY_LETTERS = 4  # of a case, from which all are allowed
MAX_SHAPES = 0.5  # distinct shapes of texts for each text, up to which they count as a format

Relation = Callable[[float, float], bool]
_RELATIONS: tuple[Relation, ...] = (
    lambda one, other: one == other,
    lambda one, other: one < other,
    lambda one, other: one <= other,
    lambda one, other: one > other,
    lambda one, other: one >= other,
)
_LIST_PROPERTIES: tuple[Callable[[Sequence[Any]], bool], ...] = (
    lambda items: all(_ordered(pair) for pair in pairwise(items)),
    lambda items: all(_ordered(pair[::-1]) for pair in pairwise(items)),
    lambda items: len({repr(item) for item in items}) == len(items),
    lambda items: len({len(item) if isinstance(item, list | tuple) else 0 for item in items}) <= 1,
    lambda items: all(not isinstance(item, list) or len(item) == len(items) for item in items),
    lambda items: len({repr(leaf) for leaf in _leaves(items)}) == len(list(_leaves(items))),
)


@dataclass
class _Seen:
    """The values at one place of the arguments, such as the items of the first one."""

    numbers: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    lists: list[Sequence[Any]] = field(default_factory=list)
    types: set[str] = field(default_factory=set)


class Domain:
    """The invariants of some calls."""

    def __init__(self, calls: Sequence[Arguments]) -> None:
        self._counts = {len(arguments) for arguments in calls}
        self._seen: dict[str, _Seen] = defaultdict(_Seen)
        for arguments in calls:
            for place, value in _places(arguments):
                seen = self._seen[place]
                seen.types.add(type(value).__name__)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    seen.numbers.append(value)
                elif isinstance(value, str):
                    seen.texts.append(value)
                elif isinstance(value, list | tuple):
                    seen.lists.append(value)
        self._rules: list[tuple[str, Callable[[Any], bool]]] = []
        for place, seen in self._seen.items():
            self._rules += [(place, rule) for rule in (*_of_numbers(seen), *_of_texts(seen), *_of_lists(seen))]
        self._relations = list(_relations(calls))

    def holds(self, arguments: Arguments) -> bool:
        """Whether a call keeps all invariants."""
        if len(arguments) not in self._counts:
            return False
        values = defaultdict[str, list[Any]](list)
        for place, value in _places(arguments):
            if place not in self._seen or type(value).__name__ not in self._seen[place].types:
                return False
            values[place].append(value)
        sizes = dict(_sizes(arguments))
        return all(rule(value) for place, rule in self._rules for value in values[place]) and all(
            relation(sizes[one], sizes[other])
            for one, other, relation in self._relations
            if one in sizes and other in sizes
        )


def _places(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """All values within the arguments, with their place; the items of a list are at one place, those of a tuple not."""
    if place:
        yield place, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(key, f"{place}.key")
            yield from _places(item, f"{place}.value")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(value):
            own = str(index) if isinstance(value, tuple) or not place else "items"
            yield from _places(item, f"{place}.{own}")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _ordered(pair: Sequence[Any]) -> bool:
    try:
        return bool(pair[0] <= pair[1])
    except TypeError:
        return False


def _of_numbers(seen: _Seen) -> Iterator[Callable[[Any], bool]]:
    """The range: up to a little beyond the highest; negative only where some were; 0 and 1 where as low was seen."""
    if seen.numbers:
        least, most = min(seen.numbers), max(seen.numbers)
        low = min(least, 2.0) if least >= 0 else min(least, -abs(most))
        yield partial(_in_range, low=low, high=most + HIGHER)


def _in_range(value: Any, low: float, high: float) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float) or low <= value <= high


def _of_texts(seen: _Seen) -> Iterator[Callable[[Any], bool]]:
    """The characters, the length, and the format or the set of values where they have one."""
    return (partial(_if_text, check) for check in _text_checks(seen.texts))


def _if_text(check: Callable[[str], bool], value: Any) -> bool:
    return not isinstance(value, str) or check(value)


def _text_checks(texts: Sequence[str]) -> Iterator[Callable[[str], bool]]:
    if not texts:
        return
    characters = {character for text in texts for character in text}
    for alphabet in ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"):
        if len(characters & set(alphabet)) >= MANY_LETTERS:
            characters |= set(alphabet)
    yield characters.issuperset
    low, high = min(1, *map(len, texts)), max(map(len, texts)) + LONGER
    yield lambda text: low <= len(text) <= high
    if len(texts) < MIN_SEEN:
        return
    if len(values := set(texts)) <= len(texts) / 2:
        yield values.__contains__
    for runs in ("", "+"):
        shapes = {shape(text, runs) for text in texts}
        if len(shapes) <= MAX_SHAPES * len(texts) and max(map(len, shapes)) > 1:
            yield partial(_has_shape, runs=runs, shapes=shapes)
    if any(set(text) & set("()[]{}") for text in texts) and all(map(is_balanced, texts)):
        yield is_balanced
    yield from (rule for rule in (_has_single_spaces, _has_no_leading_zero) if all(map(rule, texts)))


def _has_shape(text: str, runs: str, shapes: set[str]) -> bool:
    return shape(text, runs) in shapes


def _has_single_spaces(text: str) -> bool:
    return text == " ".join(text.split())


def _has_no_leading_zero(text: str) -> bool:
    return not re.search(r"(?<!\d)0\d", text)


def shape(text: str, runs: str) -> str:
    """A text with letters as a, and digits as 9; with "+" for runs, a run of either as one."""
    return re.sub(rf"\d{runs}", "9", re.sub(rf"[^\W\d_]{runs}", "a", text))


def is_balanced(text: str) -> bool:
    """Whether brackets are closed in order."""
    closing, opened = {")": "(", "]": "[", "}": "{"}, list[str]()
    for character in text:
        if character in "([{":
            opened.append(character)
        elif character in closing and (not opened or opened.pop() != closing[character]):
            return False
    return not opened


def _of_lists(seen: _Seen) -> Iterator[Callable[[Any], bool]]:
    if not seen.lists:
        return
    lengths = [len(value) for value in seen.lists]
    low, high = min(1, *lengths), max(lengths) + LONGER
    yield lambda value: not isinstance(value, list | tuple) or low <= len(value) <= high
    telling = [value for value in seen.lists if len(value) > 1]
    if len(telling) >= MIN_SEEN:
        yield from (partial(_if_list, has) for has in _LIST_PROPERTIES if all(map(has, telling)))


def _if_list(has: Callable[[Sequence[Any]], bool], value: Any) -> bool:
    return not isinstance(value, list | tuple) or has(value)


def _sizes(arguments: Arguments) -> Iterator[tuple[str, float]]:
    """Numbers and lengths, of the arguments and of the items of tuples among them."""
    for index, value in enumerate(arguments):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield str(index), value
        elif isinstance(value, str | list | tuple | dict):
            yield str(index), len(value)
        if isinstance(value, tuple):
            yield from ((f"{index}.{place}", size) for place, size in _sizes(list(value)))


def _relations(calls: Sequence[Arguments]) -> Iterator[tuple[str, str, Relation]]:
    sizes = [dict(_sizes(arguments)) for arguments in calls]
    for one, other in combinations(sorted({place for known in sizes for place in known}), 2):
        pairs = {(known[one], known[other]) for known in sizes if one in known and other in known}
        if len(pairs) >= MIN_SEEN:
            yield from ((one, other, relation) for relation in _RELATIONS if all(relation(*pair) for pair in pairs))
