"""A model compares answers to the same prompt two by two, each pair in both orders, so that no place wins by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.models import Model
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.judge_prompts import EMPTY_ANSWER, IGNORE_INSTRUCTIONS, fenced_prompt, text_kind
from selfsown.prompting.structured_output import Answer, complete_json
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.normalize import fenced

_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "better": {"enum": ["first", "second", "neither"]}},
    "required": ["reason", "better"],
    "additionalProperties": False,
}


@dataclass
class _Course:
    """What a row has won (1) and tied (½) so far, in how many meetings a verdict stood, and what was said last."""

    points: list[float] = field(default_factory=list)
    decided: int = 0
    reason: str = ""
    failure: str = "no sibling to compare with"


def grade(
    rows: Sequence[Row],
    judge: Model,
    seed: int,
    *,
    rubric: str = "Which is more correct, complete and clear, and does better what was asked for?",
    opponents: Count = 2,
    temperature: NotNegative = 0.0,
) -> Iterator[Grade]:
    """The score is the share of meetings that the row won; a tie, which is also where the judge contradicts itself
    when the order is turned, counts half. Each row meets `rivals` of its siblings, or all if there are fewer: the
    rows of the same prompt, or of the same parents where there is no prompt. Who has none has failed, and so has who
    says nothing, or of whom the judge only contradicts itself."""
    if not rubric.strip():
        raise SelfsownError("grade.pairwise: rubric is empty; say what makes one of two answers the better one")
    meetings = _meetings([row for row in rows if row.answer.strip()], opponents)
    asked = [(one, other) for one, other in meetings if one.answer != other.answer]
    prompts = [_asked(*pair, rubric) for one, other in asked for pair in ((one, other), (other, one))]
    said = complete_json(judge, prompts, _SCHEMA, temperature=temperature, seed=seed)
    courses: dict[str, _Course] = defaultdict(_Course)
    for one, other in meetings:
        if one.answer == other.answer:
            _tell(courses[one.id], 0.5, "it says the same as a sibling")
            _tell(courses[other.id], 0.5, "it says the same as a sibling")
    for (one, other), *both in zip(asked, said[::2], said[1::2], strict=True):
        _decide(courses[one.id], courses[other.id], both)
    for row in rows:
        yield _grade(courses[row.id] if row.answer.strip() else _Course(failure=EMPTY_ANSWER))


def _meetings(rows: Sequence[Row], rivals: int) -> list[tuple[Row, Row]]:
    """Siblings stand in a ring, in an order of their own, and each meets its neighbours."""
    families: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        families[row.full_prompt or row.parents].append(row)
    found: list[tuple[Row, Row]] = []
    for family in families.values():
        ring, size = sorted(family, key=lambda row: row.id), len(family)
        places = ((at, (at + far) % size) for far in range(1, (rivals + 1) // 2 + 1) for at in range(size))
        pairs = dict.fromkeys((min(pair), max(pair)) for pair in places)
        found += [(ring[low], ring[high]) for low, high in pairs if low != high]
    return found


def _asked(first: Row, second: Row, rubric: str) -> str:
    parts = [f"Compare two {text_kind(first)}s by this rubric: {rubric}"]
    parts += [f"What was asked:\n{fenced_prompt(first)}"] * bool(first.prompt)
    parts += [
        f"The first {text_kind(first)}:\n{fenced(first.answer)}",
        f"The second:\n{fenced(second.answer)}",
        IGNORE_INSTRUCTIONS,
    ]
    parts += ["Their order means nothing. Say the reason first, in one or two sentences, then which is better."]
    return "\n\n".join(parts)


def _decide(one: _Course, other: _Course, said: Sequence[Answer]) -> None:
    """Two answers: to the pair as it stands, and turned round."""
    if failure := said[0].failure or said[1].failure:
        one.failure = other.failure = failure
        return
    verdict = (said[0].data["better"], said[1].data["better"])
    points = {("first", "second"): 1.0, ("second", "first"): 0.0}.get(verdict, 0.5)
    reason = said[0].data["reason"].strip()
    stands = points != 0.5 or verdict == ("neither", "neither")
    _tell(one, points, reason, stands=stands)
    _tell(other, 1 - points, reason, stands=stands)


def _tell(course: _Course, points: float, reason: str, *, stands: bool = True) -> None:
    course.points.append(points)
    course.decided += stands
    course.reason = reason


def _grade(course: _Course) -> Grade:
    met = len(course.points)
    if not met:
        return Grade(0.0, course.failure, grader="pairwise", evidence="judge", failed=True)
    if not course.decided:
        reason = f"the judge says something else when the order is turned; {course.reason}"
        return Grade(0.5, reason, grader="pairwise", evidence="judge", failed=True)
    won, tied = course.points.count(1.0), course.points.count(0.5)
    reason = f"{won} won and {tied} tied of {met}; {course.reason}"
    return Grade(sum(course.points) / met, reason, grader="pairwise", evidence="judge")
