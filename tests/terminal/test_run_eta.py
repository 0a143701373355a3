"""The time left of a run: recorded stages of real runs are played again on a clock of their own."""

from __future__ import annotations

import pytest

from selfsown.models.tiny.early_stopping import FIRST_CHECK, GROWTH, MIN_STEPS, MIN_STEPS_APART
from selfsown.recipe.recipe import Recipe
from selfsown.terminal.run_eta import FEWEST_STEPS, RunEta

Stages = dict[str, float]


def generation(generate: float, grade: float, curate: float, train: float, evaluate: float, guard: float) -> Stages:
    names = ("generate", "grade", "curate", "train", "evaluate", "guard")
    return dict(zip(names, (generate, grade, curate, train, evaluate, guard), strict=True))


# Seconds of each stage of one run of `first`, as its log.jsonl has them.
FIRST = [
    {"train": 6.13, "evaluate": 1.71},
    generation(2.53, 0.31, 0.70, 19.88, 1.69, 0.01),
    generation(2.89, 0.13, 1.02, 19.38, 1.54, 0.01),
    generation(2.50, 0.14, 1.16, 19.50, 1.45, 0.01),
    generation(2.49, 0.13, 1.23, 18.78, 1.46, 0.01),
    generation(2.58, 0.14, 1.00, 19.62, 1.55, 0.01),
    generation(2.71, 0.14, 1.09, 18.55, 1.39, 0.01),
]
FIRST_CONTROL = [
    {"train": train, "evaluate": evaluate}
    for train, evaluate in [(19.49, 1.51), (19.40, 1.56), (18.60, 1.44), (17.90, 1.47), (18.48, 1.45), (18.95, 1.55)]
]


class Replay:
    """A run whose clock is moved by hand; `promised` has the seconds left that were said when each generation ended."""

    def __init__(self, recipe: Recipe) -> None:
        self.now = 0.0
        self.eta = RunEta(recipe, lambda: self.now)
        self.promised: list[tuple[float, float]] = []  # when, and how long it would still take
        self.shares: list[float] = []
        self.steps: list[int] = []  # of the trainings to come, where they stop early

    def stage(self, generation: int, stage: str, seconds: float, is_control: bool = False, ticks: int = 4) -> None:
        self.eta.begin(generation, stage, is_control)
        limit = ticks
        if stage == "train" and self.steps:
            options = self.eta.recipe.train[0] if generation else self.eta.recipe.base_train
            assert options
            limit, ticks = options.option("steps"), self.steps.pop(0)
        for tick in range(ticks):
            self.now += seconds / ticks
            self.eta.advance(tick + 1, limit)
            self.shares.append(self.eta.share or 0.0)
        if limit != ticks:
            self.eta.trained(ticks)

    def generation(self, number: int, stages: Stages, is_control: bool = False) -> None:
        for stage, seconds in stages.items():
            self.stage(number, stage, seconds, is_control)
        self.eta.close()
        left = self.eta.seconds_left()
        assert left is not None
        self.promised.append((self.now, left))

    def run(self, history: list[Stages], control: list[Stages]) -> list[float]:
        """Of each generation but the last, the promised by the real seconds that were left at its end."""
        for number, stages in enumerate(history):
            self.generation(number, stages)
        if control:
            self.eta.control(len(control))
        for number, stages in enumerate(control, 1):
            self.generation(number, stages, is_control=True)
        return [left / (self.now - when) for when, left in self.promised[:-1]]


def test_from_generation_0_on_the_time_left_is_within_30_percent() -> None:
    ratios = Replay(Recipe.load("first")).run(FIRST, FIRST_CONTROL)
    assert all(0.7 < ratio < 1.3 for ratio in ratios), ratios


def test_generation_0_that_trains_five_times_as_long_says_how_long_the_others_take() -> None:
    """`names` without early stopping. The seconds are made up in proportion to the steps; no such run is recorded."""
    fixed = ["base_train.sft.early_stopping=0", "train.sft.early_stopping=0"]
    later = generation(27.0, 2.0, 1.5, 54.0, 5.0, 0.02)
    control = {"train": 52.0, "evaluate": 4.5}
    ratios = Replay(Recipe.load("names", ["real=any.txt", *fixed])).run(
        [{"train": 260.0, "evaluate": 5.0}, *[later] * 5], [control] * 5
    )
    assert all(0.7 < ratio < 1.3 for ratio in ratios), ratios


# CPU seconds of each stage of two runs of `names`, on 800 and on 3,000 real names, and the training steps before each
# training stopped early; then those of the control.
NAMES = {
    800: [
        ({"train": 5.55, "evaluate": 0.75}, 191),
        (generation(3.95, 0.59, 0.46, 10.33, 0.59, 0.01), 409),
        (generation(4.11, 0.46, 0.83, 2.98, 0.70, 0.01), 108),
        (generation(5.57, 0.60, 0.70, 3.96, 0.90, 0.01), 108),
        (generation(4.07, 0.66, 0.75, 3.68, 0.56, 0.01), 108),
        (generation(4.51, 0.69, 0.83, 3.41, 0.83, 0.01), 108),
    ],
    3000: [
        ({"train": 19.80, "evaluate": 1.81}, 658),
        (generation(5.00, 0.43, 0.49, 5.11, 1.23, 0.01), 108),
        (generation(4.77, 0.55, 0.91, 18.39, 1.25, 0.01), 450),
        (generation(5.20, 0.60, 0.71, 5.85, 0.64, 0.01), 108),
        (generation(5.09, 0.66, 0.78, 6.26, 0.97, 0.01), 108),
        (generation(5.28, 0.74, 0.94, 6.26, 0.81, 0.01), 108),
    ],
}
NAMES_CONTROL = {
    800: [(2.74, 0.96), (2.84, 0.63), (2.83, 0.92), (3.04, 0.86), (2.87, 0.55)],
    3000: [(3.99, 1.37), (4.05, 1.16), (4.30, 0.72), (4.20, 1.30), (4.43, 1.27)],
}


@pytest.mark.parametrize("rows", NAMES)
def test_trainings_that_stop_early_are_expected_by_the_steps_that_the_last_ones_took(rows: int) -> None:
    replay = Replay(Recipe.load("names", ["real=any.txt"]))
    replay.steps = [steps for _, steps in NAMES[rows]] + [108] * 5
    control = [{"train": train, "evaluate": evaluate} for train, evaluate in NAMES_CONTROL[rows]]
    ratios = replay.run([stages for stages, _ in NAMES[rows]], control)
    assert all(0.7 < ratio < 1.3 for ratio in ratios[1:]), ratios
    assert 0.65 < ratios[0] < 1.35, "nothing but generation 0 has been seen"


def test_the_fewest_steps_are_those_of_early_stopping() -> None:
    checks, step = [FIRST_CHECK], FIRST_CHECK
    while step < MIN_STEPS:
        step = max(step + MIN_STEPS_APART, round(GROWTH * step))
        checks.append(step)
    assert checks[-1] == FEWEST_STEPS


def test_baselines_that_a_guard_trains_once_are_expected_and_not_expected_again() -> None:
    """`guarded`: the first generation trains four more models on real rows alone. Made up beyond generation 1."""
    replay = Replay(Recipe.load("guarded"))
    later = generation(4.4, 0.5, 6.0, 46.0, 2.6, 1.0)
    replay.generation(0, {"train": 12.3, "evaluate": 2.8})
    replay.generation(1, {**{name: later[name] for name in list(later)[:5]}, "guard": 0.1, "baselines": 55.0})
    replay.stage(1, "guard", 9.0)
    replay.eta.close()
    after_first, began = replay.eta.seconds_left() or 0.0, replay.now
    for number in range(2, 11):
        replay.generation(number, later | {"guard": 9.0})
    replay.eta.control(10)
    for number in range(1, 11):
        replay.generation(number, {"train": 46.0, "evaluate": 2.6}, is_control=True)
    (when, promised), *_ = replay.promised
    assert promised / (replay.now - when) == pytest.approx(1, abs=0.3)
    assert after_first / (replay.now - began) == pytest.approx(1, abs=0.1)


def test_the_share_moves_within_every_stage() -> None:
    replay = Replay(Recipe.load("first"))
    replay.run(FIRST, FIRST_CONTROL)
    jumps = [after - before for before, after in zip(replay.shares, replay.shares[1:], strict=False)]
    assert max(jumps) < 0.05
    assert min(jumps) > -0.05
    assert replay.shares[-1] == pytest.approx(1)


def test_a_resumed_run_begins_where_it_was_left() -> None:
    replay = Replay(Recipe.load("first", ["control=false"]))
    assert replay.eta.seconds_left() is None
    replay.generation(5, FIRST[5])
    assert replay.shares[-1] > 0.6
    assert replay.promised[0][1] == pytest.approx(sum(FIRST[6].values()), rel=0.1)


def test_two_objectives_are_one_stage() -> None:
    recipe = Recipe.load("first", ["train=[{sft: {steps: 300}}, {sft: {steps: 100}}]", "control=false"])
    now = 0.0
    eta = RunEta(recipe, lambda: now)
    eta.begin(1, "train")
    eta.advance(300, 300)
    assert eta.stage_share == pytest.approx(0.75)
    eta.advance(50, 100)
    assert eta.stage_share == pytest.approx(0.875)


def test_a_stage_that_asks_a_server_is_expected_to_take_as_long_as_it_does_now() -> None:
    """Nothing is known of a teacher behind a server before it has answered."""
    replay = Replay(Recipe.load("first", ["control=false", "generations=3"]))
    replay.generation(0, FIRST[0])
    replay.eta.begin(1, "generate")
    replay.now += 60
    replay.eta.advance(50, 100)
    left = replay.eta.seconds_left()
    assert left is not None
    assert left == pytest.approx(60 + 2 * 120 + 3 * 23, rel=0.2)


def test_a_million_generations_cost_nothing() -> None:
    replay = Replay(Recipe.load("first", ["generations=1000000"]))
    for number, stages in enumerate(FIRST):
        replay.generation(number, stages)
    assert replay.promised[-1][1] > 10**7


def test_slow_imports_before_the_first_step_do_not_make_the_whole_run_long() -> None:
    """On a busy machine 40 seconds pass before the first step; until the speed of steps is known, nothing is said."""
    replay = Replay(Recipe.load("first"))
    replay.eta.begin(0, "train")
    replay.now += 40
    said = []
    for step in range(1, 101):
        replay.now += 0.06
        replay.eta.advance(step, 100)
        said.append((step, replay.now, replay.eta.seconds_left()))
    replay.eta.close()
    at_the_end = replay.now
    left = replay.eta.seconds_left()
    assert left is not None
    real = sum(sum(stages.values()) for stages in [*FIRST[1:], *FIRST_CONTROL])
    assert 0.7 < left / real < 1.3
    assert [seconds for step, _, seconds in said if step <= 5] == [None] * 5
    known = [(now + seconds - at_the_end) / real for _, now, seconds in said if seconds is not None]
    assert len(known) >= 90
    assert all(0.7 < ratio < 1.3 for ratio in known), known
