"""Checks that the teacher proposes from known answers, beside those that are learned, for a task without a verifier.

The teacher sees some prompts with their known answers, and proposes checks in a small closed language. A proposal stays
if known answers that the teacher did not see keep it, and it notices wrong answers that no other check notices.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from selfsown.models import Model
from selfsown.option_types import Count
from selfsown.prompting.learned_checks import described, grades_by, known_pairs
from selfsown.prompting.proposed_checks import propose_checks
from selfsown.records import Grade, Row
from selfsown.text.reference_checks.corruptions import Pair
from selfsown.text.reference_checks.learning import Learned, halves, learn
from selfsown.text.reference_checks.proposals import USED, with_proposals

READS = "answers"
STREAMS = True


def grade(
    rows: Iterable[Row], teacher: Model, real: Sequence[Row], *, proposed: Count = 10, shown: Count = 8
) -> Iterator[Grade]:
    """1 for an answer that keeps all checks, else 0 with the check that it does not keep.

    A line at the start says how many proposals were used, how the others ended, and which wrong answers the checks do
    not notice. Raises DataError where fewer than 20 real rows have an answer, or there is no check at all.

    proposed: checks that the teacher is asked for, in one request.
    shown: prompts with their answers that it sees, of the half of them that it may see.
    """
    pairs = known_pairs(real, "proposed_checks")
    left = iter(rows)
    first = next(left, None)
    if first is None:
        return  # a dry run, in which nothing is asked
    answer = propose_checks(teacher, halves(pairs)[0][:shown], proposed)
    learned, ended = with_proposals(_learned(pairs), answer.data or (), pairs)
    logging.getLogger(__name__).info(
        "selfsown: note: grade.proposed_checks: %s; %s", _ended(answer.failure, ended), described(learned)
    )
    yield from grades_by(learned, chain((first,), left), "proposed_checks")


@lru_cache(maxsize=4)
def _learned(pairs: tuple[Pair, ...]) -> Learned:
    return learn(pairs)


def _ended(failure: str, ended: Counter[str]) -> str:
    """How the proposals ended."""
    if failure:
        return f"the teacher proposed nothing that could be read: {failure}"
    others = "".join(f", {count} {ending}" for ending, count in sorted(ended.items()) if ending != USED)
    return f"{ended[USED]} of {ended.total()} proposals are used{others}"
