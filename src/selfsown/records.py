"""What travels through the loop and what is written down: rows, grades, scores, verdicts and generations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # the command line answers --help without it
    import numpy as np

from selfsown.errors import SelfsownError as SelfsownError
from selfsown.scores import Family as Family
from selfsown.scores import Generation as Generation
from selfsown.scores import Score as Score
from selfsown.scores import Signal as Signal
from selfsown.scores import Unit as Unit
from selfsown.scores import Verdict as Verdict
from selfsown.text.chat import Prompt, full_prompt
from selfsown.text.normalize import normal

Evidence = Literal["oracle", "execution", "rule", "vote", "judge", "self", "none"]  # none: left to other graders
Status = Literal["", "kept", "rejected", "failed"]
EVALUATION_ONLY = {"examined": "only"}  # a trait: such a real row is measured on, and never learned from


class NoPrompt(SelfsownError):
    """None of the rows has a prompt, and the step can do nothing without."""


@dataclass(frozen=True)
class Grade:
    """What one grader thinks of one row.

    score: 0 (wrong) to 1 (right); by: the way that graded; trust: what the grade rests on.
    repair: (prompt, answer) as they would be right, where the grader knows. failed: the grader could not say;
    the row ends failed with the reason, and is no worse for it.
    """

    score: float
    reason: str = ""
    grader: str = ""
    evidence: Evidence = "rule"
    correction: tuple[str, str] | None = None
    failed: bool = False


@dataclass(frozen=True)
class Row:
    """One training example and its whole story; a stage only adds to it.

    problem names what must never stand on both sides of a split (the prompt where nothing else is
    given). maker is the model or the file that wrote it, method the way, parents the ids it came from.
    """

    prompt: str
    answer: str
    problem: str = ""
    target: str = ""
    origin: Literal["real", "synthetic"] = "real"
    source: str = ""
    method: str = ""
    parents: tuple[str, ...] = ()
    generation: int = 0
    sample_index: int = 0
    level: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    grades: tuple[Grade, ...] = ()
    status: Status = ""
    reason: str = ""

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits made of what the row says and of where it came from.

        The draw is part of it, so two equal answers are still two rows. It is made once, and without the lock of
        cached_property, which all rows of all threads would share.
        """
        found: str | None = self.__dict__.get("_id")
        if found is None:
            said = (
                self.prompt,
                self.answer,
                self.origin,
                self.method,
                self.parents,
                self.generation,
                self.sample_index,
            )
            found = self.__dict__["_id"] = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
        return found

    @property
    def answered(self) -> bool:
        """Whether it says an answer, or is a document: a real row may be a prompt that nobody has answered yet."""
        return bool(self.answer) and not self.answer.isspace()

    @property
    def key(self) -> str:
        """What decides whether two rows are about the same problem."""
        return normal(self.problem or self.prompt or self.answer)

    @property
    def full_prompt(self) -> Prompt:
        """What a model must be asked so that it answers this row: the prompt with the system message, the earlier turns
        and the tools that its traits tell of."""
        return full_prompt(self.prompt, self.metadata)

    @property
    def score(self) -> float:
        """The lowest of its grades; 1 where nobody graded."""
        return min((grade.score for grade in self.grades), default=1.0)

    @property
    def is_graded(self) -> bool:
        """Whether any grader judged it; one that left it to others did not."""
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
        """The same but for this: as `dataclasses.replace`, in a fifth of its time, for what every row goes through."""
        new = object.__new__(Row)
        new.__dict__.update(self.__dict__, **changes)
        if not changes.keys() <= _AFTER:
            new.__dict__.pop("_id", None)
        return new


@dataclass(frozen=True)
class SetAside:
    """A record of the user's data that made no row: where it stands ("rows.jsonl:12") and why, in words for the user.

    A task that reads such data has the method `set_aside() -> list[SetAside]`: those of its latest complete reading.
    """

    place: str
    reason: str


def answered(rows: Iterable[Row]) -> list[Row]:
    """The rows that have an answer, or are documents: prompts that nobody has answered teach and measure nothing."""
    return [row for row in rows if row.answered]


def with_answers(rows: Iterable[Row], real: Iterable[Row], step: str) -> list[Row]:
    """Those of the rows that the step can work on, because they are answered or are documents.

    SelfsownError where there are none, neither here nor among the `real` rows, of which these may be a part.
    """
    found = answered(rows)
    if not found and not any(row.answered for row in real):
        raise SelfsownError(f"{step}: no real row has an answer, only prompts; use generate.sample, which answers them")
    return found


def with_metadata(rows: Iterable[Row], traits: Mapping[str, str] | None) -> list[Row]:
    """The rows that have these traits, or all where none are named."""
    wanted = (traits or {}).items()
    return [row for row in rows if wanted <= row.metadata.items()]


_AFTER = {"grades", "status", "reason"}  # what becomes of a row, which is no part of its id


@dataclass(frozen=True)
class Mixture:
    """The rows a model is trained on and how often each is drawn, relative to the others."""

    rows: Sequence[Row]
    weights: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def real_share(self) -> float:
        """The share of draws that are real rows."""
        real = [row.origin == "real" for row in self.rows]
        return float(self.weights[real].sum() / self.weights.sum())

    @property
    def synthetic_share(self) -> dict[str, float]:
        """How much is synthetic: of the rows, of their tokens, and of the tokens that training draws.

        A token is a character here, as it is to the embedded model.
        """
        made = [row.origin == "synthetic" for row in self.rows]
        sizes = [len(row.prompt) + len(row.answer) for row in self.rows]
        tokens = sum(size for size, synthetic in zip(sizes, made, strict=True) if synthetic)
        drawn = self.weights * sizes
        return {
            "rows": sum(made) / len(made),
            "tokens": tokens / sum(sizes),
            "drawn": float(drawn[made].sum() / drawn.sum()),
        }
