"""Checks learned from the known answers of real rows, for a task without a verifier.

What all known answers have in common (their form, length and relation to the prompt) becomes a check, if answers that
were set aside keep it and wrong answers made of them do not. A rule that is kept is no proof that an answer is right.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from selfsown.errors import DataError
from selfsown.records import Grade, Row
from selfsown.text.reference_checks.corruptions import Pair
from selfsown.text.reference_checks.learning import Learned, learn

READS = "answers"
STREAMS = True
MIN_ANSWERS = 20
MAX_ANSWERS = 2_000
WELL, BADLY = 0.9, 0.5  # the share of a kind of wrong answers that is noticed


def grade(rows: Iterable[Row], real: Sequence[Row]) -> Iterator[Grade]:
    """1 for an answer that keeps all checks, else 0 with the check that it does not keep.

    A line at the start says how many checks were learned, and which wrong answers they do not notice. Raises DataError
    where fewer than 20 real rows have an answer, or no check could be learned.
    """
    pairs = tuple((row.prompt, row.target or row.answer) for row in real if row.answered)[:MAX_ANSWERS]
    if len(pairs) < MIN_ANSWERS:
        known = f"{len(pairs)} real rows have an answer"
        raise DataError(f"grade.reference_checks: {known}; checks are learned from {MIN_ANSWERS} or more")
    learned = _learned(pairs)
    if not learned.checks:
        raise DataError(
            "grade.reference_checks: the known answers have nothing in common by which a wrong one is noticed; take "
            "another grader, such as judge"
        )
    for row in rows:
        reason = learned.violation(row.prompt, row.answer)
        yield Grade(float(not reason), reason or "keeps all checks", grader="reference_checks", evidence="rule")


@lru_cache(maxsize=4)
def _learned(pairs: tuple[Pair, ...]) -> Learned:
    """Learned once for all generations, and logged once."""
    learned = learn(pairs)
    logging.getLogger(__name__).info("selfsown: note: grade.reference_checks: %s", _described(learned))
    return learned


def _described(learned: Learned) -> str:
    """How many checks there are, and how far they reach."""
    badly = [f"{kind} ({share:.0%})" for kind, share in learned.noticed.items() if share < BADLY]
    well = [kind for kind, share in learned.noticed.items() if share >= WELL]
    names = ", ".join(check.name for check in learned.checks)
    broken = f"; {len(learned.refused)} of these answers break one" if learned.refused else ""
    return (
        f"{len(learned.checks)} checks from {learned.answers:,} answers ({names}){broken}; wrong answers that are "
        f"nearly always noticed: {', '.join(well) or 'none'}; seldom: {', '.join(badly) or 'none'}"
    )
