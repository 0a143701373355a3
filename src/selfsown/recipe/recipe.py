"""The whole run on one page: a dataclass, its fields in the order in which the data meets them.

A YAML file is the same thing written down: `Recipe.load(file) == Recipe(...)`, and `dump` reverses it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

from selfsown.option_types import Demand, Share
from selfsown.recipe import loader
from selfsown.recipe.steps import Step, validated, methods, step
from selfsown.records import SelfsownError
from selfsown.usage.budget import Caps

STEP_FIELDS = {"real": "tasks", "student": "models", "teacher": "models", "judge": "models", "base_train": "train"}
STEP_FIELDS |= {"mix": "mix"}
SERVERS = ("anthropic", "endpoint")
TRAINING = ("student", "mix", "train", "evaluate", "goal")
OF_TRAINING = {"max_train_rows", "generate_with", "init_from", "generations", "train", "evaluate", "goal"}
OF_TRAINING |= {"level_up_accuracy", "rollback", "guard", "patience", "control"}
PAIRED = ("dpo", "grpo")  # they learn from the model's own answers: on real rows alone there are none
NO_STEP = Step("", "", print)  # what a recipe that trains nobody leaves out
LIST_FIELDS = ("prepare", "generate", "grade", "curate", "train", "evaluate", "guard")


@dataclass(frozen=True)
class Recipe:
    """Everything a run needs, in the order in which the data meets it.

    real: where real rows come from. held_out: how many are held out for measuring (below 1: a share).
    prepare: changes to real rows before anything else sees them.
    max_train_rows: at most so many real rows to learn from (0: all), the first of an order that the seed draws.
    prompts_per_generation: how many of them the generators get in each generation, drawn again each time (0: all).
    teacher, judge: models for these roles; without them the student fills both.
    train: training objectives of each generation, each starting from where the one before ended.
    base_train: the objective of generation 0, on real rows alone; without it the first of `train`.
    generate_with: whether the teacher or the student writes rows, where a teacher is named.
    init_from: what each generation's training starts from: the previous accepted generation or generation 0 (base).
    goal: the score that the run is about.
    level: the hardest level that generation 1 writes (0: the top); the next one opens when the accuracy at it reaches
    level_up_accuracy.
    rollback: whether a generation that a guard rejects is rolled back; false: the verdict is recorded only.
    patience: rolled-back generations in a row that end the run.
    max_failure_rate: the share of a stage's rows that may fail before `make` stops.
    control: whether generation 0 is also trained on with real rows alone, for as many training steps; without it no
    change is credited to the synthetic rows.
    budget: the most that models behind servers may cost over the life of the run folder.
    grader_requirements: what a calibration must have shown of a grader, by the grader's name.
    """

    real: Step
    prepare: tuple[Step, ...] = ()
    student: Step = NO_STEP
    generate: tuple[Step, ...] = ()
    grade: tuple[Step, ...] = ()
    curate: tuple[Step, ...] = ()
    mix: Step = NO_STEP
    train: tuple[Step, ...] = ()
    evaluate: tuple[Step, ...] = ()
    guard: tuple[Step, ...] = ()
    goal: str = ""
    name: str = "recipe"
    description: str = ""
    seed: int = 0
    held_out: int | float = 0.1
    max_train_rows: int = 0
    prompts_per_generation: int = 0
    teacher: Step | None = None
    judge: Step | None = None
    base_train: Step | None = None
    generate_with: Literal["teacher", "student"] = "teacher"
    init_from: Literal["previous", "base"] = "previous"
    generations: int = 6
    level: int = 0
    level_up_accuracy: float = 0.9
    rollback: bool = True
    max_failure_rate: float = 0.5
    patience: int = 2
    control: bool = False
    budget: Caps | None = None
    grader_requirements: dict[str, dict[Demand, Share]] | None = None

    @classmethod
    def load(cls, source: str | Path, changes: Sequence[str] = ()) -> Recipe:
        """From a YAML file or the name of a ready recipe; changes are "key=value", as of `--set`."""
        path, text = loader.read_source(source)
        values = loader.parse_yaml(path, text)
        for wish in changes:
            loader.apply_change(values, wish)
        try:
            return cls.of({"name": path.stem, **values}, path.parent)
        except SelfsownError as error:
            raise SelfsownError(f"{path.name}: {error}") from error

    @classmethod
    def of(cls, tree: Mapping[str, Any], beside: Path = Path()) -> Recipe:
        """From plain values, as YAML gives them; ways of the user's own lie in the folder `beside`."""
        there = {field.name: field for field in fields(cls)}
        hints = get_type_hints(cls, include_extras=True)
        found: dict[str, Any] = {}
        for key, value in tree.items():
            if key not in there:
                close = difflib.get_close_matches(str(key), there, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ";"
                raise SelfsownError(f"there is no key {key!r}{hint} there is: {', '.join(there)}")
            if key in STEP_FIELDS:
                found[key] = None if value is None else _one(key, value, beside)
            elif key in LIST_FIELDS:
                listed = value if isinstance(value, list) else [value]
                found[key] = tuple(_one(key, each, beside) for each in listed if each is not None)
            else:
                found[key] = validated(key, value, hints[key])
        needed = [name for name in TRAINING if not found.get(name)]
        if len(needed) == len(TRAINING):  # it makes rows and trains nobody
            needed = []
        needed = ["real"] * (not found.get("real")) + needed
        if tree.get("generate") is None:  # an empty list is a choice: real rows alone
            needed.append("generate")
        if needed:
            raise SelfsownError(f"{needed[0]} is missing{_say_how(needed[0])}")
        recipe = cls(**({} if found.get("student") else {"held_out": 0}) | found)
        recipe._fits()
        return recipe

    @property
    def trains(self) -> bool:
        """Whether it names a student to be trained, or only makes rows."""
        return self.student != NO_STEP

    def dump(self) -> dict[str, Any]:
        """Plain values that `of` reads back."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Step):
                value = value.dump() if value != NO_STEP else None
            elif isinstance(value, tuple):
                value = [each.dump() for each in value]
            if value is not None and (self.trains or field.name not in OF_TRAINING):
                found[field.name] = _plain(value)
        return found

    def steps(self) -> list[Step]:
        """Every step, in the order of the loop."""
        named = [self.real, *self.prepare, self.student, self.teacher, self.judge, *self.generate, *self.grade]
        named += [*self.curate, self.mix, self.base_train, *self.train, *self.evaluate, *self.guard]
        return [each for each in named if each and each != NO_STEP]

    def _fits(self) -> None:
        """What two keys must agree on."""
        world = self.real()
        if not world.verifiable and any(each.method == "verify" for each in self.grade):
            raise SelfsownError(
                f"grade.verify needs a world that checks answers; {world.name} has none: take vote, exact or rules"
            )
        if not world.forms and any(each.method == "restate" for each in self.curate):
            raise SelfsownError(
                f"curate.restate needs a world that asks in several ways; {world.name} does not: leave it out"
            )
        if self.level > world.top_level:
            raise SelfsownError(f"level is {self.level}, but the hardest level of {world.name} is {world.top_level}")
        for key in ("seed", "max_train_rows", "prompts_per_generation", "level", "generations", "patience"):
            if getattr(self, key) < (least := int(key == "patience")):
                raise SelfsownError(f"{key} is {getattr(self, key)}; it must be {least} or more")
        self._roles_fit()
        graders = [each.method for each in self.grade]
        for way in self.grader_requirements or {}:
            if way not in graders:
                raise SelfsownError(
                    f"grader_requirements names {way!r}, which does not grade here; there is: {', '.join(graders)}"
                )
        by_level = any("level" in each.options.get("by", ()) for each in self.evaluate if each.method == "accuracy")
        if 0 < self.level < world.top_level and not by_level:
            raise SelfsownError("level below the top needs its mastery measured: evaluate: [accuracy: {by: [level]}]")
        if not math.isfinite(self.held_out) or (self.held_out > 1 and self.held_out != int(self.held_out)):
            raise SelfsownError(f"held_out is {self.held_out}; it must be a whole number of rows, or a share below 1")
        if self.held_out < 0 or (self.trains and not self.held_out):
            raise SelfsownError(
                f"held_out is {self.held_out}; rows must be set aside to measure on: a number, or a share below 1"
            )

    def _roles_fit(self) -> None:
        """Who can learn, teach and judge."""
        if self.student.method in SERVERS:
            raise SelfsownError(
                f"student.{self.student.method}: a model behind a server cannot be trained; let it teach or judge: "
                f"--set 'teacher={{{self.student.method}: …}}', and take another student, such as tiny"
            )
        trained = {each.method for each in (self.base_train, *self.train) if each}
        if "distill" in trained and (not self.teacher or self.teacher.method in SERVERS):
            raise SelfsownError(
                "train.distill needs a teacher whose probabilities can be seen: "
                "--set 'teacher={tiny: {folder: …}}' names one that was saved"
            )
        after = [each.method for each in self.train if each.method in PAIRED]
        if self.control and after:
            raise SelfsownError(
                f"control: true trains on real rows alone, from which train.{after[0]} learns nothing: leave it out; "
                "selfsown compare runs other controls"
            )
        if "grpo" in trained and not self.grade:
            raise SelfsownError("train.grpo learns from grades, and no grader is named: write grade: [verify], say")
        for role in ("teacher", "judge"):
            named = getattr(self, role)
            if named and named.method == "tiny" and not named.options.get("folder"):
                raise SelfsownError(f"{role}.tiny needs folder: a new tiny model has learned nothing; name a saved one")
        asked = self.judge or (None if self.trains else self.teacher)
        named = next(
            (
                each
                for each in self.grade
                if each.method in ("panel", "self_consistency") and each.options.get("judges")
            ),
            None,
        )
        if named and (not asked or asked.method not in SERVERS):
            raise SelfsownError(
                f"{named.name}.judges names models of the judge's server, and the judge is behind none; name one: "
                "--set 'judge={endpoint: {url: …, model: …}}'"
            )
        solvers = bool(self.teacher) + bool(self.judge) + self.trains
        if solvers < 2 and any(each.method == "solver_gap" for each in self.grade):
            raise SelfsownError(
                "grade.solver_gap compares two solvers, and here is but one model; name another as the judge: "
                "--set 'judge={endpoint: {url: …, model: …}}'"
            )


def _one(key: str, value: Any, beside: Path) -> Step:
    """A step written as `way` or as `way: {knob: value}`; real rows may be named by their file alone."""
    verb = STEP_FIELDS.get(key, key)
    if isinstance(value, dict) and len(value) == 1:
        ((way, knobs),) = value.items()
    elif isinstance(value, str):
        way, knobs = value, {}
    else:
        raise SelfsownError(f"{key} is {value!r}; write the name of a way, or 'way: {{knob: value}}'")
    if not isinstance(knobs or {}, dict):
        raise SelfsownError(f"{key}.{way} is {knobs!r}; its knobs are written as {{knob: value}}")
    if verb == "tasks" and not way.endswith(".py") and way not in methods("tasks"):
        if not (Path(way).suffix or Path(way).exists() or (beside / way).exists()):
            listed = ", ".join(each for each in methods("tasks") if each != "file")
            raise SelfsownError(
                f"real: there is no world and no file {way!r}; worlds: {listed}; or name a file of rows"
            )
        way, knobs = "file", {"path": way, **(knobs or {})}
    path = knobs.get("path") if verb == "tasks" and knobs else None
    if isinstance(path, str) and (beside / path).exists():
        knobs = {**knobs, "path": str(beside / path)}
    return step(verb, way, knobs, beside, key)


def _say_how(key: str) -> str:
    return (
        ": name the file of real rows with --set real=FILE"
        if key == "real"
        else "; see `selfsown list` for what there is"
    )


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


# What a recipe means by a key that it leaves out.
DEFAULTS = {
    each.name: None if each.default is NO_STEP else _plain(each.default)
    for each in fields(Recipe)
    if each.name != "real"
}
