"""What a comparison says at its start, and one time left for its lines and its progress bar."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest
from arms import compare_in_process
from command import written

from selfsown import progress
from selfsown.compare.experiment import plan_experiment
from selfsown.compare.time_left import TimeLeft
from selfsown.compare.workload import run_seconds, start_sentence, training_steps
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.terminal.progress import StepState


@dataclass(frozen=True)
class Run:
    arm: str
    seed: int


class Replay:
    """Runs that take so long, two at a time, of so many equal parts each."""

    def __init__(self, seconds: dict[str, float], seeds: int, expected: float | None, parts: int = 4) -> None:
        self.runs = [Run(arm, seed) for seed in range(seeds) for arm in seconds]
        self.seconds, self.parts, self.now = seconds, parts, 0.0
        self.time_left = TimeLeft(self.runs, 2, expected, lambda: self.now)
        self.at_ends: list[tuple[float, float]] = []  # when a run ended, and the seconds left by then
        self.at_start = self.time_left.seconds_left()

    def play(self) -> list[float]:
        """The seconds left, at the end of each run but the last, by the real ones."""
        waiting, live = list(self.runs), dict[Run, float]()
        while waiting or live:
            while waiting and len(live) < 2:
                live[run := waiting.pop(0)] = self.now
                self.time_left.begin(run)
            self.now += 1
            for run, began in list(live.items()):
                done = (self.now - began) / self.seconds[run.arm]
                self.time_left.advance(run, min(1.0, int(done * self.parts) / self.parts))
                if done >= 1:
                    del live[run]
                    self.time_left.end(run)
                    self.at_ends.append((self.now, self.time_left.seconds_left() or 0.0))
        return [left / (self.now - when) for when, left in self.at_ends if when < self.now]


@pytest.mark.parametrize("expected", [None, 40.0, 160.0], ids=["unknown", "half", "double"])
def test_after_the_first_run_the_time_left_is_within_30_percent(expected: float | None) -> None:
    ratios = Replay({"synthetic": 80.0, "real": 80.0}, 5, expected).play()
    assert all(0.7 < ratio < 1.3 for ratio in ratios), ratios


def test_arms_of_unlike_length_are_expected_by_their_own_runs() -> None:
    ratios = Replay({"synthetic": 120.0, "real": 60.0}, 5, 90.0).play()
    assert all(0.7 < ratio < 1.3 for ratio in ratios[1:]), ratios


def test_before_a_run_has_ended_the_timed_steps_say_how_long_it_takes() -> None:
    assert Replay({"synthetic": 80.0, "real": 80.0}, 5, 80.0).at_start == pytest.approx(400)
    assert Replay({"synthetic": 80.0, "real": 80.0}, 5, None).at_start is None


def test_runs_that_are_slower_than_the_timed_steps_make_those_that_wait_slower_too() -> None:
    """As on a machine that others use."""
    replay = Replay({"synthetic": 400.0, "real": 400.0}, 5, 40.0)
    for run in replay.runs[:2]:
        replay.time_left.begin(run)
    replay.now = 300.0
    assert (replay.time_left.seconds_left() or 0.0) > 4 * 300


def test_a_last_run_alone_is_waited_for_in_full() -> None:
    assert Replay({"only": 50.0}, 3, 50.0).at_start == pytest.approx(100), "two processes, three runs"


def test_the_progress_bar_shows_the_same_time_left_as_the_lines() -> None:
    with progress.watched() as root:
        state = StepState(root, itertools.count().__next__)
        with progress.step("training", 10, "runs") as counted:
            counted.done = 5  # by its share, as much as has passed would be left
            counted.seconds_left = lambda: 1234.0
            assert state().seconds_left == 1234.0


def test_the_start_names_the_runs_their_steps_and_the_time() -> None:
    experiment = plan_experiment("first", ["generations=2"], ["graded", "real"], 3, [])
    runs = experiment.runs(Path("runs/first-compare"))
    sentence = start_sentence(experiment, runs, 300.0)
    assert sentence.startswith("6 runs: 2 arms × 3 seeds, 2,200 training steps each. About 5 min")
    resumed = start_sentence(experiment, runs[4:], None)
    assert "4 of them are finished" in resumed
    assert "follows from the first runs" in resumed


def test_the_steps_are_timed_of_the_embedded_student_alone() -> None:
    rows = [Row("", f"a text of some length, number {number}") for number in range(40)]
    recipe = Recipe.load("lines", ["real=any.txt", "control=false"])
    assert training_steps(recipe) == 2500 + 3 * 200
    once, longer = (run_seconds(recipe, rows, jobs) or 0.0 for jobs in (1, 64))
    assert 0 < once <= longer
    assert run_seconds(Recipe.load("spin"), rows, 1) is None, "dpo is not timed"


def test_a_comparison_says_at_its_start_what_it_trains(tmp_path: Path) -> None:
    written(tmp_path)
    ended = compare_in_process(tmp_path, "compare", "mine.yaml", "--arms", "graded,real", "--seeds", "2")
    assert not ended.returncode, ended.stderr
    assert ended.stdout.splitlines()[0].startswith("4 runs: 2 arms × 2 seeds")
