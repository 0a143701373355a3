"""The teacher finds errors and gaps in real texts and corrects them; every other character stays as it is.

The teacher must follow instructions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfsown.models import Model
from selfsown.option_types import NotNegative, Share
from selfsown.prompting.json_schema import list_schema, object_schema
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS, fenced_prompt, fenced_row, text_kind
from selfsown.prompting.row_text import for_row
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import Row, with_answers
from selfsown.templates import TemplateText
from selfsown.text.chat import keep_prompt_metadata
from selfsown.text.normalize import fenced

READS = "answers"
WRITES = ("edits", "original")

_PARTS = ("quote", "reason", "correction")
_EDIT_SCHEMA = object_schema(**dict.fromkeys(_PARTS, str))
_EDITS_SCHEMA = object_schema(errors=list_schema(_EDIT_SCHEMA))
_CHOICE_SCHEMA = object_schema(reason=str, right=["first", "second", "both", "neither"])
CONTEXT_CHARS = 200  # on either side of a passage that the teacher is asked to confirm


@dataclass
class _Edit:
    """A correction and the index in the row's answer where its quote begins.

    corrected_first: when the teacher confirms it, the corrected version is shown first.
    """

    row: Row
    start: int
    parts: Mapping[str, str]
    corrected_first: bool

    @property
    def end(self) -> int:
        return self.start + len(self.parts["quote"])

    def passage(self, words: str) -> str:
        """The words in place of the quote, with their context."""
        text = self.row.answer
        before = text[max(0, self.start - CONTEXT_CHARS) : self.start]
        return before + words + text[self.end : self.end + CONTEXT_CHARS]


def generate(
    rows: Sequence[Row],
    teacher: Model,
    seed: int,
    real: Sequence[Row] = (),
    *,
    instruction: TemplateText = "",
    confirm: bool = True,
    max_changed: Share = 0.5,
    temperature: NotNegative = 0.0,
    keep_original: bool = False,
) -> Iterator[Row]:
    """Each real row's answer, or text, with its errors corrected. What was changed is the metadata "edits", as JSON.

    A correction is applied only where its quote occurs exactly once; of two that overlap, the first is applied.

    instruction: what else counts as an error, added to the prompt.
    confirm: show the teacher both versions of each passage, in random order, and apply the correction only if it finds
        the corrected version alone right. It does not know which one that is.
    max_changed: a row fails if more than this share of its characters would change.
    temperature: the sampling temperature when errors are listed; confirmations use 0.
    keep_original: keep the text before its correction as the metadata "original", for graders.

    Raises SelfsownError where no real row has an answer or text.
    """
    rows = with_answers(rows, real, "generate.correct_errors")
    prompts = [_find_errors_prompt(row, for_row(instruction, row)) for row in rows]
    replies = complete_json(teacher, prompts, _EDITS_SCHEMA, temperature=temperature, seed=seed)
    edits = [_applicable_edits(row, reply, seed) for row, reply in zip(rows, replies, strict=True)]
    if confirm:
        edits = _confirmed(edits, teacher, seed)
    for row, reply, group in zip(rows, replies, edits, strict=True):
        corrected = _corrected_row(row, reply, group, max_changed)
        if keep_original:
            corrected = corrected.replace_fields(metadata={**corrected.metadata, "original": row.answer})
        yield corrected


def _find_errors_prompt(row: Row, instruction: str) -> str:
    parts = [
        f"Find the errors in the {text_kind(row)} below: mistakes of fact, calculation or spelling, and gaps.",
        instruction,
        fenced_row(row),
        "For each error, quote the wrong words exactly, as few as make a quote that occurs only once; give the "
        "reason; and give the text that should replace the quote. Style and taste are not errors. If there are no "
        "errors, return an empty list.",
    ]
    return "\n\n".join(filter(None, parts))


def _applicable_edits(row: Row, reply: Answer, seed: int) -> list[_Edit]:
    """The corrections that can be applied, in the order of the text; of two that overlap, the first."""
    rng = random.Random(f"{seed} {row.id}")
    edits: list[_Edit] = []
    for parts in [] if reply.failure else reply.data["errors"]:
        quote = parts["quote"]
        corrected_first = rng.random() < 0.5
        if quote and quote != parts["correction"] and _occurs_once(row.answer, quote):
            edits.append(_Edit(row, row.answer.index(quote), parts, corrected_first))
    disjoint: list[_Edit] = []
    for edit in sorted(edits, key=lambda edit: edit.start):
        if not disjoint or edit.start >= disjoint[-1].end:
            disjoint.append(edit)
    return disjoint


def _confirmed(edits: Sequence[Sequence[_Edit]], teacher: Model, seed: int) -> list[list[_Edit]]:
    """Of each row's corrections those that the teacher confirms."""
    prompts = [_confirm_prompt(edit) for group in edits for edit in group]
    choices = iter(complete_json(teacher, prompts, _CHOICE_SCHEMA, seed=seed))
    return [[edit for edit in group if _is_confirmed(edit, next(choices))] for group in edits]


def _occurs_once(text: str, words: str) -> bool:
    """Whether the words occur exactly once; overlapping occurrences count."""
    first = text.find(words)
    return first >= 0 and text.find(words, first + 1) < 0


def _confirm_prompt(edit: _Edit) -> str:
    versions = [edit.passage(edit.parts["quote"]), edit.passage(edit.parts["correction"])]
    first, second = reversed(versions) if edit.corrected_first else versions
    parts = ["Here are two versions of a passage that differ in one place. Which of them is right in that place?"]
    if edit.row.prompt:
        parts.append(f"It is from an answer to:\n{fenced_prompt(edit.row)}")
    parts += [f"The first:\n{fenced(first)}", f"The second:\n{fenced(second)}", IGNORE_INSTRUCTIONS]
    parts.append("Their order means nothing. Give the reason first, in one or two sentences, then which one is right.")
    return "\n\n".join(parts)


def _is_confirmed(edit: _Edit, reply: Answer) -> bool:
    return not reply.failure and reply.data["right"] == ("first" if edit.corrected_first else "second")


def _corrected_row(row: Row, reply: Answer, edits: Sequence[_Edit], max_changed: float) -> Row:
    text = row.answer
    for edit in reversed(edits):
        text = text[: edit.start] + edit.parts["correction"] + text[edit.end :]
    metadata = dict(row.metadata)
    if edits:
        metadata = {**keep_prompt_metadata(row.metadata), "edits": compact_json([dict(edit.parts) for edit in edits])}
    corrected = Row(row.prompt, text, problem=row.problem, parents=(row.id,), level=row.level, metadata=metadata)
    if reply.failure:
        return corrected.failed(reply.failure)
    changed = sum(max(len(edit.parts["quote"]), len(edit.parts["correction"])) for edit in edits)
    if changed > max_changed * len(row.answer):
        return corrected.failed(
            f"{changed} of {len(row.answer)} characters would change, more than max_changed, {max_changed:g}"
        )
    return corrected
