"""Mutants: wrong rows made of rows with known answers, which a grader must reject."""

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

OTHER_ANSWER, NUMBER_CHANGED, CHARACTERS_CHANGED = MUTANT_KINDS = (
    "another row's answer",
    "a number changed",
    "characters changed",
)
MAX_TRIES = 5  # for each kind and row
CHANGED_SHARE = 0.15  # of the letters and digits; at least one is changed
_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


def mutants(rows: Sequence[Row], task: Task, seed: int) -> Iterator[Row]:
    """One wrong row of each row with a known answer, the kinds in turn; its metadata `mutant` names the kind.

    A row of which no kind makes a wrong one is left out. A task that checks answers decides what is wrong.
    """
    answers = [row.target for row in rows]
    for index, row in enumerate(rows):
        rng = random.Random(f"{seed} {row.id}")
        kinds = MUTANT_KINDS[index % len(MUTANT_KINDS) :] + MUTANT_KINDS[: index % len(MUTANT_KINDS)]
        candidates = ((kind, _mutated(kind, row, answers, rng)) for kind in kinds for _ in range(MAX_TRIES))
        for kind, answer in candidates:
            if answer and _is_wrong(row, answer, task):
                yield replace(
                    row,
                    answer=answer,
                    origin="synthetic",
                    method="mutant",
                    parents=(row.id,),
                    metadata={**row.metadata, "mutant": kind},
                )
                break


def _mutated(kind: str, row: Row, answers: Sequence[str], rng: random.Random) -> str:
    """The changed answer; empty if the row makes none of this kind. Another row's document is not wrong."""
    if kind == OTHER_ANSWER:
        return rng.choice(answers) if row.prompt else ""
    if kind == NUMBER_CHANGED:
        numbers = list(re.finditer("[0-9]+", row.target))
        return _with_changes(row.target, [rng.choice(range(*numbers[-1].span()))], rng) if numbers else ""
    positions = [
        index for index, character in enumerate(row.target) if any(character in alphabet for alphabet in _ALPHABETS)
    ]
    if not positions:
        return ""
    changed = rng.sample(positions, max(1, round(CHANGED_SHARE * len(positions))))
    start = row.target.rfind(stated_answer(row.target))
    final_answer = [index for index in positions if index >= start]
    if final_answer and not set(final_answer).intersection(changed):  # the final answer must not stay right
        changed.append(rng.choice(final_answer))
    return _with_changes(row.target, changed, rng)


def _with_changes(text: str, positions: Sequence[int], rng: random.Random) -> str:
    """The text with another character of the same alphabet at each position."""
    characters = list(text)
    for index in positions:
        alphabet = next(letters for letters in _ALPHABETS if characters[index] in letters)
        characters[index] = rng.choice([letter for letter in alphabet if letter != characters[index]])
    return "".join(characters)


def _is_wrong(row: Row, answer: str, task: Task) -> bool:
    if normal(answer) == normal(row.target):
        return False
    return not task.verifiable or task.check(row, answer).score < 0.5
