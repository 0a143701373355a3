"""Measure the embedded engine and the usual libraries, in turn in one run, and print markdown tables.

    python -m benchmarks.engine
    python -m benchmarks.engine --only training sampling --repeat 3
    python -m benchmarks.engine --only job --scale 0.17

docs/engine.md says what it is compared with, and why that is fair.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import torch

from benchmarks import plain_transformers
from selfsown.holdout import split
from selfsown.models import SamplingParams
from selfsown.models.tiny.model import Tiny, create
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture, Row
from selfsown.tasks.programs import Task
from selfsown.train.sft import train

Result = TypeVar("Result")
PARTS = ("training", "sampling", "job")
ROWS, HELD_OUT = 22_000, 2_000  # more than in the recipe, so that nothing is memorized while we measure
BATCH = 64
LEARNING_RATES = (0.001, 0.002, 0.003, 0.005, 0.01)  # of AdamW, tried before anything is timed
STEP_FACTORS = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0)  # of the number of steps, tried until the loss is equal
BASE_STEPS = 200
MAX_BUSY_CORES = 0.2  # used by other programs; above that, a measurement does not count as undisturbed
THREADS = torch.get_num_threads()


@dataclass(frozen=True)
class Measurement:
    """The cost of one piece of work, and how many cores other programs used meanwhile."""

    seconds: float
    cpu: float
    others: float


def measured(work: Callable[[], Result], threads: int = 0) -> tuple[Measurement, Result]:
    """threads: torch's own, which ours does not use; 0: as many as there are cores."""
    torch.set_num_threads(threads or THREADS)
    busy, mine, start = *_cpu(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    busy_after, mine_after = _cpu()
    cpu = mine_after - mine
    return Measurement(seconds, cpu, max(0.0, busy_after - busy - cpu) / seconds), result


def _cpu() -> tuple[float, float]:
    """CPU seconds so far: of the whole machine, and of this process with its finished children."""
    times = psutil.cpu_times()._asdict()
    ignored = ("idle", "iowait", "guest", "guest_nice")  # the time of guests is counted under user, too
    return sum(value for name, value in times.items() if name not in ignored), sum(os.times()[:4])


def middle(values: Sequence[float], form: str = ",.0f") -> str:
    """Median and range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} – {high:{form}})"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("\n| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def rows_of(measurements: dict[str, list[Measurement]], counts: dict[str, list[float]]) -> list[list[str]]:
    """For each side: tokens per second, tokens per CPU second, and how much faster the first side was, turn by turn."""
    speeds = {
        side: [n / measurement.seconds for n, measurement in zip(counts[side], measurements[side], strict=True)]
        for side in measurements
    }
    per_cpu = {
        side: [n / measurement.cpu for n, measurement in zip(counts[side], measurements[side], strict=True)]
        for side in measurements
    }
    first = next(iter(speeds.values()))
    rows = []
    for side, speed in speeds.items():
        ratios = [ours / theirs for ours, theirs in zip(first, speed, strict=True)]
        pairs = zip(ratios, next(iter(measurements.values())), measurements[side], strict=True)
        undisturbed = [
            ratio for ratio, *both in pairs if all(measurement.others <= MAX_BUSY_CORES for measurement in both)
        ]
        undisturbed_text = (
            f"{middle(undisturbed, '.2f')}, {len(undisturbed)} of {len(ratios)}"
            if undisturbed
            else f"none of {len(ratios)}"
        )
        rows.append([side, middle(speed), middle(per_cpu[side]), middle(ratios, ".2f"), undisturbed_text])
    return rows


TITLES = ("", "tokens/s", "tokens per CPU second", "selfsown is faster by", "the same, undisturbed")


@dataclass(frozen=True)
class Setup:
    """What training is measured on: the same rows, the same untrained model, the same number of steps."""

    mixture: Mixture
    held_out: list[Row]
    start: Tiny
    steps: int

    @classmethod
    def of(cls, steps: int, seed: int) -> Setup:
        recipe = Recipe.load("first", [f"seed={seed}"])
        levels = recipe.real.options["levels"]
        real, held_out = split(Task(rows=ROWS, levels=levels).pose(seed), HELD_OUT, seed, "programs")
        student = create(real, seed, **recipe.student.options)
        return cls(Mixture(real, np.full(len(real), 1 / len(real))), held_out, student, steps)

    def ours(self) -> Tiny:
        rate = Recipe.load("first").train[0].options["learning_rate"]
        return train(
            self.mixture, self.start, 0, lambda _, __: None, steps=self.steps, batch_size=BATCH, learning_rate=rate
        )

    def plain(self, rate: float, steps: int = 0) -> tuple[Measurement, float]:
        """A plain loop, timed, and its loss on held-out rows."""
        model = plain_transformers.PlainModel(self.start)
        options: dict[str, Any] = {"steps": steps or self.steps, "batch_size": BATCH, "learning_rate": rate}
        measurement, _ = measured(lambda: model.learn(self.mixture, 0, **options))
        return measurement, model.bits(self.held_out)

    def trl(self, rate: float) -> tuple[Measurement, float]:
        """TRL's trainer, timed without its preparation."""
        model = plain_transformers.PlainModel(self.start)
        with tempfile.TemporaryDirectory() as folder:
            trainer = model.trainer(self.mixture, 0, folder, steps=self.steps, batch_size=BATCH, learning_rate=rate)
            measurement, _ = measured(trainer.train)
        return measurement, model.bits(self.held_out)


def training(repeat: int, steps: int, seed: int) -> None:
    setup = Setup.of(steps, seed)
    setup.ours()  # warm-up
    losses = {rate: setup.plain(rate)[1] for rate in LEARNING_RATES}
    best = min(losses, key=losses.__getitem__)
    sides = ("selfsown", "plain loop", "TRL")
    measurements: dict[str, list[Measurement]] = {side: [] for side in sides}
    losses_at_end: dict[str, float] = {}
    for _ in range(repeat):
        measurement, child = measured(setup.ours)
        bits, characters = zip(*child.bits(setup.held_out), strict=True)
        results = [(measurement, sum(bits) / sum(characters)), setup.plain(best), setup.trl(best)]
        for side, (measurement, losses_at_end[side]) in zip(sides, results, strict=True):
            measurements[side].append(measurement)
    mean = statistics.mean(map(len, setup.start.encode(setup.mixture.rows)))
    counts = {side: [steps * BATCH * mean] * repeat for side in sides}
    print(f"\n## Training: {steps} steps of {BATCH} rows, {mean:.1f} tokens each")
    rows = [[*row, f"{losses_at_end[row[0]]:.3f}"] for row in rows_of(measurements, counts)]
    table((*TITLES, "bits per character, held out"), rows)
    tried = ", ".join(f"{rate:g}: {loss:.3f}" for rate, loss in losses.items())
    print(f"\nAdamW's learning rate is {best:g}, the best of these: {tried}.")
    print(equal(setup, best, losses_at_end["selfsown"]))


def equal(setup: Setup, rate: float, target: float) -> str:
    """How long the plain loop takes to reach our loss; each number of steps has its own schedule."""
    for factor in STEP_FACTORS:
        ours, _ = measured(setup.ours)  # in turn here, too: the load of the machine may have changed
        measurement, loss = setup.plain(rate, round(factor * setup.steps))
        if loss <= target:
            ratio = measurement.seconds / ours.seconds
            durations = f"{measurement.seconds:.1f} s against {ours.seconds:.1f} s, {ratio:.2f} times as long"
            others = f"cores that others used: {measurement.others:.2f} and {ours.others:.2f}"
            steps = f"{factor:g} times the steps (loss {loss:.3f})"
            return f"Equal loss: the plain loop needs {steps}: {durations} ({others})."
    return f"The plain loop does not reach our loss in {STEP_FACTORS[-1]:g} times the steps; it ends at {loss:.3f}."


def sampling(repeat: int, texts: int, seed: int, threads: int) -> None:
    """Problems from a handful of openings, whose beginnings are shared, and answers to prompts that all differ."""
    setup = Setup.of(BASE_STEPS, seed)
    model = setup.ours()
    theirs = plain_transformers.PlainModel(model)
    rng = random.Random(seed)
    openings = [str(rng.randint(1, 2)) for _ in range(texts)]
    prompts = list(dict.fromkeys(row.prompt for row in setup.mixture.rows))[:texts]
    for what, given, separator in (("problems", openings, ""), ("answers to different prompts", prompts, "<sep>")):
        params = SamplingParams(temperature=1.0, continue_prompt=not separator)

        def sample_ours(seed: int, given: list[str] = given, params: SamplingParams = params) -> int:
            replies = model.complete(given, replace(params, seed=seed))
            return sum(reply.tokens for (reply,) in replies)

        def sample_theirs(seed: int, given: list[str] = given, separator: str = separator) -> int:
            torch.manual_seed(seed)
            return sum(map(len, theirs.write([f"<bos>{text}{separator}" for text in given], draw=True)))

        print(f"\n## Sampling: {len(given):,} {what}, {plain_transformers.BATCH_SIZE} at a time")
        compare_sampling({"selfsown": sample_ours, "generate()": sample_theirs}, len(given), repeat, seed, threads)


def compare_sampling(sides: dict[str, Callable[[int], int]], texts: int, repeat: int, seed: int, threads: int) -> None:
    measurements: dict[str, list[Measurement]] = {side: [] for side in sides}
    counts: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(-1, repeat):
        for side, write in sides.items():
            measurement, tokens = measured(lambda write=write, turn=turn: write(seed + turn + 1), threads)  # type: ignore[misc]
            if turn >= 0:  # the first turn is a warm-up
                measurements[side].append(measurement)
                counts[side].append(tokens)
    rows = [[*row, middle([n / texts for n in counts[row[0]]], ".2f")] for row in rows_of(measurements, counts)]
    table((*TITLES, "tokens per text"), rows)


def job(scale: float, seed: int) -> None:
    generations = max(1, round(scale * Recipe.load("first").generations))
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-m", "selfsown", "run", "first", f"{folder}/run"]
        run += ["--set", f"generations={generations}", "--set", f"seed={seed}", "--set", "control=false"]
        ours, _ = measured(lambda: subprocess.run(run, check=True, stdout=subprocess.DEVNULL))
        last = Path(folder) / "run" / f"generation-{generations:02}" / "generation.json"
        scores = json.loads(last.read_text(encoding="utf-8"))["scores"]
    by_form = {
        score["stratum"].removeprefix("form="): score["value"] for score in scores if score["name"] == "accuracy"
    }
    command = [
        sys.executable,
        "-m",
        "benchmarks.plain_transformers",
        "--generations",
        str(generations),
        "--seed",
        str(seed),
    ]
    theirs, output = measured(lambda: subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"\n## The whole job: `first`, {generations} generations, seed {seed}")
    rows = []
    for side, measurement, accuracy in (
        ("selfsown run first", ours, by_form),
        ("transformers", theirs, json.loads(output)),
    ):
        cells = [
            f"{measurement.seconds:.0f}",
            f"{measurement.cpu:.0f}",
            f"{measurement.seconds / ours.seconds:.2f}",
            f"{measurement.others:.2f}",
        ]
        rows.append([side, *cells, f"{accuracy['induction']:.3f}", f"{accuracy['deduction']:.3f}"])
    table(("", "seconds", "CPU s", "times as long", "cores others used", "induction", "deduction"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeat", type=int, default=5, help="turns of training and sampling on each side")
    parser.add_argument("--steps", type=int, default=300, help="training steps")
    parser.add_argument("--texts", type=int, default=8192, help="texts to sample")
    parser.add_argument("--threads", type=int, default=0, help="of generate(); on a busy machine, 1 does not wait")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the generations of the whole job")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if "training" in args.only:
        training(args.repeat, args.steps, args.seed)
    if "sampling" in args.only:
        sampling(args.repeat, args.texts, args.seed, args.threads)
    if "job" in args.only:
        job(args.scale, args.seed)


if __name__ == "__main__":
    main()
