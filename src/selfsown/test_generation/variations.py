"""Further inputs of a function: one small change of an input that is known, by its type."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator, Sequence
from typing import Any

from selfsown.test_generation.calls import Arguments

SMALL_NUMBERS = 40  # tried one by one for an argument that is an integer
MAX_SYSTEMATIC = 12  # calls whose texts and lists are varied systematically
MAX_CHANGES = 3  # of one call
NUMBER_SHARE = 0.3  # of the changes of a text with numbers that change one


class Variations:
    """Draws inputs from those that are known.

    calls: the known calls. constants: of the program, which mark its limits.
    """

    def __init__(self, calls: Sequence[Arguments], constants: Sequence[Any], rng: random.Random) -> None:
        self._rng = rng
        parts = [part for arguments in calls for part in _parts(arguments)]
        numbers = [value for value in (*parts, *constants) if type(value) is int and abs(value) < 10**6]
        self._integers = sorted({value + shift for value in numbers for shift in (-1, 0, 1)} | {0, 1, 2})
        self._floats = [value for value in (*parts, *constants) if isinstance(value, float)] or [0.5]
        self._texts = [value for value in (*parts, *constants) if isinstance(value, str)] or ["a"]
        self._words = sorted({word for text in self._texts for word in text.split()}) or ["a"]
        self._characters = sorted({character for text in self._texts for character in text}) or ["a"]

    def systematic(self, calls: Sequence[Arguments]) -> Iterator[Arguments]:
        """Small integers and the program's limits for each argument that is an integer, and the parts of each list and
        text."""
        for arguments in calls[:3]:
            for index, value in enumerate(arguments):
                if type(value) is int:
                    for number in sorted({*range(SMALL_NUMBERS), *self._integers}):
                        yield _with(arguments, index, number)
        for arguments in calls[:MAX_SYSTEMATIC]:
            for index, value in enumerate(arguments):
                if isinstance(value, str):
                    yield from (_with(arguments, index, text) for text in self._with_numbers(value))
                if isinstance(value, str | list | tuple):
                    yield from (_with(arguments, index, value[:end]) for end in range(min(len(value), 4)))
                    yield _with(arguments, index, value[1:])
                    yield _with(arguments, index, value[::-1])

    def _with_numbers(self, text: str) -> Iterator[str]:
        """The text with the program's limits in the place of one of its numbers."""
        for number in re.finditer(r"\d+", text):
            for value in self._integers:
                if 0 <= value < 10 ** len(number[0]):
                    yield _replaced(text, number, value)

    def varied(self, calls: Sequence[Arguments]) -> Arguments:
        """One of the calls, with up to three changes."""
        arguments = list(self._rng.choice(calls))
        for _ in range(self._rng.randint(1, MAX_CHANGES)):
            if not arguments:
                break
            index = self._rng.randrange(len(arguments))
            chance = self._rng.random()
            if chance < 0.15:  # from another call
                other = self._rng.choice(calls)
                arguments[index] = other[index] if index < len(other) else arguments[index]
            elif chance < 0.25 and len(arguments) > 1:  # the same as another argument, or exchanged with it
                second = self._rng.randrange(len(arguments))
                if type(arguments[index]) is type(arguments[second]):
                    known = arguments[second]
                    arguments[second] = arguments[index] if chance < 0.2 else known
                    arguments[index] = known
            else:
                arguments[index] = self.change(arguments[index])
        return arguments

    def change(self, value: Any) -> Any:
        """The value with one change; of another type never."""
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return type(value)(self._list(list(value), fixed=isinstance(value, tuple)))
        if isinstance(value, dict):
            return self._dictionary(value)
        if isinstance(value, set | frozenset):
            return type(value)(self._list(sorted(value, key=repr), fixed=False))
        return value

    def _integer(self, value: int) -> int:
        choice = self._rng.choice
        kind = self._rng.randrange(6)
        if kind == 0:
            return value + choice((-2, -1, 1, 2))
        if kind == 1:
            return choice(self._integers)
        if kind == 2:
            return self._rng.randint(0, max(20, 2 * abs(value)))
        if kind == 3:
            return choice((-value, value // 2, 2 * value, value * 10, value // 10))
        digits = str(abs(value))
        if kind == 4:
            digits = "".join(self._rng.sample(digits, len(digits)))
        else:
            place = self._rng.randrange(len(digits))
            digits = digits[:place] + choice(string.digits) + digits[place + 1 :]
        return int(digits) * (-1 if value < 0 else 1)

    def _float(self, value: float) -> float:
        kind = self._rng.randrange(5)
        if kind == 0:
            return self._rng.choice(self._floats)
        if kind == 1:
            return value + self._rng.choice((-1.0, -0.5, -0.1, 0.1, 0.5, 1.0))
        if kind == 2:
            return self._rng.choice((float(round(value)), round(value) + 0.5, -value, 0.0, 1.0))
        if kind == 3:
            return float(self._rng.choice(self._integers))
        return round(value * self._rng.uniform(0, 2), 2)

    def _text(self, value: str) -> str:
        choice, place = self._rng.choice, self._rng.randrange(len(value) + 1)
        end = self._rng.randrange(place, len(value) + 1)
        numbers = list(re.finditer(r"\d+", value))
        words = value.split(" ")
        kind = self._rng.randrange(14)
        if numbers and (kind == 0 or self._rng.random() < NUMBER_SHARE):
            number = choice(numbers)
            return _replaced(value, number, abs(self._integer(int(number[0]))))
        if kind == 1:
            words[self._rng.randrange(len(words))] = choice(self._words)
            return " ".join(words)
        if kind == 2:
            return " ".join(self._rng.sample(words, len(words)))
        if kind == 3:
            return f"{value} {choice(self._words)}"
        if kind == 4 and value:
            character = value[place - 1]
            return value[:place] + character * self._rng.randint(1, 3) + value[place:]
        if kind == 5:
            return choice((value.upper(), value.lower(), value.swapcase(), value.capitalize()))
        if kind == 6:
            return value + value[::-1]
        if kind == 7:
            return "".join(self._rng.sample(value, len(value)))
        if kind == 8:
            return choice(self._texts)
        more = choice((choice(self._characters), choice(string.ascii_lowercase), choice(string.digits)))
        return choice(
            (
                value[:place] + more + value[place:],
                value[:place] + more + value[place + 1 :],
                value[:place] + value[end:],
                value[:place],
                value[place:],
                value[:place] + value[place : place + 1].swapcase() + value[place + 1 :],
                value[:place] + value[place:end][::-1] + value[end:],
                value + value[:place],
            )
        )

    def _list(self, items: list[Any], *, fixed: bool) -> list[Any]:
        """fixed: its length stays."""
        choice, rng = self._rng.choice, self._rng
        if not items:
            return [] if fixed else [choice(self._integers)]
        place, other = rng.randrange(len(items)), rng.randrange(len(items))
        changed = [*items[:place], self.change(items[place]), *items[place + 1 :]]
        exchanged = list(items)
        exchanged[place], exchanged[other] = items[other], items[place]
        equal = [*items[:place], items[other], *items[place + 1 :]]
        same_length = [changed, changed, exchanged, equal, items[::-1], rng.sample(items, len(items)), _sorted(items)]
        if fixed:
            return choice(same_length)
        return choice(
            (
                *same_length,
                items[:place] + items[place + 1 :],
                items[:place],
                items[place:],
                [*items, items[place]],
                [*items, self.change(items[place])],
                [self.change(items[place]), *items],
                _sorted(items)[::-1],
                [items[place]] * rng.randint(1, 4),
                items + items[:place],
            )
        )

    def _dictionary(self, value: dict[Any, Any]) -> dict[Any, Any]:
        items = list(value.items())
        if not items:
            return {}
        place = self._rng.randrange(len(items))
        key, item = items[place]
        changed = self._rng.choice(((key, self.change(item)), (self.change(key), item)))
        rest = items[:place] + items[place + 1 :]
        try:
            return dict(self._rng.choice((rest, [*rest, changed], [*items, changed], items[::-1])))
        except TypeError:  # a key that cannot be one
            return value


def _replaced(text: str, number: re.Match[str], value: int) -> str:
    """The text with another number, as wide as the one in its place if that began with a zero."""
    width = len(number[0]) if number[0].startswith("0") else 0
    return f"{text[: number.start()]}{value:0{width}d}{text[number.end() :]}"


def _with(arguments: Arguments, index: int, value: Any) -> Arguments:
    return [*arguments[:index], value, *arguments[index + 1 :]]


def _sorted(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)


def _parts(value: Any) -> Iterator[Any]:
    """The plain values within a value."""
    if isinstance(value, dict):
        yield from (part for pair in value.items() for item in pair for part in _parts(item))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (part for item in value for part in _parts(item))
    else:
        yield value
