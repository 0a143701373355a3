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
from selfsown.recipe.steps import Step, fitted, step, ways
from selfsown.records import SelfsownError
from selfsown.usage.budget import Caps

STEP_FIELDS = {"real": "tasks", "student": "models", "teacher": "models", "judge": "models", "base": "train"}
STEP_FIELDS |= {"mix": "mix", "train": "train"}
REMOTE = ("anthropic", "endpoint")
TRAINING = ("student", "mix", "train", "evaluate", "goal")
OF_TRAINING = {"learn", "writer", "then", "start", "generations", "evaluate", "goal", "mastery", "rollback", "guard"}
OF_TRAINING |= {"patience", "control"}
PAIRED = ("preference", "policy")  # they learn from the model's own answers: on real rows alone there are none
UNNAMED = Step("", "", print)  # what a recipe that trains nobody leaves out
LIST_FIELDS = ("prepare", "generate", "grade", "curate", "then", "evaluate", "guard")
VERB_OF = STEP_FIELDS | {"then": "train"}


@dataclass(frozen=True)
class Recipe:
    """real: the source of real rows; held_out: how many are set aside to measure on (below 1: a share).

    prepare: what is done to the real rows, in order, before anything else sees them.
    learn: at most so many of the others to learn from (0: all), the first of an order that the seed draws.
    prompts: how many of them the generators are given in each generation, drawn anew (0: all).
    teacher and judge: other models, where the student shall not be its own. base: the training of
    generation 0, on real rows alone. then: ways of training that follow in every later generation, each from where the
    one before ended. writer: who writes rows where a teacher is named: it, or the student, whom the teacher then only
    trains. start: what each generation's training starts from. goal: the score
    that the run is about. level: the hardest level that generation 1 writes (0: the top); the next is
    opened when accuracy at it reaches mastery. rollback: whether a guard's no rolls a generation back; false:
    it is recorded, and the run goes on. failures: the share of a stage's rows that may fail before `make`
    gives up. patience: rolled-back generations in a row that end the run. control: whether generation 0 also goes on
    with real rows alone, for as many training steps: without it no change is credited to the synthetic rows. budget:
    the most that models behind servers may take over the life of the folder. trust: what a calibration must have shown
    of a grader, by its name.
    """

    real: Step
    prepare: tuple[Step, ...] = ()
    student: Step = UNNAMED
    generate: tuple[Step, ...] = ()
    grade: tuple[Step, ...] = ()
    curate: tuple[Step, ...] = ()
    mix: Step = UNNAMED
    train: Step = UNNAMED
    evaluate: tuple[Step, ...] = ()
    guard: tuple[Step, ...] = ()
    goal: str = ""
    name: str = "recipe"
    about: str = ""
    seed: int = 0
    held_out: int | float = 0.1
    learn: int = 0
    prompts: int = 0
    teacher: Step | None = None
    judge: Step | None = None
    base: Step | None = None
    then: tuple[Step, ...] = ()
    writer: Literal["teacher", "student"] = "teacher"
    start: Literal["last", "base"] = "last"
    generations: int = 6
    level: int = 0
    mastery: float = 0.9
    rollback: bool = True
    failures: float = 0.5
    patience: int = 2
    control: bool = False
    budget: Caps | None = None
    trust: dict[str, dict[Demand, Share]] | None = None

    @classmethod
    def load(cls, source: str | Path, changes: Sequence[str] = ()) -> Recipe:
        """From a YAML file or the name of a ready recipe; changes are "key=value", as of `--set`."""
        path, text = loader.read(source)
        values = loader.tree(path, text)
        for wish in changes:
            loader.change(values, wish)
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
                found[key] = fitted(key, value, hints[key])
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
        return self.student != UNNAMED

    def dump(self) -> dict[str, Any]:
        """Plain values that `of` reads back."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Step):
                value = value.dump() if value != UNNAMED else None
            elif isinstance(value, tuple):
                value = [each.dump() for each in value]
            if value is not None and (self.trains or field.name not in OF_TRAINING):
                found[field.name] = _plain(value)
        return found

    def steps(self) -> list[Step]:
        """Every step, in the order of the loop."""
        named = [self.real, *self.prepare, self.student, self.teacher, self.judge, *self.generate, *self.grade]
        named += [*self.curate, self.mix, self.base, self.train, *self.then, *self.evaluate, *self.guard]
        return [each for each in named if each and each != UNNAMED]

    def _fits(self) -> None:
        """What two keys must agree on."""
        world = self.real()
        if not world.verifiable and any(each.way == "verify" for each in self.grade):
            raise SelfsownError(
                f"grade.verify needs a world that checks answers; {world.name} has none: take vote, exact or rules"
            )
        if not world.forms and any(each.way == "restate" for each in self.curate):
            raise SelfsownError(
                f"curate.restate needs a world that asks in several ways; {world.name} does not: leave it out"
            )
        if self.level > world.top_level:
            raise SelfsownError(f"level is {self.level}, but the hardest level of {world.name} is {world.top_level}")
        for key in ("seed", "learn", "prompts", "level", "generations", "patience"):
            if getattr(self, key) < (least := int(key == "patience")):
                raise SelfsownError(f"{key} is {getattr(self, key)}; it must be {least} or more")
        self._roles_fit()
        graders = [each.way for each in self.grade]
        for way in self.trust or {}:
            if way not in graders:
                raise SelfsownError(f"trust names {way!r}, which does not grade here; there is: {', '.join(graders)}")
        by_level = any("level" in each.knobs.get("by", ()) for each in self.evaluate if each.way == "accuracy")
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
        if self.student.way in REMOTE:
            raise SelfsownError(
                f"student.{self.student.way}: a model behind a server cannot be trained; let it teach or judge: "
                f"--set 'teacher={{{self.student.way}: …}}', and take another student, such as tiny"
            )
        trained = {each.way for each in (self.base, self.train, *self.then) if each}
        if "distill" in trained and (not self.teacher or self.teacher.way in REMOTE):
            raise SelfsownError(
                "train.distill needs a teacher whose probabilities can be seen: "
                "--set 'teacher={tiny: {folder: …}}' names one that was saved"
            )
        after = [each.way for each in (self.train, *self.then) if each.way in PAIRED]
        if self.control and after:
            raise SelfsownError(
                f"control: true trains on real rows alone, from which train.{after[0]} learns nothing: leave it out; "
                "selfsown compare runs other controls"
            )
        if "policy" in trained and not self.grade:
            raise SelfsownError("train.policy learns from grades, and no grader is named: write grade: [verify], say")
        for role in ("teacher", "judge"):
            named = getattr(self, role)
            if named and named.way == "tiny" and not named.knobs.get("folder"):
                raise SelfsownError(f"{role}.tiny needs folder: a new tiny model has learned nothing; name a saved one")
        asked = self.judge or (None if self.trains else self.teacher)
        named = next((each for each in self.grade if each.way in ("panel", "vote") and each.knobs.get("judges")), None)
        if named and (not asked or asked.way not in REMOTE):
            raise SelfsownError(
                f"{named.place}.judges names models of the judge's server, and the judge is behind none; name one: "
                "--set 'judge={endpoint: {url: …, model: …}}'"
            )
        solvers = bool(self.teacher) + bool(self.judge) + self.trains
        if solvers < 2 and any(each.way == "gap" for each in self.grade):
            raise SelfsownError(
                "grade.gap compares two solvers, and here is but one model; name another as the judge: "
                "--set 'judge={endpoint: {url: …, model: …}}'"
            )


def _one(key: str, value: Any, beside: Path) -> Step:
    """A step written as `way` or as `way: {knob: value}`; real rows may be named by their file alone."""
    verb = VERB_OF.get(key, key)
    if isinstance(value, dict) and len(value) == 1:
        ((way, knobs),) = value.items()
    elif isinstance(value, str):
        way, knobs = value, {}
    else:
        raise SelfsownError(f"{key} is {value!r}; write the name of a way, or 'way: {{knob: value}}'")
    if not isinstance(knobs or {}, dict):
        raise SelfsownError(f"{key}.{way} is {knobs!r}; its knobs are written as {{knob: value}}")
    if verb == "tasks" and not way.endswith(".py") and way not in ways("tasks"):
        if not (Path(way).suffix or Path(way).exists() or (beside / way).exists()):
            listed = ", ".join(each for each in ways("tasks") if each != "file")
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
UNSAID = {
    each.name: None if each.default is UNNAMED else _plain(each.default)
    for each in fields(Recipe)
    if each.name != "real"
}
