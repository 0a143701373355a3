"""How long a run will still take: each stage of each generation that is left, from what such a stage has taken.

Training takes time for each step and for each row of its batch, so that generation 0 tells how long
the others take. One that may stop early is expected to take the median of the steps that the last ones took; before
three have ended, those of generation 0 and the fewest possible count, too. Another stage takes as long as the last ones
of its kind; before one has run, a typical share of the time that a generation trains. The control makes no rows: it
only trains and evaluates.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step

STAGES = ("generate", "grade", "curate", "train", "evaluate", "baselines", "guard")
# Of the time that a generation trains, before a stage of this kind has run: rough, and used no longer than that.
TYPICAL_SHARE = {"generate": 0.15, "grade": 0.02, "curate": 0.05, "evaluate": 0.08, "guard": 0.02}
STEP_OVERHEAD_ROWS = 50  # a training step takes as long as so many rows, and longer by those of its batch; from `first`
RECENT = 3  # stages of a kind, whose mean is expected; of trainings also the median of their steps
FEWEST_STEPS = 108  # after which early stopping may end a training: its first measurement after 100
LATER = -1  # the number of any generation that is still to come
OVERDUE = 1.1  # a training that was expected to have ended by then takes a tenth more than it has
MIN_SHARE = 0.01  # of a stage, before its own speed says how long it takes
MIN_FIRST_SHARE = 0.05  # the same of the first stage, which imports what it needs: counted from its first report
TRUSTED_SHARE = 0.3  # of a stage, from which on only its own speed counts


@dataclass(frozen=True)
class Place:
    """A stage of a generation, of the run itself or of its control."""

    stage: str
    generation: int
    is_control: bool = False


class RunEta:
    """Is called with the events of a run, and tells the seconds that are left."""

    def __init__(self, recipe: Recipe, clock: Callable[[], float] = time.monotonic) -> None:
        self.recipe, self.clock = recipe, clock
        chained = recipe.init_from == "previous"
        self.trainings = (recipe.generations if chained else min(1, recipe.generations)) if recipe.control else 0
        self.place: Place | None = None
        self.began = clock()
        self.first: Place | None = None  # with which it began, or was resumed
        self.last = Place("train", 0)  # the latest that has begun
        self.recent: dict[str, dict[Place, float]] = defaultdict(dict)  # by kind, seconds of the last stages
        self.steps: dict[Place, list[int]] = {}  # of each objective of generation 0 and of the last trainings
        self.seconds = 0.0  # of all stages that have ended
        self.part, self.part_share, self.stage_share = 0, 0.0, 0.0
        self.report: tuple[float, float] | None = None  # the first of the stage: seconds since its beginning, share

    def begin(self, generation: int, stage: str, is_control: bool = False) -> None:
        """A stage begins, which ends the one before: what is between two stages belongs to the first."""
        self.close()
        self.place = self.last = Place(stage, generation, is_control)
        self.first, self.began = self.first or self.place, self.clock()
        self.part, self.part_share, self.stage_share, self.report = 0, 0.0, 0.0, None

    def close(self) -> None:
        """The stage has ended."""
        if self.place:
            self.seconds += self.clock() - self.began
            ended = self.recent[_kind(self.place)]
            work = self._speed() if self.place == self.first and self.stage_share == 1 else None
            ended[self.place] = work or self._elapsed()
            while len(ended) > RECENT:
                del ended[next(iter(ended))]
        self.place = None

    def control(self, trainings: int) -> None:
        self.close()
        self.trainings = trainings

    def trained(self, steps: int) -> None:
        """An objective of the present stage has ended after so many steps."""
        if not self.place or self.place.stage != "train":
            return
        self.steps.setdefault(self.place, []).append(steps)
        if len(self.steps[self.place]) == len(self._objectives(self.place)):
            if self.report and self.stage_share:  # of all that it takes, now that this is known
                self.report = self.report[0], self.report[1] / self.stage_share
            self.stage_share = 1.0
        later = [place for place in self.steps if place.generation]
        for place in later[:-RECENT]:
            del self.steps[place]

    def advance(self, done: float, total: float) -> None:
        """So much of the stage is done; where it trains several times, of the present training."""
        if self.place and self.place.stage == "train":
            ended = len(self.steps.get(self.place, ()))
            expected = self._steps(self.place, min(ended, len(self._objectives(self.place)) - 1))
            total = min(total, max(expected or total, OVERDUE * done))
        share = min(1.0, done / total) if total else 0.0
        parts = self._trainings(self.place) if self.place else []
        if len(parts) > 1:
            self.part = min(self.part + (share < self.part_share), len(parts) - 1)
            self.part_share = share
            share = (sum(parts[: self.part]) + share * parts[self.part]) / sum(parts)
        self.stage_share = share
        if share and not self.report:
            self.report = self._elapsed(), share

    def seconds_left(self) -> float | None:
        """None before anything is known."""
        if self._train_rate() is None:
            return None
        stages = STAGES[STAGES.index(self.last.stage) + 1 :]
        stages = stages if self.last.generation else tuple(stage for stage in stages if stage == "evaluate")
        present = max(0.0, self._current_total() - self._elapsed()) if self.place else 0.0
        return present + self._all_of(self.last, stages) + self._generations_after(self.last)

    @property
    def share(self) -> float | None:
        """How much of the whole run is done, by time."""
        left = self.seconds_left()
        if left is None:
            return None
        done = self.seconds + (self.clock() - self.began if self.place else 0.0) + self._skipped()
        return done / (done + left) if done else 0.0

    def _all_of(self, place: Place, stages: Sequence[str]) -> float:
        """The seconds that these stages are expected to take in the generation of the place."""
        return sum(self._expected(replace(place, stage=stage)) for stage in stages)

    def _generations_after(self, place: Place) -> float:
        """The seconds of all generations after that of the place, which differ in the baselines of the first alone."""
        control = self._all_of(Place("", LATER, True), STAGES)
        if place.is_control:
            return (self.trainings - place.generation) * control
        once = 0.0 if place.generation else self._expected(Place("baselines", 1))
        later = (self.recipe.generations - place.generation) * self._all_of(Place("", LATER), STAGES)
        return once + later + self.trainings * control

    def _skipped(self) -> float:
        """What the stages before the first one here are expected to have taken, where the run was resumed."""
        start = Place("train", 0)
        if not self.first or self.first == start:
            return 0.0
        whole = self._all_of(start, ("train", "evaluate")) + self._generations_after(start)
        stages = STAGES[STAGES.index(self.first.stage) :]
        return max(0.0, whole - self._all_of(self.first, stages) - self._generations_after(self.first))

    def _elapsed(self) -> float:
        """Seconds in the present stage, also those before it was interrupted by another."""
        if not self.place:
            return 0.0
        return self.clock() - self.began + self.recent[_kind(self.place)].get(self.place, 0.0)

    def _current_total(self) -> float:
        """The seconds that the present stage takes: as expected, and the more of it is done, as fast as it is."""
        assert self.place
        work, known = self._work(self.place), self._rate(_kind(self.place))
        expected = None if known is None else known * work
        speed = self._speed()
        if speed is None:
            return self._typical(self.place) if expected is None else expected
        measured = self._elapsed() + speed * (1 - self.stage_share)
        weight = 1.0 if expected is None else min(1.0, self.stage_share / TRUSTED_SHARE)
        return weight * measured + (1 - weight) * (expected or 0.0)

    def _speed(self) -> float | None:
        """The seconds that all work of the present stage takes as fast as it goes now; None before that is known.

        On a busy machine imports take longer than hundreds of steps: what comes before the first report of the first
        stage is no work.
        """
        if self.place != self.first:
            return self._elapsed() / self.stage_share if self.stage_share >= MIN_SHARE else None
        seconds, share = self.report or (0.0, 0.0)
        done = self.stage_share - share
        return (self._elapsed() - seconds) / done if done >= MIN_FIRST_SHARE else None

    def _expected(self, place: Place) -> float:
        work = self._work(place)
        if not work:
            return 0.0
        if place.stage == "baselines":
            return work * (self._train_rate() or 0.0) + self._expected_once("evaluate") * self._baselines() / 2
        rate = self._train_rate(place.generation) if place.stage == "train" else self._rate(_kind(place))
        if rate is None and self.place and _kind(self.place) == _kind(place) and self._speed() is not None:
            return self._current_total() * work / self._work(self.place)
        return self._typical(place) if rate is None else rate * work

    def _expected_once(self, stage: str) -> float:
        return self._expected(Place(stage, 1))

    def _typical(self, place: Place) -> float:
        """The time of a stage of which none has run."""
        training = (self._train_rate() or 0.0) * sum(_draws(step, step.option("steps")) for step in self.recipe.train)
        return TYPICAL_SHARE.get(place.stage, 0.0) * training * self._work(place)

    def _rate(self, kind: str) -> float | None:
        """The seconds for each unit of work of such a stage, of the last ones."""
        works = [(seconds, self._work(place)) for place, seconds in self.recent[kind].items()]
        rates = [seconds / work for seconds, work in works if work]
        return fmean(rates) if rates else None

    def _train_rate(self, generation: int = 1) -> float | None:
        """Seconds for each row that is drawn: of such trainings, else of generation 0 or of the present one."""
        kinds = ["train", "base"] if generation else ["base", "train"]
        for kind in kinds:
            if (rate := self._rate(kind)) is not None:
                return rate
        if self.place and self.place.stage == "train" and (speed := self._speed()) is not None:
            return speed / self._work(self.place)
        return None

    def _work(self, place: Place) -> float:
        """How much work a stage is, in units of its kind; 0 where it does nothing."""
        if place.stage in ("train", "baselines"):
            return sum(self._trainings(place))
        is_idle = place.is_control and place.stage != "evaluate"
        return 0.0 if is_idle or not getattr(self.recipe, place.stage) else 1.0

    def _trainings(self, place: Place) -> list[float]:
        """The rows that each training of the stage draws."""
        if place.stage == "train":
            objectives = self._objectives(place)
            return [_draws(step, self._steps(place, index)) for index, step in enumerate(objectives)]
        is_first = place.stage == "baselines" and place.generation == 1 and not place.is_control
        return self._trainings(Place("train", 0)) * self._baselines() if is_first else []

    def _objectives(self, place: Place) -> Sequence[Step]:
        return self.recipe.train if place.generation else [self.recipe.base_train or self.recipe.train[0]]

    def _steps(self, place: Place, index: int) -> float | None:
        """The steps that this objective of the stage took, or is expected to take; None where it has no such number."""
        objective, taken = self._objectives(place)[index], self.steps.get(place, [])
        limit = objective.option("steps")
        if index < len(taken) or not isinstance(limit, int):
            return taken[index] if index < len(taken) else None
        later = [steps[index] for other, steps in self.steps.items() if other.generation and index < len(steps)]
        if objective.option("early_stopping") and place.generation:
            base = self.steps.get(Place("train", 0), [])
            later = [*(min(limit, steps) for steps in base), FEWEST_STEPS, *later]
        return min(limit, median(later[-RECENT:])) if later and place.generation else limit

    def _baselines(self) -> int:
        """How many models guards have trained for comparison, once, besides that of generation 0."""
        counts = (step.option("baseline_models") for step in self.recipe.guard if step.takes("baselines"))
        return max([0, *(int(count or 0) - 1 for count in counts)])


def _kind(place: Place) -> str:
    return "base" if place.stage == "train" and not place.generation else place.stage


def _draws(step: Step, steps: object) -> float:
    """The rows that an objective draws in so many steps, and the steps in rows; 1 where it has no such number."""
    batch_size = step.option("batch_size") or 0
    return float(steps * (batch_size + STEP_OVERHEAD_ROWS)) if isinstance(steps, int | float) else 1.0
