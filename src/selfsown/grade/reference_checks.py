"""Checks learned from the known answers of real rows, for a task without a verifier.

What all known answers have in common (their form, length and relation to the prompt) becomes a check, if answers that
were set aside keep it and wrong answers made of them do not. A rule that is kept is no proof that an answer is right.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from selfsown.prompting.learned_checks import described, grades_by, known_pairs
from selfsown.records import Grade, Row
from selfsown.text.reference_checks.corruptions import Pair
from selfsown.text.reference_checks.learning import Learned, learn

READS = "answers"
STREAMS = True


def grade(rows: Iterable[Row], real: Sequence[Row]) -> Iterator[Grade]:
    """1 for an answer that keeps all checks, else 0 with the check that it does not keep.

    A line at the start says how many checks were learned, and which wrong answers they do not notice. Raises DataError
    where fewer than 20 real rows have an answer, or no check could be learned.
    """
    yield from grades_by(_learned(known_pairs(real, "reference_checks")), rows, "reference_checks")


@lru_cache(maxsize=4)
def _learned(pairs: tuple[Pair, ...]) -> Learned:
    """Learned once for all generations, and logged once."""
    learned = learn(pairs)
    logging.getLogger(__name__).info("selfsown: note: grade.reference_checks: %s", described(learned))
    return learned
