"""An answer is right if it is mathematically the same as the known one, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.option_types import Positive
from selfsown.records import Grade, Row
from selfsown.sandbox.math_equivalence import MathComparer
from selfsown.text.expressions import claims, is_of_another, known_value
from selfsown.text.final_answer import final_answers, stated
from selfsown.text.normalize import normal
from selfsown.text.number_words import in_digits
from selfsown.text.numbers import is_otherwise, plain, quantity

LONGEST = 500  # characters of an expression that is compared
SHOWN = 60  # characters of it that a reason shows

Pair = tuple[str, str, bool]  # two expressions, and whether the second is the first, rounded


@dataclass(frozen=True)
class _Reading:
    """What an answer claims, and the pairs that algebra must find the same; wrong: what is wrong without any."""

    known: str
    said: str
    wrong: str = ""
    pairs: tuple[Pair, ...] = field(default=())


def grade(rows: Sequence[Row], *, timeout_seconds: Positive = 5.0) -> Iterator[Grade]:
    """One final answer is read: the last box, what follows ####, or what the last line says. Whatever else claims an
    answer, such as another box or the other side of an equation, must be right as well, and nothing may take it back.

    Numbers are compared exactly; other expressions by math-verify, each pair for at most so many seconds, once they
    have a form that may be right."""
    readings = [_read(row) for row in rows]
    hard = [pair for reading in readings for pair in reading.pairs]
    if not hard:
        yield from (_grade(reading, [], timeout_seconds) for reading in readings)
        return
    with MathComparer(timeout_seconds) as comparer:
        compared = comparer.compare_all(hard)
        for reading in readings:
            yield _grade(reading, [next(compared) for _ in reading.pairs], timeout_seconds)


def _read(row: Row) -> _Reading:
    known = plain(stated(row.target))
    answers, tail = final_answers(row.answer)
    said = [plain(each) for each in answers]
    shown = said[-1] if said else ""
    if not known:
        return _Reading(known, shown)
    if not said or is_otherwise(plain(tail)):
        return _Reading(known, shown, "it gives no final answer that it stands by")
    pairs: list[Pair] = []
    for each in said:
        found = _compared(known, each)
        if found is None:
            return _Reading(known, shown, f"the known answer is {known[:SHOWN]!r}, not {each[:SHOWN]!r}")
        pairs += found
    return _Reading(known, shown, "", tuple(pairs))


def _compared(known: str, said: str) -> list[Pair] | None:
    """What is left to compare of two plain answers; None where they are not the same."""
    if not said:
        return None
    if normal(known) == normal(said):
        return []
    known, said = in_digits(known), in_digits(said)
    numbers = quantity(known), quantity(said)
    if is_of_another(known, said):
        return None
    if numbers[0] and numbers[1]:
        return [] if numbers[0].equals(numbers[1]) else None
    if known.strip("()") == said.strip("().") and len(known.strip("()")) == 1:  # an option's letter
        return []
    found = claims(known, said) if max(len(known), len(said)) <= LONGEST else None
    if not found:
        return None
    value = known_value(known)
    pairs: list[Pair] = [(first, second, True) for first, second in found.rounded]
    for part in found.equal:
        numbers = quantity(value), quantity(part)
        if numbers[0] and numbers[1]:
            if not numbers[0].equals(numbers[1]):
                return None
        elif _packed(value) != _packed(part):
            pairs.append((value, part, False))
    return pairs


def _packed(expression: str) -> str:
    """Without spaces, but between two digits or letters."""
    return re.sub(r"(?<!\w) | (?!\w)", "", expression)


def _grade(reading: _Reading, same: Sequence[bool | None], seconds: float) -> Grade:
    known, said = reading.known[:SHOWN], reading.said[:SHOWN]
    if not known:
        return Grade(0.0, "no known answer to compare with", grader="math_equal", evidence="oracle", failed=True)
    if reading.wrong or False in same:
        reason = reading.wrong or f"the known answer is {known!r}, not {said!r}"
        return Grade(0.0, reason, grader="math_equal", evidence="oracle")
    if None in same:
        return Grade(
            0.0, f"cannot be compared within {seconds:g} s", grader="math_equal", evidence="oracle", failed=True
        )
    return Grade(1.0, f"equals the known answer {known!r}", grader="math_equal", evidence="oracle")
