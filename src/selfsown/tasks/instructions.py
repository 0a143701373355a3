"""The user's own prompts with verifiable constraints on how to answer, and what a program can check about them.

Real rows are the user's rows as they are, prompts with drawn constraints that are held out, and hand-written
demonstrations, one a kind of constraint, which are always learned from. New problems are the prompts to learn from with
new constraints; no held-out prompt is posed. The kinds are those of IFEval (Zhou et al. 2023) and more
(docs/instructions.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import ClassVar, TypeVar

from selfsown.errors import DataError, RecipeError, suggest
from selfsown.files.bad_records import OnBad, raise_bad
from selfsown.files.column_detection import NamedColumns, detect_columns
from selfsown.files.column_mapping import Columns, Record
from selfsown.files.demonstrations import read_demonstrations
from selfsown.files.readers import records
from selfsown.files.user_rows import RecordRows
from selfsown.option_types import Level, Natural, Share
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Grade, Row
from selfsown.templates import TemplateText
from selfsown.text.chat import (
    Prompt,
    append_text,
    drop_chat_metadata,
    full_prompt,
    messages_metadata,
    messages_text,
    prompt_messages,
)
from selfsown.text.constraints.adherence import adherence
from selfsown.text.constraints.constraint import (
    CONSTRAINTS_KEY,
    Constraint,
    ConstraintError,
    constraint,
    draw_constraints,
    read_constraints,
    write_constraints,
)
from selfsown.text.constraints.demonstrations import DEMONSTRATIONS, Demonstration
from selfsown.text.constraints.kind import Kind
from selfsown.text.constraints.kinds import KINDS, kind_names

Item = TypeVar("Item")

MAX_TRIES = 20  # to draw a prompt with constraints that is new
SEVERAL = "several"  # the kind of a row with more than one constraint besides the limit of words


@dataclass(frozen=True)
class Task(RecordRows):
    """path: the file. prompt, answer, system: its columns, as in real: file; rows with answers are learned from without
    constraints. A column "constraints" holds a prompt's own constraints, as JSON. kinds: the kinds of constraints to
    pose; all that fit where none is named. held_out_kinds: kinds that are never learned from, and are posed with
    held-out prompts only. held_out_prompts: the share of the prompts that are held out. held_out_rows: how many rows
    are drawn from these with kinds that are learned from. held_out_kind_rows: how many with the others. max_words: a
    limit of words in every posed prompt; 0: none. levels: up to so many constraints in one prompt, which is its level.
    demonstrations: a file of demonstrations with the columns prompt, answer and constraints (one each); by default
    hand-written ones that come with this task. attributes, metadata: further columns that rows carry. rows: use so many
    of the file's rows, drawn at random; 0 uses all. license: the license of the rows, as their owner states it.
    skip_bad: skip records that cannot be read, and count them with their reasons."""

    task_name: ClassVar[str] = "instructions"

    path: str
    prompt: TemplateText = ""
    answer: TemplateText = ""
    system: TemplateText = ""
    kinds: tuple[str, ...] = ()
    held_out_kinds: tuple[str, ...] = ()
    held_out_prompts: Share = 0.4
    held_out_rows: Natural = 300
    held_out_kind_rows: Natural = 100
    max_words: Natural = 0
    levels: Level = 1
    demonstrations: str = ""
    attributes: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    rows: Natural = 0
    license: str = ""
    skip_bad: bool = False

    def __post_init__(self) -> None:
        for option in ("kinds", "held_out_kinds"):
            for name in getattr(self, option):
                if name not in kind_names():
                    hint = suggest(name, kind_names(), "docs/instructions.md")
                    raise RecipeError(f"real.instructions.{option}: there is no kind of constraint {name!r}{hint}")
        if not self._learned_kinds:
            raise RecipeError(
                "real.instructions: no kind is left to learn from; name others in kinds, or fewer in held_out_kinds"
            )

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def verifiable(self) -> bool:
        return True

    @property
    def top_level(self) -> int:
        return self.levels

    def records(self, columns: Sequence[str] = (), bad: OnBad = raise_bad) -> Iterator[tuple[int, Record]]:
        return records(Path(self.path), columns, bad, "real.instructions.path")

    def pose(self, seed: int) -> Iterator[Row]:
        """Demonstrations, then the file's rows, then drawn ones. DataError: the file, its constraints or the
        demonstrations cannot be used."""
        own = [self._with_kind(row) for row in super().pose(seed)]
        shown = [self._demonstration_row(item) for item in self._demonstrations]
        taken = {row.key for row in shown}
        prompts = list({row.key: row for row in own if _is_plain(row) and row.key not in taken}.values())
        rng = random.Random(f"instructions {seed}")
        held_out = rng.sample(prompts, round(self.held_out_prompts * len(prompts)))
        keys = {row.key for row in held_out}
        marked = (_marked(row, EVALUATION_ONLY) if row.key in keys else row for row in own)
        drawn = [
            *self._drawn(held_out, self._learned_kinds, self.held_out_rows, self._levels_in_turn(), rng),
            *self._drawn(held_out, self._unseen_kinds, self.held_out_kind_rows, self._levels_in_turn(), rng),
        ]
        measured = (replace(_marked(row, EVALUATION_ONLY), parents=(), source=self.name) for row in drawn)
        for index, row in enumerate([*shown, *marked, *measured]):
            yield replace(row, sample_index=index)

    def problems_from(self, rows: Sequence[Row], level: int, count: int, seed: int) -> Iterator[Row]:
        """Prompts of the given rows with new constraints, each kind as often as any other: half with as many as the
        level, half with any number up to it."""
        usable = {
            row.key: row for row in rows if _is_plain(row) and not EVALUATION_ONLY.items() <= row.metadata.items()
        }
        if not usable:
            raise DataError(
                f"{self.name} leaves no prompt to learn from; lower held_out_prompts, or bring more prompts"
            )
        rng = random.Random(seed)
        top = max(1, level)
        levels = (top if rng.random() < 0.5 else rng.randint(1, top) for _ in range(count))
        yield from self._drawn(list(usable.values()), self._learned_kinds, count, levels, rng)

    def hinted(self, row: Row) -> Prompt:
        """The row's prompt after a demonstration of each of its kinds, fitted to its parameters, as earlier turns."""
        required = {item.name: item for item in read_constraints(row.metadata[CONSTRAINTS_KEY])}
        shown = [item.fitted(required[item.constraint.name]) for item in self._shown_for([*required.values()])]
        turns = prompt_messages(row.prompt, row.metadata)
        leading = next((index for index, turn in enumerate(turns) if turn["role"] == "user"), len(turns))
        earlier = [
            message
            for item in shown
            for message in (
                {"role": "user", "content": self._demonstration_row(item).prompt},
                {"role": "assistant", "content": item.answer},
            )
        ]
        messages = [*turns[:leading], *earlier, *turns[leading:]]
        tools = {name: text for name, text in row.metadata.items() if name == "tools"}
        return full_prompt(messages_text(messages), {**messages_metadata(messages), **tools})

    def checks(self, row: Row) -> bool:
        return CONSTRAINTS_KEY in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """Whether the answer keeps all constraints of the row, without gaming them."""
        if not self.checks(row):
            return Grade(0.0, "the row has no constraints", evidence="rule", failed=True)
        try:
            constraints = read_constraints(row.metadata[CONSTRAINTS_KEY])
        except ConstraintError as error:
            return Grade(0.0, str(error), evidence="rule", failed=True)
        shown = [item.answer for item in self._shown_for(constraints) if item.request != row.problem]
        result = adherence(constraints, answer, row.prompt, row.problem, shown)
        return Grade(float(result.kept), result.reason, evidence="rule")

    @property
    def _learned_kinds(self) -> list[Kind]:
        chosen = [kind for kind in KINDS if not self.kinds or kind.name in self.kinds]
        return [kind for kind in chosen if kind.name not in self.held_out_kinds and self._suits_limit(kind)]

    @property
    def _unseen_kinds(self) -> list[Kind]:
        return [kind for kind in KINDS if kind.name in self.held_out_kinds]

    def _suits_limit(self, kind: Kind) -> bool:
        """Whether it can be posed beside max_words; a kind that the recipe names is posed in any case, without it."""
        return not self.max_words or kind.name in self.kinds or (kind.short and not kind.counts_words)

    @cached_property
    def _demonstrations(self) -> list[Demonstration]:
        """Those of kinds that are learned from."""
        shown = read_demonstrations(Path(self.demonstrations)) if self.demonstrations else DEMONSTRATIONS
        learned = {kind.name for kind in self._learned_kinds}
        return [item for item in shown if item.constraint.name in learned]

    def _shown_for(self, constraints: Sequence[Constraint]) -> list[Demonstration]:
        """The demonstrations of these constraints; that of the limit of words only where it stands alone."""
        kinds = {item.name for item in constraints if len(constraints) == 1 or not item.kind.counts_words}
        return [item for item in self._demonstrations if item.constraint.name in kinds]

    def _demonstration_row(self, item: Demonstration) -> Row:
        """It has the limit of words, too, if it keeps to it."""
        limit = self._limit([item.constraint])
        constraints = [*(one for one in limit if not one.violation(item.answer)), item.constraint]
        text = " ".join(one.sentences()[0] for one in constraints)
        by_hand = "hand-written" if not self.demonstrations else "yes"
        metadata = {**self._kind_metadata(constraints), "demonstration": by_hand, **TRAINING_ONLY}
        source = Path(self.demonstrations).name if self.demonstrations else "selfsown demonstrations"
        prompt = f"{item.request}\n\n{text}"
        return Row(prompt, item.answer, problem=item.request, target=item.answer, source=source, metadata=metadata)

    def _limit(self, constraints: Sequence[Constraint]) -> list[Constraint]:
        """The limit of words, where the recipe has one and the constraints leave room for it."""
        suits = all(item.kind.short and not item.kind.counts_words for item in constraints)
        return [constraint({"kind": "max_words", "words": self.max_words})] if self.max_words and suits else []

    def _levels_in_turn(self) -> Iterator[int]:
        while True:
            yield from range(1, self.levels + 1)

    def _drawn(
        self, prompts: Sequence[Row], kinds: Sequence[Kind], count: int, levels: Iterable[int], rng: random.Random
    ) -> Iterator[Row]:
        """`count` different rows, fewer where there are no more: prompts and kinds take turns."""
        if not prompts or not kinds:
            return
        next_prompt, next_kind, seen = _in_turn(prompts, rng), _in_turn(kinds, rng), set[tuple[str, str]]()
        for _, level in zip(range(count), levels, strict=False):
            for kind in islice(next_kind, len(kinds)):
                tries = (self._posed(next(next_prompt), kind, kinds, level, rng) for _ in range(MAX_TRIES))
                new = (row for row in tries if row and (row.key, row.metadata[CONSTRAINTS_KEY]) not in seen)
                if row := next(new, None):
                    seen.add((row.key, row.metadata[CONSTRAINTS_KEY]))
                    yield row
                    break

    def _posed(self, row: Row, first: Kind, kinds: Sequence[Kind], level: int, rng: random.Random) -> Row | None:
        """The row's prompt with constraints after it; None where the first kind does not suit the prompt."""
        drawn = draw_constraints(first, kinds, level, rng, row.prompt)
        if not drawn or drawn[0].kind != first:
            return None
        constraints = [*self._limit(drawn), *drawn]
        text = " ".join(rng.choice(item.sentences()) for item in constraints)
        prompt = append_text(row.full_prompt, text)
        metadata = {**drop_chat_metadata(row.metadata), **self._kind_metadata(constraints)}
        if not isinstance(prompt, str):
            tools = {name: text for name, text in row.metadata.items() if name == "tools"}
            metadata |= {**messages_metadata(prompt.messages), **tools}
        return Row(
            str(prompt), "", problem=row.problem or row.prompt, parents=(row.id,), level=len(drawn), metadata=metadata
        )

    def _kind_metadata(self, constraints: Sequence[Constraint]) -> dict[str, str]:
        names = [item.name for item in constraints]
        named = names[1:] if self.max_words and len(names) > 1 and names[0] == "max_words" else names
        seen = "no" if set(named) & set(self.held_out_kinds) else "yes"
        kind = named[0] if len(named) == 1 else SEVERAL
        return {CONSTRAINTS_KEY: write_constraints(constraints), "kind": kind, "kind_seen": seen}

    def _with_kind(self, row: Row) -> Row:
        """The row with the kind of its own constraints, if it has any. DataError where they cannot be read."""
        if CONSTRAINTS_KEY not in row.metadata:
            return row
        try:
            constraints = read_constraints(row.metadata[CONSTRAINTS_KEY])
        except ConstraintError as error:
            raise DataError(f"{row.source}: {error}") from error
        metadata = {**row.metadata, **self._kind_metadata(constraints)}
        metadata |= EVALUATION_ONLY if metadata["kind_seen"] == "no" else {}
        return replace(row, metadata=metadata, level=min(len(constraints), self.levels))

    def _detected(self, head: Sequence[Record]) -> Columns:
        own = (CONSTRAINTS_KEY,) if any(CONSTRAINTS_KEY in record for record in head) else ()
        metadata = tuple(dict.fromkeys((*self.metadata, *own)))
        named = NamedColumns("", self.prompt, self.answer, self.system, self.attributes, metadata, "prompts")
        return detect_columns(self.path, head, named, self.task_name)


def _is_plain(row: Row) -> bool:
    """Whether it is a prompt without constraints, which some can be added to."""
    return bool(row.prompt.strip()) and CONSTRAINTS_KEY not in row.metadata


def _marked(row: Row, mark: dict[str, str]) -> Row:
    return replace(row, metadata={**row.metadata, **mark})


def _in_turn(items: Sequence[Item], rng: random.Random) -> Iterator[Item]:
    """All items in a random order, again and again."""
    while True:
        yield from rng.sample(items, len(items))
