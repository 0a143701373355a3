"""What the engine passes to a method of each stage: the fields of one dataclass, by name.

A method asks for an input by naming it as a positional argument. `STAGE_INPUTS` is the only list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from selfsown.models import Model
from selfsown.records import Generation, JsonObject, Mixture, Row, Score, Training
from selfsown.stage_names import STAGE_FUNCTIONS
from selfsown.tasks import Task
from selfsown.usage.journal import Journal


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Base of the inputs of a stage. An input that is None is not available, and is not passed."""

    def available(self) -> JsonObject:
        """The inputs to pass, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class PrepareInputs(Inputs):
    """Of a method that changes real rows or sets them aside."""

    rows: Iterable[Row]  # real rows, as the task or the step before gave them


@dataclass(frozen=True, kw_only=True)
class ModelInputs(Inputs):
    """Of a function that creates a student, teacher or judge."""

    rows: Sequence[Row]  # real rows, for a tokenizer
    seed: int = 0
    journal: Journal | None = None  # where replies of servers are kept; None: nothing may be asked
    role: str | None = None  # "teacher" or "judge"


@dataclass(frozen=True, kw_only=True)
class GenerateInputs(Inputs):
    """Of a generator."""

    rows: Sequence[Row] = ()  # real rows to work on in this generation
    real: Sequence[Row]  # all real rows to learn from
    teacher: Model  # the model that writes
    task: Task
    level: int  # the hardest level to write at
    generation: int
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class GradeInputs(Inputs):
    """Of a grader."""

    rows: Iterable[Row] = ()  # rows without a status
    judge: Model | None = None
    teacher: Model | None = None
    task: Task
    real: Sequence[Row]
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class CurateInputs(Inputs):
    """Of a curator."""

    rows: Iterable[Row] = ()  # rows without a status
    task: Task
    real: Sequence[Row]
    held_out: Sequence[Row] = ()
    past: Sequence[Row] = ()  # kept rows of earlier accepted generations
    grader_count: int = 0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class MixInputs(Inputs):
    """Of a method that mixes the rows to train on."""

    real: Sequence[Row]
    synthetic: Sequence[Row]  # kept rows of this and earlier accepted generations


@dataclass(frozen=True, kw_only=True)
class TrainInputs(Inputs):
    """Of a training objective."""

    mixture: Mixture
    parent: Any  # the model to start from, of the student's own type
    seed: int = 0
    tick: Callable[[int, int], None]  # is called with the steps done and their total
    teacher: Any = None  # of its own type, for an objective that reads probabilities
    grader: Callable[[Sequence[Row]], list[Row]] | None = None  # adds the grades of all graders
    report: Callable[[Training], None] | None = None  # is called with what was done
    work_dir: Path | None = None  # a folder, not there yet, that survives a kill and is deleted after the training


@dataclass(frozen=True, kw_only=True)
class EvaluateInputs(Inputs):
    """Of a measure."""

    model: Model
    held_out: Sequence[Row]
    task: Task
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class GuardInputs(Inputs):
    """Of a guard. Scores are those on validation rows."""

    history: Sequence[Generation]  # up to the generation in question
    made: Sequence[Row]  # its synthetic rows
    kept: Sequence[Row]  # those of them that were kept
    real: Sequence[Row]
    held_out: Sequence[Row]  # validation rows
    task: Task
    goal: str
    written: Callable[[int, int], Sequence[Row]]  # unconditional samples of a generation's model: number, count
    baselines: Callable[[int], Sequence[tuple[Score, ...]]]  # scores of so many models trained on real rows alone


@dataclass(frozen=True, kw_only=True)
class EngineInputs(Inputs):
    """Of an engine, which says where chunks are worked on."""

    work: Any  # a Work of the driver
    chunks: Iterable[Any]  # in order
    tick: Callable[[], None]  # is called now and then, for the progress


STAGE_INPUTS: dict[str, type[Inputs]] = {
    "tasks": Inputs,
    "prepare": PrepareInputs,
    "models": ModelInputs,
    "generate": GenerateInputs,
    "grade": GradeInputs,
    "curate": CurateInputs,
    "mix": MixInputs,
    "train": TrainInputs,
    "evaluate": EvaluateInputs,
    "guard": GuardInputs,
    "engines": EngineInputs,
}

# Each stage: the name of its function, and the names of its inputs.
STAGES = {
    stage: (STAGE_FUNCTIONS[stage], tuple(field.name for field in fields(inputs)))
    for stage, inputs in STAGE_INPUTS.items()
}
