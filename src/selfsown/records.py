"""The data of the loop: rows and grades; scores, verdicts and generations are re-exported."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:  # the command line answers --help without it
    import numpy as np

from selfsown.errors import DataError
from selfsown.errors import SelfsownError as SelfsownError
from selfsown.scores import Family as Family
from selfsown.scores import Generation as Generation
from selfsown.scores import Score as Score
from selfsown.scores import Signal as Signal
from selfsown.scores import Unit as Unit
from selfsown.scores import Verdict as Verdict
from selfsown.text.chat import Prompt, full_prompt
from selfsown.text.normalize import normal

Json: TypeAlias = Any  # a value parsed from JSON or YAML; its shape is checked where it is read
JsonObject: TypeAlias = dict[str, Any]
Evidence = Literal["oracle", "execution", "rule", "vote", "judge", "self", "none"]  # none: not graded by this grader
Status = Literal["", "kept", "rejected", "failed"]
EVALUATION_ONLY = {"evaluation": "only"}  # metadata of a real row that is held out, and never learned from
TRAINING_ONLY = {"evaluation": "never"}  # metadata of a real row that is never held out
EPISODE, TURN = "episode", "turn"  # metadata: the same in all turns of an episode; which one it is, as "2 of 5"


class NoPrompt(SelfsownError):
    """None of the rows has a prompt, and the step needs one."""


@dataclass(frozen=True)
class Grade:
    """The grade that one grader gives to one row."""

    score: float  # 0 (wrong) to 1 (right)
    reason: str = ""
    grader: str = ""  # the method that graded
    evidence: Evidence = "rule"  # what the grade rests on
    correction: tuple[str, str] | None = None  # the correct (prompt, answer), where the grader knows it
    failed: bool = False  # the grader could not grade; the row is failed with the reason, which is no verdict on it


@dataclass(frozen=True)
class Row:
    """One training example with its provenance; a stage only adds to it."""

    prompt: str  # empty for a document
    answer: str
    problem: str = ""  # rows of one problem are never on both sides of a split; by default the prompt
    target: str = ""  # the known correct answer
    origin: Literal["real", "synthetic"] = "real"
    source: str = ""  # the model or the file that wrote it
    method: str = ""  # the method that made it
    parents: tuple[str, ...] = ()  # ids of the rows that it was made from
    generation: int = 0
    sample_index: int = 0  # its position among the rows of its generation or source
    level: int = 0  # difficulty, from 1; 0: none
    metadata: Mapping[str, str] = field(default_factory=dict)
    grades: tuple[Grade, ...] = ()
    status: Status = ""
    reason: str = ""  # why it was rejected or failed

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits: a hash of the row's text and provenance.

        The sample index is part of it, so two equal answers are still two rows. It is computed once, and without the
        lock of cached_property, which all rows of all threads would share.
        """
        row_id: str | None = self.__dict__.get("_id")
        if row_id is None:
            identity = (
                self.prompt,
                self.answer,
                self.origin,
                self.method,
                self.parents,
                self.generation,
                self.sample_index,
            )
            row_id = self.__dict__["_id"] = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
        return row_id

    @property
    def answered(self) -> bool:
        """Whether it has an answer, or is a document; a real row may be a prompt without an answer."""
        return bool(self.answer) and not self.answer.isspace()

    @property
    def key(self) -> str:
        """Equal for rows about the same problem."""
        return normal(self.problem or self.prompt or self.answer)

    @property
    def full_prompt(self) -> Prompt:
        """The whole prompt to send to a model: with the system message, earlier turns and tools of its metadata."""
        return full_prompt(self.prompt, self.metadata)

    @property
    def score(self) -> float:
        """The lowest score of its grades; 1 without grades."""
        return min((grade.score for grade in self.grades), default=1.0)

    @property
    def is_graded(self) -> bool:
        """Whether any grader graded it; evidence "none" means that the grader left it to others."""
        return any(grade.evidence != "none" for grade in self.grades)

    def graded(self, grade: Grade) -> Row:
        return self.replace_fields(grades=(*self.grades, grade))

    def kept(self) -> Row:
        return self.replace_fields(status="kept")

    def rejected(self, reason: str) -> Row:
        return self.replace_fields(status="rejected", reason=reason)

    def failed(self, reason: str) -> Row:
        return self.replace_fields(status="failed", reason=reason)

    def replace_fields(self, **changes: Any) -> Row:
        """A copy with these fields changed: `dataclasses.replace` in a fifth of the time, since every row needs it."""
        new = object.__new__(Row)
        new.__dict__.update(self.__dict__, **changes)
        if not changes.keys() <= _NOT_IN_ID:
            new.__dict__.pop("_id", None)
        return new


@dataclass(frozen=True)
class SetAside:
    """A record of the user's data that makes no row: its place ("rows.jsonl:12"), the reason, and under what it counts.

    A task that reads such data has a method `set_aside() -> list[SetAside]`, of its latest complete reading.
    """

    place: str
    reason: str
    cause: str = "unusable"


def answered(rows: Iterable[Row]) -> list[Row]:
    """The rows that have an answer, or are documents; a prompt without an answer is not learned from or measured on."""
    return [row for row in rows if row.answered]


def with_answers(rows: Iterable[Row], real: Iterable[Row], step: str) -> list[Row]:
    """The rows that have an answer, or are documents. DataError where neither they nor the `real` rows have any."""
    known = answered(rows)
    if not known and not any(row.answered for row in real):
        raise DataError(f"{step}: no real row has an answer, only prompts; use generate.sample, which answers them")
    return known


def with_metadata(rows: Iterable[Row], metadata: Mapping[str, str] | None) -> list[Row]:
    """The rows that have this metadata; all rows where none is named."""
    required = (metadata or {}).items()
    return [row for row in rows if required <= row.metadata.items()]


_NOT_IN_ID = {"grades", "status", "reason"}  # they change later


@dataclass(frozen=True)
class Mixture:
    """The rows that a model is trained on."""

    rows: Sequence[Row]
    weights: np.ndarray[Any, np.dtype[np.float64]]  # (rows,): how often each is drawn, relative to the others

    @cached_property
    def _columns(self) -> tuple[np.ndarray[Any, Any], ...]:
        """Of each row, whether it is real, its characters, and a hash of its text. Rows may be in files: read once."""
        import numpy as np

        real, sizes, texts = array("b"), array("q"), array("q")
        for row in self.rows:
            real.append(row.origin == "real")
            sizes.append(len(row.prompt) + len(row.answer))
            texts.append(hash((row.prompt, row.answer)))
        return np.array(real, dtype=bool), np.array(sizes), np.array(texts)

    @property
    def characters(self) -> np.ndarray[Any, Any]:
        """Of each row's prompt and answer (rows,)."""
        return self._columns[1]

    @property
    def real_share(self) -> float:
        """The share of draws that are real rows."""
        return float(self.weights[self._columns[0]].sum() / self.weights.sum())

    def epochs(self, draws: float) -> float:
        """How often so many draws pass over the real rows, or over the synthetic ones if these are repeated more.

        Rows with the same text count as one.
        """
        real, _, texts = self._columns
        groups = [(self.weights[group], texts[group]) for group in (real, ~real) if self.weights[group].any()]
        weights = [float(weights.cumsum()[-1]) for weights, _ in groups]
        counts = [len(set(texts[weights > 0].tolist())) for weights, texts in groups]
        return max((draws * weight / sum(weights) / n for weight, n in zip(weights, counts, strict=True)), default=0.0)

    @property
    def synthetic_share(self) -> dict[str, float]:
        """The synthetic share of the rows, of their tokens, and of the tokens that training draws.

        A token is a character here, as in the embedded model.
        """
        real, sizes, _ = self._columns
        made, drawn = ~real, self.weights * sizes
        return {
            "rows": int(made.sum()) / len(made),
            "tokens": int(sizes[made].sum()) / int(sizes.sum()),
            "drawn": float(drawn[made].sum() / drawn.sum()),
        }


@dataclass(frozen=True)
class Training:
    """What one training objective did.

    steps: as many as it took. epochs: passes over the rows, as `Mixture.epochs` counts them. best_step: the step whose
    weights it returned, where early stopping chose them. stopping_rows: real rows set aside to decide that; 0 where
    training ended after a given number of steps. max_steps: how many it might have taken. no_real_rows: too few to
    set any aside. too_long: rows that were left out, because the model's context is shorter.
    """

    steps: int
    max_steps: int
    epochs: float = 0.0
    stopping_rows: int = 0
    best_step: int = 0
    no_real_rows: bool = False
    too_long: int = 0

    def sentence(self) -> str:
        """Why it ended, and what it came to: "200 steps, 8.9 epochs"."""
        epochs = f"{self.epochs:.1f} epochs"
        if self.too_long:
            epochs += f", {self.too_long:,} rows too long and left out"
        if not self.stopping_rows:
            why = "; no early stopping, for want of real rows in the mixture" if self.no_real_rows else ""
            return f"{self.steps:,} steps, {epochs}{why}"
        rows = f"on {self.stopping_rows:,} real rows set aside"
        if not self.best_step:
            return f"stopped after {self.steps:,} steps ({epochs}): no step lowered the loss {rows}, so none was kept"
        ended = "stopped early after" if self.steps < self.max_steps else "all"
        return f"{ended} {self.steps:,} steps ({epochs}); the loss {rows} was lowest at step {self.best_step:,}"


def unreported(training: Training) -> None:
    """Where nobody asks what a training did."""
