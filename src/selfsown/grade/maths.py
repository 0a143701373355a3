"""An answer is right if it is mathematically the same as the known one, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from selfsown.equations import Comparer
from selfsown.kinds import Positive
from selfsown.records import Grade, Row
from selfsown.text.quantities import plain, quantity, stated

LONGEST = 500  # characters of an expression that is compared
SHOWN = 60  # characters of it that a reason shows


def grade(rows: Sequence[Row], *, seconds: Positive = 5.0) -> Iterator[Grade]:
    """Numbers are compared exactly; other expressions by math-verify, each pair for at most so many seconds."""
    pairs = [(plain(stated(row.target)), plain(stated(row.answer))) for row in rows]
    found = [_same(*pair) for pair in pairs]
    hard = [pair for pair, same in zip(pairs, found, strict=True) if same is None]
    if not hard:
        yield from (_grade(pair, bool(same)) for pair, same in zip(pairs, found, strict=True))
        return
    with Comparer(seconds) as comparer:
        compared = comparer.each(hard)
        for pair, same in zip(pairs, found, strict=True):
            yield _grade(pair, next(compared) if same is None else same, seconds)


def _same(known: str, said: str) -> bool | None:
    """Whether they are the same; None where only algebra can tell."""
    if not known or not said:
        return False
    if known == said:
        return True
    numbers = quantity(known), quantity(said)
    if numbers[0] and numbers[1]:
        return numbers[0].equals(numbers[1])
    prose = re.search(r"(?<![\\A-Za-z])[A-Za-z]{2,}[,;:]? +[A-Za-z]{2,}", said)
    return False if prose or len(known) > LONGEST or len(said) > LONGEST else None


def _grade(pair: tuple[str, str], same: bool | None, seconds: float = 0.0) -> Grade:
    known, said = (each[:SHOWN] for each in pair)
    if not known:
        return Grade(0.0, "no known answer to compare with", by="maths", trust="oracle", failed=True)
    if same is None:
        return Grade(0.0, f"cannot be compared within {seconds:g} s", by="maths", trust="oracle", failed=True)
    if same:
        return Grade(1.0, f"equals the known answer {known!r}", by="maths", trust="oracle")
    return Grade(0.0, f"the known answer is {known!r}, not {said!r}", by="maths", trust="oracle")
