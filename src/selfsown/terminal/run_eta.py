"""How long a run will still take: each stage of each generation that is left, from what such a stage has taken.

Training takes time for each step and for each row of its batch, so that generation 0 tells how long
the others take. Another stage takes as long as the last ones of its kind; before one has run, a typical share
of the time that a generation trains. The control makes no rows: it only trains and evaluates.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step

STAGES = ("generate", "grade", "curate", "train", "evaluate", "baselines", "guard")
# Of the time that a generation trains, before a stage of this kind has run: rough, and used no longer than that.
TYPICAL_SHARE = {"generate": 0.15, "grade": 0.02, "curate": 0.05, "evaluate": 0.08, "guard": 0.02}
STEP_OVERHEAD_ROWS = 50  # a training step takes as long as so many rows, and longer by those of its batch; from `first`
RECENT = 3  # stages of a kind, whose mean is expected
MIN_SHARE = 0.01  # of a stage, before its own speed says how long it takes
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
        self.spent: dict[Place, float] = {}  # seconds of the stages that have ended, or been left for another
        self.part, self.part_share, self.stage_share = 0, 0.0, 0.0

    def begin(self, generation: int, stage: str, is_control: bool = False) -> None:
        """A stage begins, which ends the one before: what is between two stages belongs to the first."""
        self.close()
        self.place, self.began = Place(stage, generation, is_control), self.clock()
        self.part, self.part_share, self.stage_share = 0, 0.0, 0.0

    def close(self) -> None:
        """The stage has ended."""
        if self.place:
            self.spent[self.place] = self._elapsed()
        self.place = None

    def control(self, trainings: int) -> None:
        self.close()
        self.trainings = trainings

    def advance(self, done: float, total: float) -> None:
        """So much of the stage is done; where it trains several times, of the present training."""
        share = min(1.0, done / total) if total else 0.0
        parts = self._trainings(self.place) if self.place else []
        if len(parts) > 1:
            self.part = min(self.part + (share < self.part_share), len(parts) - 1)
            self.part_share = share
            share = (sum(parts[: self.part]) + share * parts[self.part]) / sum(parts)
        self.stage_share = share

    def seconds_left(self) -> float | None:
        """None before anything is known."""
        if self._train_rate() is None:
            return None
        return sum(map(self._left_of, self._places_left()))

    @property
    def share(self) -> float | None:
        """How much of the whole run is done, by time."""
        left = self.seconds_left()
        if left is None:
            return None
        before = sum(self.spent.get(place, 0.0) or self._expected(place) for place in self._places_done())
        before += self._elapsed() if self.place else 0.0
        return before / (before + left) if before else 0.0

    def _places(self) -> list[Place]:
        """Every stage of the run, in order."""
        places = [Place("train", 0), Place("evaluate", 0)]
        arms = [(False, self.recipe.generations), (True, self.trainings)]
        return places + [
            Place(stage, generation, is_control)
            for is_control, generations in arms
            for generation in range(1, generations + 1)
            for stage in STAGES
        ]

    def _position(self) -> int:
        """The number of stages before the present one, or up to the last one that ended."""
        places = self._places()
        if self.place:
            return places.index(self.place) if self.place in places else 0
        ended = [index for index, place in enumerate(places) if place in self.spent]
        return ended[-1] + 1 if ended else 0

    def _places_left(self) -> list[Place]:
        return self._places()[self._position() :]

    def _places_done(self) -> list[Place]:
        return self._places()[: self._position()]

    def _elapsed(self) -> float:
        """Seconds in the present stage, also those before it was interrupted by another."""
        return self.clock() - self.began + self.spent.get(self.place, 0.0) if self.place else 0.0

    def _left_of(self, place: Place) -> float:
        if place != self.place:
            return self._expected(place)
        return max(0.0, self._current_total() - self._elapsed())

    def _current_total(self) -> float:
        """The seconds that the present stage takes: as expected, and the more of it is done, as fast as it is."""
        assert self.place
        work, known = self._work(self.place), self._rate(_kind(self.place))
        expected = None if known is None else known * work
        if self.stage_share < MIN_SHARE:
            return self._typical(self.place) if expected is None else expected
        measured = self._elapsed() / self.stage_share
        weight = 1.0 if expected is None else min(1.0, self.stage_share / TRUSTED_SHARE)
        return weight * measured + (1 - weight) * (expected or 0.0)

    def _expected(self, place: Place) -> float:
        work = self._work(place)
        if not work:
            return 0.0
        if place.stage == "baselines":
            return work * (self._train_rate() or 0.0) + self._expected_once("evaluate") * self._baselines() / 2
        rate = self._train_rate(place.generation) if place.stage == "train" else self._rate(_kind(place))
        if rate is None and self.place and _kind(self.place) == _kind(place) and self.stage_share >= MIN_SHARE:
            return self._current_total() * work / self._work(self.place)
        return self._typical(place) if rate is None else rate * work

    def _expected_once(self, stage: str) -> float:
        return self._expected(Place(stage, 1))

    def _typical(self, place: Place) -> float:
        """The time of a stage of which none has run."""
        training = (self._train_rate() or 0.0) * sum(map(_draws, self.recipe.train))
        return TYPICAL_SHARE.get(place.stage, 0.0) * training * self._work(place)

    def _rate(self, kind: str) -> float | None:
        """The seconds for each unit of work of such a stage, of the last ones."""
        ended = [
            seconds / work
            for place, seconds in self.spent.items()
            if _kind(place) == kind and (work := self._work(place))
        ]
        return fmean(ended[-RECENT:]) if ended else None

    def _train_rate(self, generation: int = 1) -> float | None:
        """Seconds for each row that is drawn: of such trainings, else of generation 0 or of the present one."""
        kinds = ["train", "base"] if generation else ["base", "train"]
        for kind in kinds:
            if (rate := self._rate(kind)) is not None:
                return rate
        if self.place and self.place.stage == "train" and self.stage_share >= MIN_SHARE:
            return self._elapsed() / self.stage_share / self._work(self.place)
        return None

    def _work(self, place: Place) -> float:
        """How much work a stage is, in units of its kind; 0 where it does nothing."""
        if place.stage in ("train", "baselines"):
            return sum(self._trainings(place))
        is_idle = place.is_control and place.stage != "evaluate"
        return 0.0 if is_idle or not getattr(self.recipe, place.stage) else 1.0

    def _trainings(self, place: Place) -> list[float]:
        """The rows that each training of the stage draws."""
        base = _draws(self.recipe.base_train or self.recipe.train[0])
        if place.stage == "train":
            return [_draws(step) for step in self.recipe.train] if place.generation else [base]
        is_first = place.stage == "baselines" and place.generation == 1 and not place.is_control
        return [base] * self._baselines() if is_first else []

    def _baselines(self) -> int:
        """How many models guards have trained for comparison, once, besides that of generation 0."""
        counts = (step.option("baseline_models") for step in self.recipe.guard if step.takes("baselines"))
        return max([0, *(int(count or 0) - 1 for count in counts)])


def _kind(place: Place) -> str:
    return "base" if place.stage == "train" and not place.generation else place.stage


def _draws(step: Step) -> float:
    """The rows that a training objective draws, and its steps in rows; 1 where it has no number of steps."""
    steps, batch_size = step.option("steps"), step.option("batch_size")
    return float(steps * ((batch_size or 0) + STEP_OVERHEAD_ROWS)) if isinstance(steps, int) else 1.0
