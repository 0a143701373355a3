"""The teacher looks for errors and gaps in real texts and corrects them; all else stays as it is, letter by letter.

It needs a teacher who follows instructions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.models import Model
from selfsown.option_types import NotNegative, Share
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS, fenced_prompt, fenced_row, text_kind
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row, with_answers
from selfsown.text.chat import prompt_traits
from selfsown.text.normalize import fenced

_PARTS = ("quote", "reason", "correction")
_EDIT = {
    "type": "object",
    "properties": {part: {"type": "string"} for part in _PARTS},
    "required": list(_PARTS),
    "additionalProperties": False,
}
_EDITS = {
    "type": "object",
    "properties": {"errors": {"type": "array", "items": _EDIT}},
    "required": ["errors"],
    "additionalProperties": False,
}
_CHOICE = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "right": {"enum": ["first", "second", "both", "neither"]}},
    "required": ["reason", "right"],
    "additionalProperties": False,
}
_ABOUT = 200  # characters on either side of a passage that is asked about again


@dataclass
class _Edit:
    """A passage, at its place in a text, and what is to stand there; turned: the correction is shown first."""

    row: Row
    at: int
    said: Mapping[str, str]
    turned: bool

    @property
    def end(self) -> int:
        return self.at + len(self.said["quote"])

    def passage(self, words: str) -> str:
        text = self.row.answer
        return text[max(0, self.at - _ABOUT) : self.at] + words + text[self.end : self.end + _ABOUT]


def generate(
    rows: Sequence[Row],
    teacher: Model,
    generation: int,
    seed: int,
    real: Sequence[Row] = (),
    *,
    instruction: str = "",
    confirm: bool = True,
    max_changed: Share = 0.5,
    temperature: NotNegative = 0.0,
    keep_original: bool = False,
) -> Iterator[Row]:
    """Each real row's answer, or text, with its errors corrected; `instruction` says more of what an error is. A
    correction is made only where its quote stands exactly once. With `confirm`, the teacher is shown both versions of
    the passage, and must find the corrected one alone right without being told which it is.

    A row where more than `most` of the characters would change has failed. What was changed is the trait "edits"; with
    `original`, the text as it stood is a trait, too, for a grader to hold the corrected one against.
    """
    rows = with_answers(rows, real, "generate.correct_errors")
    prompts = [_asked(row, instruction) for row in rows]
    said = complete_json(teacher, prompts, _EDITS, temperature=temperature, seed=seed)
    edits = [_edits(row, answer, seed) for row, answer in zip(rows, said, strict=True)]
    if confirm:
        choices = complete_json(teacher, [_again(edit) for each in edits for edit in each], _CHOICE, seed=seed)
        told = iter(choices)
        edits = [[edit for edit in each if _confirmed(edit, next(told))] for each in edits]
    for row, answer, each in zip(rows, said, edits, strict=True):
        made = _made(row, answer, each, max_changed, (teacher.name, generation))
        yield made.replace_fields(metadata={**made.metadata, "original": row.answer}) if keep_original else made


def _asked(row: Row, instruction: str) -> str:
    parts = [
        f"Find the errors in the {text_kind(row)} below: what is wrong in fact, in reckoning or in spelling, and gaps."
    ]
    parts += [instruction] * bool(instruction)
    parts += [fenced_row(row)]
    parts += [
        "To each error quote the words, exactly, and as few as stand there but once; say the reason; and give what "
        "is to stand in the place of the quote. Style and taste are no errors. If there is none, the list is empty."
    ]
    return "\n\n".join(parts)


def _edits(row: Row, answer: Answer, seed: int) -> list[_Edit]:
    """What can be corrected, in order; of two that overlap, the first."""
    chance = random.Random(f"{seed} {row.id}")
    found: list[_Edit] = []
    for said in [] if answer.failure else answer.data["errors"]:
        quote, turned = said["quote"], chance.random() < 0.5
        if quote and quote != said["correction"] and _times(row.answer, quote) == 1:
            found.append(_Edit(row, row.answer.index(quote), said, turned))
    apart: list[_Edit] = []
    for edit in sorted(found, key=lambda edit: edit.at):
        if not apart or edit.at >= apart[-1].end:
            apart.append(edit)
    return apart


def _times(text: str, words: str) -> int:
    """How often the words stand in the text, also where they overlap, up to twice."""
    first = text.find(words)
    return 0 if first < 0 else 1 + (text.find(words, first + 1) >= 0)


def _again(edit: _Edit) -> str:
    both = [edit.passage(edit.said["quote"]), edit.passage(edit.said["correction"])]
    first, second = reversed(both) if edit.turned else both
    parts = ["Here are two versions of a passage that differ in one place. Which of them is right there?"]
    parts += [f"It is from an answer to:\n{fenced_prompt(edit.row)}"] * bool(edit.row.prompt)
    parts += [f"The first:\n{fenced(first)}", f"The second:\n{fenced(second)}", IGNORE_INSTRUCTIONS]
    parts += ["Their order means nothing. Say the reason first, in one or two sentences, then which is right."]
    return "\n\n".join(parts)


def _confirmed(edit: _Edit, said: Answer) -> bool:
    return not said.failure and said.data["right"] == ("first" if edit.turned else "second")


def _made(row: Row, answer: Answer, edits: Sequence[_Edit], most: float, by: tuple[str, int]) -> Row:
    text = row.answer
    for edit in reversed(edits):
        text = text[: edit.at] + edit.said["correction"] + text[edit.end :]
    changed = sum(max(len(edit.said["quote"]), len(edit.said["correction"])) for edit in edits)
    told: dict[str, Any] = {"edits": compact_json([dict(edit.said) for edit in edits])} if edits else {}
    made = Row(
        row.prompt,
        text,
        problem=row.problem,
        origin="synthetic",
        source=by[0],
        method="correct_errors",
        parents=(row.id,),
        generation=by[1],
        level=row.level,
        metadata={**(prompt_traits(row.metadata) if edits else row.metadata), **told},
    )
    if answer.failure:
        return made.failed(answer.failure)
    if changed > most * len(row.answer):
        return made.failed(f"{changed} of {len(row.answer)} characters would change, more than the share {most:g}")
    return made
