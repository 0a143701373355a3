"""An answer is right if it is mathematically equal to the known one, in any notation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.option_types import Positive
from selfsown.records import Grade, Row
from selfsown.sandbox.math_equivalence import MathComparer
from selfsown.text.computations import leaves_computation
from selfsown.text.expressions import claims, known_value, names_differ
from selfsown.text.final_answer import final_answers, stated_answer
from selfsown.text.normalize import normal
from selfsown.text.number_words import in_digits
from selfsown.text.numbers import changes_claim, parse_quantity, plain

READS = "answers"

MAX_CHARS_COMPARED = 500
MAX_CHARS_SHOWN = 60

_ASKS_PERCENT = re.compile(r"%|\bper\s?cent", re.IGNORECASE)

Pair = tuple[str, str, bool]  # two expressions, and whether the second one is the first one rounded


@dataclass(frozen=True)
class _Claim:
    """What an answer claims. error: why it is wrong, if no algebra is needed; pairs: expressions that must be equal."""

    known: str
    answer: str
    error: str = ""
    pairs: tuple[Pair, ...] = field(default=())


def grade(rows: Sequence[Row], *, timeout_seconds: Positive = 5.0) -> Iterator[Grade]:
    """The final answer is the last \\boxed{}, the text after ####, or the last line. Everything else that claims an
    answer, such as another box or the other side of an equation, must be right as well, and nothing may retract it.

    Numbers are compared exactly, other expressions by math-verify. A computation that is left to do, such as 9 + 9
    where 18 is known, or an expression of the prompt itself, is no answer.

    timeout_seconds: limit for each pair of expressions; a row that exceeds it has failed.
    """
    claimed = [_claim(row) for row in rows]
    pairs = [pair for claim in claimed for pair in claim.pairs]
    if not pairs:
        yield from (_grade(claim, [], timeout_seconds) for claim in claimed)
        return
    with MathComparer(timeout_seconds) as comparer:
        results = comparer.compare_all(pairs)
        for claim in claimed:
            yield _grade(claim, [next(results) for _ in claim.pairs], timeout_seconds)


def _claim(row: Row) -> _Claim:
    known = plain(stated_answer(row.target))
    finals, tail = final_answers(row.answer)
    answers = [plain(answer) for answer in finals]
    last = answers[-1] if answers else ""
    if not known:
        return _Claim(known, last)
    if not answers or changes_claim(plain(tail)):
        return _Claim(known, last, "no final answer, or one that is retracted")
    pairs: list[Pair] = []
    asks_percent, prompt = bool(_ASKS_PERCENT.search(row.prompt)), plain(row.prompt)
    for answer in answers:
        remaining = _pairs_to_compare(known, answer, asks_percent)
        if remaining is None:
            return _Claim(known, last, _mismatch(known, answer))
        if leaves_computation(known, answer, prompt):
            return _Claim(known, last, f"{answer[:MAX_CHARS_SHOWN]!r} is a computation, and not its result")
        pairs += remaining
    return _Claim(known, last, "", tuple(pairs))


def _mismatch(known: str, answer: str) -> str:
    return f"the known answer is {known[:MAX_CHARS_SHOWN]!r}, not {answer[:MAX_CHARS_SHOWN]!r}"


def _pairs_to_compare(known: str, answer: str, asks_percent: bool) -> list[Pair] | None:
    """The expressions of two plain answers that algebra must compare; None if the answers differ."""
    if not answer:
        return None
    if normal(known) == normal(answer):
        return []
    known, answer = in_digits(known), in_digits(answer)
    numbers = parse_quantity(known), parse_quantity(answer)
    if names_differ(known, answer):
        return None
    if numbers[0] and numbers[1]:
        return [] if numbers[0].equals(numbers[1], asks_percent=asks_percent) else None
    if known.strip("()") == answer.strip("().") and len(known.strip("()")) == 1:  # an option's letter
        return []
    parts = claims(known, answer) if max(len(known), len(answer)) <= MAX_CHARS_COMPARED else None
    if not parts:
        return None
    value = known_value(known)
    pairs: list[Pair] = [(first, second, True) for first, second in parts.rounded]
    for part in parts.equal:
        numbers = parse_quantity(value), parse_quantity(part)
        if numbers[0] and numbers[1]:
            if not numbers[0].equals(numbers[1], asks_percent=asks_percent):
                return None
        elif _without_spaces(value) != _without_spaces(part):
            pairs.append((value, part, False))
    return pairs


def _without_spaces(expression: str) -> str:
    """Spaces stay between two digits or letters."""
    return re.sub(r"(?<!\w) | (?!\w)", "", expression)


def _grade(claim: _Claim, equal: Sequence[bool | None], timeout_seconds: float) -> Grade:
    if not claim.known:
        return Grade(0.0, "no known answer to compare with", grader="math_equal", evidence="oracle", failed=True)
    if claim.error or False in equal:
        reason = claim.error or _mismatch(claim.known, claim.answer)
        return Grade(0.0, reason, grader="math_equal", evidence="oracle")
    if None in equal:
        reason = f"comparison exceeded {timeout_seconds:g} s"
        return Grade(0.0, reason, grader="math_equal", evidence="oracle", failed=True)
    reason = f"equals the known answer {claim.known[:MAX_CHARS_SHOWN]!r}"
    return Grade(1.0, reason, grader="math_equal", evidence="oracle")
