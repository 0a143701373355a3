"""What a comparison is about to train, and how long that takes by a few training steps that are timed.

Only the steps of `sft` with the embedded student are timed; of anything else the time follows from the first runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from selfsown.compare.child_processes import ArmRun
from selfsown.compare.experiment import Experiment
from selfsown.parallel import usable_cores
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture, Row
from selfsown.text.durations import duration

TIMED_STEPS = 12
SETTLED_STEPS = 4  # the first ones, which also allocate memory and are not timed
THREADS = 2  # of a training
OTHER_STAGES = 1.3  # whole runs by their training; from `first`
START_CPU_SECONDS = 5.0  # of a process: loading torch, reading the rows, the dry run


def training_steps(recipe: Recipe) -> int:
    """Steps of a run, or at most so many where trainings stop early; 0 where some have no number of steps."""
    later = [step.option("steps") for step in recipe.train]
    base = (recipe.base_train or recipe.train[0]).option("steps")
    if not all(isinstance(steps, int) for steps in (base, *later)):
        return 0
    return int(base + recipe.generations * sum(later))


def start_sentence(experiment: Experiment, pending: Sequence[ArmRun], seconds: float | None) -> str:
    """What is trained, and how long it takes."""
    arms, seeds = len(experiment.arms), len(experiment.seeds)
    runs, finished = arms * seeds, arms * seeds - len(pending)
    steps = [training_steps(arm.recipe(experiment.source, 0)) for arm in experiment.arms]
    limit = "up to " if experiment.recipe.stops_early else ""
    spread = f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
    work = f", {limit}{spread} training steps each" if min(steps) else ""
    done = f"; {finished:,} of them are finished" if finished else ""
    sentence = f"{runs:,} runs: {arms} arms × {seeds} seeds{work}{done}."
    if seconds is None:
        return f"{sentence} The time left follows from the first runs."
    return f"{sentence} About {duration(seconds)}, by {TIMED_STEPS - SETTLED_STEPS} training steps that were timed."


def run_seconds(recipe: Recipe, real: Sequence[Row], jobs: int) -> float | None:
    """Seconds of one of so many runs at a time; None where its training is not one that is timed."""
    steps = training_steps(recipe)
    rows = [row for row in real if row.answered]
    if not steps or not rows or recipe.train[0].method != "sft" or recipe.student.method != "tiny":
        return None
    cpu_seconds = OTHER_STAGES * steps * _cpu_seconds_per_step(recipe, rows) + START_CPU_SECONDS
    return cpu_seconds / min(THREADS, max(1.0, usable_cores() / jobs))


def _cpu_seconds_per_step(recipe: Recipe, rows: list[Row]) -> float:
    """CPU seconds of all threads, which other processes on the machine change little."""
    from selfsown.train import sft

    step, ends = recipe.train[0], list[float]()
    options = {name: step.option(name) for name in ("batch_size", "answers_only")}
    student = recipe.student(rows=rows, seed=0)
    mixture = Mixture(rows, np.ones(len(rows)))
    sft.train(mixture, student, 0, lambda done, total: ends.append(time.process_time()), steps=TIMED_STEPS, **options)
    return median(after - before for before, after in pairwise(ends[SETTLED_STEPS - 1 :]))
