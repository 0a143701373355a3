"""What all sources of the user's own rows have in common: they know the answers that they were told, no more."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

from selfsown.records import Grade, Row


class Seeds:
    """A world without levels, whose answers cannot be checked but against those that stand there."""

    @property
    def top_level(self) -> int:
        return 0

    @property
    def verifiable(self) -> bool:
        return False

    @property
    def forms(self) -> tuple[str, ...]:
        return ()

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "it says nothing"

    def check(self, row: Row, answer: str) -> Grade:
        right = answer.strip() == row.target.strip()
        return Grade(float(right), "equals the answer" if right else "differs from the answer", trust="oracle")

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())


def drawn(rows: Callable[[], Iterable[Row]], few: int, seed: int) -> Iterator[Row]:
    """`few` of the rows, drawn at random, in their order; they are counted first, and never all in memory."""
    there = sum(1 for _ in rows())
    if few >= there:
        yield from rows()
        return
    chosen = iter(sorted(random.Random(seed).sample(range(there), few)))
    wanted = next(chosen)
    for at, row in enumerate(rows()):
        if at == wanted:
            yield row
            if (after := next(chosen, None)) is None:
                return
            wanted = after
