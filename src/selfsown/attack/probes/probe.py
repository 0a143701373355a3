"""What a probe is, and how one is written as a template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from selfsown.attack.problem import Form, Problem

Make = Callable[[Problem], str | None]
RIGHT, WRONG, PROMPT = "«right»", "«wrong»", "«prompt»"


@dataclass(frozen=True)
class Probe:
    """family, name: what it tries. reason: why its answer is wrong; of a right answer, what it changes.

    make: the answer to a problem; None where none can be made. forms: of the answers for which it is tried. costly: it
    takes a time limit to judge, so that one row is enough. by_chance: it is right where a problem has several right
    answers and this is one of them, so that it says nothing about a grader that checks answers by itself.
    """

    family: str
    name: str
    reason: str
    make: Make
    forms: tuple[Form, ...]
    costly: bool = False
    by_chance: bool = False


def template(text: str) -> Make:
    """An answer from a text with «right», «wrong» and «prompt» in it; None where the problem lacks one of them."""

    def make(problem: Problem) -> str | None:
        values = {RIGHT: problem.right, WRONG: problem.wrong, PROMPT: problem.row.prompt}
        if any(mark in text and not value for mark, value in values.items()):
            return None
        answer = text
        for mark, value in values.items():
            answer = answer.replace(mark, value)
        return answer

    return make


def templates(family: str, reason: str, forms: tuple[Form, ...], texts: dict[str, str]) -> tuple[Probe, ...]:
    """Probes of one family that are wrong for one reason. texts: the template of each name."""
    return tuple(Probe(family, name, reason, template(text), forms) for name, text in texts.items())
