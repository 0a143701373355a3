"""The keys of a recipe: a dataclass whose fields follow the rows through the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from selfsown.option_types import GraderRequirement, Share
from selfsown.recipe.steps import Step
from selfsown.usage.budget import Caps

STEP_STAGES = {  # keys whose value is one step: its stage
    "real": "tasks",
    "student": "models",
    "teacher": "models",
    "judge": "models",
    "base_train": "train",
    "mix": "mix",
    "engine": "engines",
}
TRAIN_KEYS = ("base_train", "train")  # keys of training objectives, which follow the student
LIST_KEYS = ("prepare", "generate", "grade", "curate", "train", "evaluate", "guard")  # lists of steps of that stage
NO_STEP = Step("", "", print)  # a key that a recipe without training leaves out


@dataclass(frozen=True)
class RecipeKeys:
    """Everything that a run needs."""

    real: Step
    """Where real rows come from: a task, or the user's file."""
    prepare: tuple[Step, ...] = ()
    """Changes to real rows, before anything else sees them."""
    student: Step = NO_STEP
    """The model to train; a recipe without one only makes rows."""
    generate: tuple[Step, ...] = ()
    """Methods that write new rows; an empty list: train on real rows alone."""
    grade: tuple[Step, ...] = ()
    """Methods that give every new row a score from 0 to 1."""
    curate: tuple[Step, ...] = ()
    """Methods that reject new rows, or add rows derived from them."""
    mix: Step = NO_STEP
    """How real and kept rows are mixed for training."""
    train: tuple[Step, ...] = ()
    """Training objectives of each generation; each starts from the model that the one before returned."""
    evaluate: tuple[Step, ...] = ()
    """What is measured on held-out real rows."""
    guard: tuple[Step, ...] = ()
    """Methods that accept or reject a generation."""
    goal: str = ""
    """The score that the run is about, such as "accuracy" or "loss"."""
    name: str = "recipe"
    """The name of the recipe, by default that of its file."""
    description: str = ""
    """What the recipe does, in a sentence."""
    seed: int = 0
    """The seed of every random draw."""
    held_out: int | float = 0.1
    """How many real rows are held out for measuring; below 1: a share of them."""
    max_train_rows: int = 0
    """At most so many real rows to train on, drawn by the seed; 0: all."""
    prompts_per_generation: int = 0
    """How many real rows the generators get in each generation, drawn again each time; 0: all."""
    chunk_rows: int = 0
    """How many rows a generator or a grader gets in one call, each with a seed of its own; 0: 50,000 in `run`; 64 in
    `make`, or 1,024 where all models are local. An `engine` divides the calls."""
    teacher: Step | None = None
    """The model that writes rows; without it the student does."""
    judge: Step | None = None
    """The model that graders ask; without it the student, or the teacher where nothing is trained."""
    base_train: Step | None = None
    """The training objective of generation 0, on real rows alone; without it the first of `train`. `none`, of a student
    that was trained before: generation 0 is the model as it came."""
    generate_with: Literal["teacher", "student"] = "teacher"
    """Which model writes rows, where a teacher is named."""
    init_from: Literal["previous", "base"] = "previous"
    """The model that training starts from: the previous accepted generation, or generation 0 (base)."""
    generations: int = 6
    """How many generations follow generation 0."""
    level: int = 0
    """The hardest level at which generation 1 writes; 0: the hardest of the task."""
    level_up_accuracy: float = 0.9
    """The accuracy at the hardest level so far that opens the next one."""
    rollback: bool = True
    """Whether a generation that a guard rejects is rolled back; false: the verdict is only recorded."""
    max_failure_rate: float = 0.5
    """The share of a stage's rows that may fail before `make` stops."""
    patience: int = 2
    """How many generations may be rolled back in a row before the run ends."""
    keep_models: Literal["all", "best", "last"] = "all"
    """Whose weights stay on disk: of all generations; of the best and the last accepted; or of the last accepted."""
    control: bool = False
    """Whether generation 0 is also trained on real rows alone, as long or by the same early stopping."""
    budget: Caps | None = None
    """Caps on what models behind servers may cost, over the life of the run folder."""
    engine: Step | None = None
    """Where rows are generated and graded: on this machine's threads, or on a cluster (ray)."""
    grader_requirements: dict[str, dict[GraderRequirement, Share]] | None = None
    """What `selfsown calibrate` and `selfsown attack` must have measured of a grader before it is used, by its name."""

    @property
    def trains(self) -> bool:
        """Whether a student is trained; otherwise the recipe only makes rows."""
        return self.student != NO_STEP

    @property
    def stops_early(self) -> bool:
        """Whether rows that are set aside decide how long later generations are trained, not a number of steps."""
        return any(step.option("early_stopping") for step in self.train)

    def steps(self) -> list[Step]:
        """All steps, in the order of the loop."""
        steps = [self.real, *self.prepare, self.student, self.teacher, self.judge, *self.generate, *self.grade]
        steps += [*self.curate, self.mix, self.base_train, *self.train, *self.evaluate, *self.guard, self.engine]
        return [step for step in steps if step and step != NO_STEP]
