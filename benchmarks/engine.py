"""Measure the embedded engine beside the usual libraries, by turns in one run, and print markdown tables.

    python benchmarks/engine.py
    python benchmarks/engine.py --only training sampling --repeat 3
    python benchmarks/engine.py --only job --scale 0.17

docs/engine.md says what stands beside it, and why that is fair.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
import torch
import usual

from selfsown.holdout import split
from selfsown.models import SamplingParams
from selfsown.models.tiny.model import Tiny, create
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture, Row
from selfsown.tasks.programs import Task
from selfsown.train.sft import train

Result = TypeVar("Result")
PARTS = ("training", "sampling", "job")
ROWS, HELD_OUT = 22_000, 2_000  # more than the recipe's own: nothing is learned by heart while we measure
BATCH = 64
RATES = (0.001, 0.002, 0.003, 0.005, 0.01)  # of AdamW, tried before anything is timed
LONGER = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0)  # as many steps, tried for an equal loss
BASE_STEPS = 200
BUSY = 0.2  # cores that other programs keep busy, above which a measurement is marked
THREADS = torch.get_num_threads()


@dataclass(frozen=True)
class Lap:
    """What one piece of work took, and how many cores other programs kept busy meanwhile."""

    seconds: float
    cpu: float
    others: float


def measured(work: Callable[[], Result]) -> tuple[Lap, Result]:
    torch.set_num_threads(THREADS)
    busy, mine, start = *_cpu(), time.perf_counter()
    found = work()
    seconds = time.perf_counter() - start
    busy_after, mine_after = _cpu()
    cpu = mine_after - mine
    return Lap(seconds, cpu, max(0.0, busy_after - busy - cpu) / seconds), found


def _cpu() -> tuple[float, float]:
    """CPU seconds so far: the whole machine's, and ours with those of children that have ended."""
    whole = psutil.cpu_times()._asdict()
    free = ("idle", "iowait", "guest", "guest_nice")  # a guest's time stands under user, too
    return sum(value for name, value in whole.items() if name not in free), sum(os.times()[:4])


def middle(values: Sequence[float], form: str = ",.0f") -> str:
    """Median and range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} – {high:{form}})"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print("\n| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def rows_of(laps: dict[str, list[Lap]], counts: dict[str, list[float]]) -> list[list[str]]:
    """For each side: tokens per second, those per CPU second, and how much faster the first side was, lap by lap."""
    speeds = {side: [n / lap.seconds for n, lap in zip(counts[side], laps[side], strict=True)] for side in laps}
    per_cpu = {side: [n / lap.cpu for n, lap in zip(counts[side], laps[side], strict=True)] for side in laps}
    ours = next(iter(speeds.values()))
    found = []
    for side, speed in speeds.items():
        ratios = [a / b for a, b in zip(ours, speed, strict=True)]
        pairs = zip(ratios, next(iter(laps.values())), laps[side], strict=True)
        quiet = [ratio for ratio, *both in pairs if all(lap.others <= BUSY for lap in both)]
        alone = f"{middle(quiet, '.2f')}, {len(quiet)} of {len(ratios)}" if quiet else f"none of {len(ratios)}"
        found.append([side, middle(speed), middle(per_cpu[side]), middle(ratios, ".2f"), alone])
    return found


TITLES = ("", "tokens/s", "tokens per CPU second", "ours is faster by", "the same, machine to ourselves")


@dataclass(frozen=True)
class Ground:
    """What training is measured on: the same rows, the same untrained model, as many steps."""

    mixture: Mixture
    held_out: list[Row]
    start: Tiny
    steps: int

    @classmethod
    def of(cls, steps: int, seed: int) -> Ground:
        recipe = Recipe.load("first", [f"seed={seed}"])
        levels = recipe.real.options["levels"]
        real, held_out = split(Task(rows=ROWS, levels=levels).pose(seed), HELD_OUT, seed, "programs")
        student = create(real, seed, **recipe.student.options)
        return cls(Mixture(real, np.full(len(real), 1 / len(real))), held_out, student, steps)

    def ours(self) -> Tiny:
        rate = Recipe.load("first").train.knobs["rate"]
        return train(
            self.mixture, self.start, 0, lambda _, __: None, steps=self.steps, batch_size=BATCH, learning_rate=rate
        )

    def plain(self, rate: float, steps: int = 0) -> tuple[Lap, float]:
        """A plain loop, timed, and its loss on held-out rows."""
        found = usual.Usual(self.start)
        how: dict[str, Any] = {"steps": steps or self.steps, "batch": BATCH, "rate": rate}
        lap, _ = measured(lambda: found.learn(self.mixture, 0, **how))
        return lap, found.bits(self.held_out)

    def trl(self, rate: float) -> tuple[Lap, float]:
        """TRL's trainer, timed without what it prepares before it starts."""
        found = usual.Usual(self.start)
        with tempfile.TemporaryDirectory() as folder:
            trainer = found.trainer(self.mixture, 0, folder, steps=self.steps, batch=BATCH, rate=rate)
            lap, _ = measured(trainer.train)
        return lap, found.bits(self.held_out)


def training(repeat: int, steps: int, seed: int) -> None:
    ground = Ground.of(steps, seed)
    ground.ours()  # warms up
    losses = {rate: ground.plain(rate)[1] for rate in RATES}
    best = min(losses, key=losses.__getitem__)
    sides = ("selfsown", "plain loop", "TRL")
    laps: dict[str, list[Lap]] = {side: [] for side in sides}
    ends: dict[str, float] = {}
    for _ in range(repeat):
        lap, child = measured(ground.ours)
        bits, characters = zip(*child.bits(ground.held_out), strict=True)
        found = [(lap, sum(bits) / sum(characters)), ground.plain(best), ground.trl(best)]
        for side, (lap, ends[side]) in zip(sides, found, strict=True):
            laps[side].append(lap)
    mean = statistics.mean(map(len, ground.start.encode(ground.mixture.rows)))
    counts = {side: [steps * BATCH * mean] * repeat for side in sides}
    print(f"\n## Training: {steps} steps of {BATCH} rows, {mean:.1f} tokens each")
    rows = [[*row, f"{ends[row[0]]:.3f}"] for row in rows_of(laps, counts)]
    table((*TITLES, "bits per character, held out"), rows)
    tried = ", ".join(f"{rate:g}: {loss:.3f}" for rate, loss in losses.items())
    print(f"\nAdamW's rate is {best:g}, the best of these: {tried}.")
    print(equal(ground, best, ends["selfsown"]))


def equal(ground: Ground, rate: float, wanted: float) -> str:
    """How long the plain loop takes to reach our loss, each number of steps with a schedule of its own."""
    for times in LONGER:
        ours, _ = measured(ground.ours)  # by turns here too: the machine may have changed since
        lap, loss = ground.plain(rate, round(times * ground.steps))
        if loss <= wanted:
            took = f"{lap.seconds:.1f} s against {ours.seconds:.1f} s, {lap.seconds / ours.seconds:.2f} times as long"
            shared = f"cores that others used: {lap.others:.2f} and {ours.others:.2f}"
            return f"Equal loss: the plain loop needs {times:g} times the steps (loss {loss:.3f}): {took} ({shared})."
    return f"The plain loop does not reach our loss in {LONGER[-1]:g} times the steps; it ends at {loss:.3f}."


def sampling(repeat: int, texts: int, seed: int) -> None:
    ground = Ground.of(BASE_STEPS, seed)
    tiny = ground.ours()
    theirs = usual.Usual(tiny)
    rng = random.Random(seed)
    openings = [str(rng.randint(1, 2)) for _ in range(texts)]

    def by_us(seed: int) -> int:
        replies = tiny.complete(openings, SamplingParams(temperature=1.0, seed=seed, continue_prompt=True))
        return sum(reply.tokens for (reply,) in replies)

    def by_them(seed: int) -> int:
        torch.manual_seed(seed)
        return sum(map(len, theirs.write([f"<bos>{opening}" for opening in openings], draw=True)))

    sides = {"selfsown": by_us, "generate()": by_them}
    laps: dict[str, list[Lap]] = {side: [] for side in sides}
    counts: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(-1, repeat):
        for side, write in sides.items():
            lap, tokens = measured(lambda write=write, turn=turn: write(seed + turn + 1))  # type: ignore[misc]
            if turn >= 0:  # the turn before only warms up
                laps[side].append(lap)
                counts[side].append(tokens)
    print(f"\n## Sampling: {texts:,} texts, {usual.TOGETHER} at a time")
    rows = [[*row, middle([n / texts for n in counts[row[0]]], ".2f")] for row in rows_of(laps, counts)]
    table((*TITLES, "tokens a text"), rows)


def job(scale: float, seed: int) -> None:
    generations = max(1, round(scale * Recipe.load("first").generations))
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-m", "selfsown", "run", "first", f"{folder}/run"]
        run += ["--set", f"generations={generations}", "--set", f"seed={seed}"]
        ours, _ = measured(lambda: subprocess.run(run, check=True, stdout=subprocess.DEVNULL))
        last = Path(folder) / "run" / f"generation-{generations:02}" / "generation.json"
        scores = json.loads(last.read_text(encoding="utf-8"))["scores"]
    by_form = {score["group"].removeprefix("form="): score["value"] for score in scores if score["name"] == "accuracy"}
    way = [sys.executable, usual.__file__, "--generations", str(generations), "--seed", str(seed)]
    theirs, said = measured(lambda: subprocess.run(way, check=True, capture_output=True, text=True).stdout)
    print(f"\n## The whole job: `first`, {generations} generations, seed {seed}")
    rows = []
    for side, lap, right in (("selfsown run first", ours, by_form), ("the usual way", theirs, json.loads(said))):
        took = [f"{lap.seconds:.0f}", f"{lap.cpu:.0f}", f"{lap.seconds / ours.seconds:.2f}", f"{lap.others:.2f}"]
        rows.append([side, *took, f"{right['induction']:.3f}", f"{right['deduction']:.3f}"])
    table(("", "seconds", "CPU s", "times as long", "cores others used", "induction", "deduction"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeat", type=int, default=5, help="laps of training and sampling on each side")
    parser.add_argument("--steps", type=int, default=300, help="of training")
    parser.add_argument("--texts", type=int, default=8192, help="written by sampling")
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the whole job's generations")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if "training" in given.only:
        training(given.repeat, given.steps, given.seed)
    if "sampling" in given.only:
        sampling(given.repeat, given.texts, given.seed)
    if "job" in given.only:
        job(given.scale, given.seed)


if __name__ == "__main__":
    main()
