"""Known answers to learn checks from, grades by checks that were learned, and how far these reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfsown.errors import DataError
from selfsown.records import Grade, Row
from selfsown.text.reference_checks.corruptions import Pair
from selfsown.text.reference_checks.learning import Learned

MIN_ANSWERS = 20
MAX_ANSWERS = 2_000
WELL, BADLY = 0.9, 0.5  # the share of a kind of wrong answers that is noticed


def known_pairs(real: Sequence[Row], grader: str) -> tuple[Pair, ...]:
    """The prompts and known answers of real rows. Raises DataError where fewer than 20 have an answer."""
    pairs = tuple((row.prompt, row.target or row.answer) for row in real if row.answered)[:MAX_ANSWERS]
    if len(pairs) < MIN_ANSWERS:
        known = f"{len(pairs)} real rows have an answer"
        raise DataError(f"grade.{grader}: {known}; checks are learned from {MIN_ANSWERS} or more")
    return pairs


def grades_by(learned: Learned, rows: Iterable[Row], grader: str) -> Iterator[Grade]:
    """1 for an answer that keeps all checks, else 0 with the first that it breaks. Raises DataError without checks."""
    if not learned.checks:
        raise DataError(
            f"grade.{grader}: the known answers have nothing in common by which a wrong one is noticed; take another "
            "grader, such as judge"
        )
    for row in rows:
        reason = learned.violation(row.prompt, row.answer)
        yield Grade(float(not reason), reason or "keeps all checks", grader=grader, evidence="rule")


def described(learned: Learned) -> str:
    """How many checks there are, and how far they reach."""
    badly = [f"{kind} ({share:.0%})" for kind, share in learned.noticed.items() if share < BADLY]
    well = [kind for kind, share in learned.noticed.items() if share >= WELL]
    names = ", ".join(check.name for check in learned.checks)
    broken = f"; {len(learned.refused)} of these answers break one" if learned.refused else ""
    return (
        f"{len(learned.checks)} checks from {learned.answers:,} answers ({names}){broken}; wrong answers that are "
        f"nearly always noticed: {', '.join(well) or 'none'}; seldom: {', '.join(badly) or 'none'}"
    )
