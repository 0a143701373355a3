"""Known-good rows and known-bad ones made of them: a grader must accept the first and reject the second."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace

from selfsown.records import Row
from selfsown.tasks import Task
from selfsown.text.final_answer import stated_answer
from selfsown.text.normalize import normal

KINDS = ("another row's answer", "a number changed", "characters changed")
TRIES = 5  # for each kind, before the row makes none of it
DAMAGE = 0.15  # the share of characters that are changed, and one at the least
_ALIKE = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


def mutants(rows: Sequence[Row], task: Task, seed: int) -> Iterator[Row]:
    """Of each row whose answer is known, one that is wrong, the kinds by turns; its trait `mutant` says which.

    A row of which no kind makes a wrong one is left out: where the world checks answers, it is asked.
    """
    answers = [row.target for row in rows]
    for at, row in enumerate(rows):
        chance = random.Random(f"{seed} {row.id}")
        kinds = KINDS[at % len(KINDS) :] + KINDS[: at % len(KINDS)]
        found = ((kind, _mutated(kind, row, answers, chance)) for kind in kinds for _ in range(TRIES))
        for kind, answer in found:
            if answer and _wrong(row, answer, task):
                traits = {**row.metadata, "mutant": kind}
                yield replace(
                    row, answer=answer, origin="synthetic", method="mutant", parents=(row.id,), metadata=traits
                )
                break


def _mutated(kind: str, row: Row, answers: Sequence[str], chance: random.Random) -> str:
    """ "" where the row makes none of this kind: any text is a right document, as far as anybody knows."""
    if kind == KINDS[0]:
        return chance.choice(answers) if row.prompt else ""
    if kind == KINDS[1]:
        numbers = list(re.finditer("[0-9]+", row.target))
        return _changed(row.target, [chance.choice(range(*numbers[-1].span()))], chance) if numbers else ""
    places = [at for at, each in enumerate(row.target) if any(each in alike for alike in _ALIKE)]
    if not places:
        return ""
    some = chance.sample(places, max(1, round(DAMAGE * len(places))))
    start = row.target.rfind(stated_answer(row.target))
    end = [at for at in places if at >= start]
    if end and not set(end).intersection(some):  # what comes out is not left right
        some.append(chance.choice(end))
    return _changed(row.target, some, chance)


def _changed(text: str, places: Sequence[int], chance: random.Random) -> str:
    """The text with another character of its kind at each of the places."""
    out = list(text)
    for at in places:
        alike = next(each for each in _ALIKE if out[at] in each)
        out[at] = chance.choice([each for each in alike if each != out[at]])
    return "".join(out)


def _wrong(row: Row, answer: str, task: Task) -> bool:
    if normal(answer) == normal(row.target):
        return False
    return not task.verifiable or task.check(row, answer).score < 0.5
