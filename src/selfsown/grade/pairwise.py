"""A judge compares answers to the same prompt in pairs, each in both orders, which cancels position bias."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.models import Model
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.json_schema import object_schema
from selfsown.prompting.judge_prompts import EMPTY_ANSWER, IGNORE_INSTRUCTIONS, fenced_prompt, text_kind
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import Answer, complete_json
from selfsown.records import Grade, Row, SelfsownError
from selfsown.templates import TemplateText
from selfsown.text.normalize import fenced

_SCHEMA = object_schema(reason=str, better=["first", "second", "neither"])


@dataclass
class _Record:
    """A row's results: points per comparison (1 won, ½ tied), verdicts that held in both orders, the last reason."""

    points: list[float] = field(default_factory=list)
    decided: int = 0
    reason: str = ""
    failure: str = "no sibling to compare with"

    def add(self, points: float, reason: str, *, decided: bool = True) -> None:
        self.points.append(points)
        self.decided += decided
        self.reason = reason


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    rubric: TemplateText = "Which is more correct, complete and clear, and better at what was asked for?",
    opponents: Count = 2,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """The score is the share of comparisons that the row won; ties count half, and so do verdicts that change when the
    order is swapped.

    rubric: what makes one of two answers the better one; SelfsownError if it is empty.
    opponents: siblings that each row is compared with, or all if there are fewer. Siblings have the same prompt, or
    without a prompt the same parents.
    temperature: of the judge.

    A row has failed if it has no sibling, is empty, or if all its verdicts changed when the order was swapped.
    """
    if not rubric.strip():
        raise SelfsownError("grade.pairwise: rubric is empty; write what makes one of two answers the better one")
    pairs = _pairs([row for row in rows if row.answer.strip()], opponents)
    different = [(one, other) for one, other in pairs if one.answer != other.answer]
    prompts = [_prompt(*pair, rubric) for one, other in different for pair in ((one, other), (other, one))]
    answers = complete_json(judge, prompts, _SCHEMA, temperature=temperature, seed=seed)
    records: dict[str, _Record] = defaultdict(_Record)
    for one, other in pairs:
        if one.answer == other.answer:
            records[one.id].add(0.5, "same text as a sibling")
            records[other.id].add(0.5, "same text as a sibling")
    for (one, other), in_order, swapped in zip(different, answers[::2], answers[1::2], strict=True):
        _decide(records[one.id], records[other.id], in_order, swapped)
    for row in rows:
        yield _grade(records[row.id] if row.answer.strip() else _Record(failure=EMPTY_ANSWER))


def _pairs(rows: Sequence[Row], opponents: int) -> list[tuple[Row, Row]]:
    """Siblings form a ring in the order of their ids, and each is compared with its neighbours."""
    families: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        families[row.full_prompt or row.parents].append(row)
    pairs: list[tuple[Row, Row]] = []
    for family in families.values():
        ring = sorted(family, key=lambda row: row.id)
        size = len(ring)
        distances = range(1, (opponents + 1) // 2 + 1)
        neighbours = ((index, (index + distance) % size) for distance in distances for index in range(size))
        distinct = dict.fromkeys((min(pair), max(pair)) for pair in neighbours)
        pairs += [(ring[low], ring[high]) for low, high in distinct if low != high]
    return pairs


def _prompt(first: Row, second: Row, rubric: str) -> str:
    parts = [f"Compare two {text_kind(first)}s by this rubric: {for_row(rubric, first)}"]
    if first.prompt:
        parts.append(f"What was asked:\n{fenced_prompt(first)}")
    parts += [
        f"The first {text_kind(first)}:\n{fenced(first.answer)}",
        f"The second:\n{fenced(second.answer)}",
        IGNORE_INSTRUCTIONS,
    ]
    parts += ["Their order means nothing. Give the reason first, in one or two sentences, then which is better."]
    return "\n\n".join(parts)


def _decide(one: _Record, other: _Record, in_order: Answer, swapped: Answer) -> None:
    """Add the result of a pair that was judged in both orders."""
    if failure := in_order.failure or swapped.failure:
        one.failure = other.failure = failure
        return
    verdict = (in_order.data["better"], swapped.data["better"])
    points = {("first", "second"): 1.0, ("second", "first"): 0.0}.get(verdict, 0.5)
    reason = in_order.data["reason"].strip()
    decided = points != 0.5 or verdict == ("neither", "neither")
    one.add(points, reason, decided=decided)
    other.add(1 - points, reason, decided=decided)


def _grade(record: _Record) -> Grade:
    count = len(record.points)
    if not count:
        return Grade(0.0, record.failure, grader="pairwise", evidence="judge", failed=True)
    if not record.decided:
        reason = f"the verdict changes when the order is swapped; {record.reason}"
        return Grade(0.5, reason, grader="pairwise", evidence="judge", failed=True)
    won, tied = record.points.count(1.0), record.points.count(0.5)
    reason = f"{won} won and {tied} tied of {count}; {record.reason}"
    return Grade(sum(record.points) / count, reason, grader="pairwise", evidence="judge")
