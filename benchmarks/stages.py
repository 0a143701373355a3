"""Where the time of a run goes: CPU and wall seconds of each stage, and what the generations scored.

    python -m benchmarks.stages
    python -m benchmarks.stages --seed 100 --set control=false generations=5 train.sft.steps=220

Stages of the control are counted apart. Accuracies are of all held-out rows, both halves.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.engine import table
from selfsown.callbacks import Callbacks
from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation


class Clock(Callbacks):
    """CPU and wall seconds by stage."""

    def __init__(self) -> None:
        self.cpu: Counter[str] = Counter()
        self.wall: Counter[str] = Counter()
        self.prefix, self.name, self.began = "", "", 0.0

    def begin(self, generation: int, stage: str) -> None:
        self.name = f"{self.prefix}{stage}" if generation else f"{stage} of generation 0"
        self.began = time.process_time()

    def end(self, rows: int, seconds: float) -> None:
        self.cpu[self.name] += time.process_time() - self.began
        self.wall[self.name] += seconds

    def control(self, trainings: int) -> None:
        self.prefix = "control, "


def pooled(generation: Generation, key: str) -> float:
    """A score over both halves of the held-out rows; not a number where neither has it."""
    scores = [score for half in (generation.scores, generation.validation_scores) for score in half if score.key == key]
    count = sum(score.n for score in scores)
    return sum(score.value * score.n for score in scores) / count if count else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], dest="changes", metavar="KEY=VALUE")
    args = parser.parse_args()
    recipe, clock = Recipe.load(args.recipe, [f"seed={args.seed}", *args.changes]), Clock()
    cpu, wall = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        history = run(recipe, Path(folder) / "run", clock)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rows = [
        [stage, f"{seconds:.1f}", f"{clock.wall[stage]:.1f}", f"{seconds / cpu:.0%}"]
        for stage, seconds in clock.cpu.most_common()
    ]
    print(f"## {args.recipe}, seed {args.seed} {' '.join(args.changes)}")
    table(("stage", "CPU s", "seconds", "of all CPU"), [*rows, ["all", f"{cpu:.1f}", f"{wall:.1f}", "100%"]])
    keys = sorted({score.key for score in history[0].scores if "form+" not in score.key and "," not in score.key})
    table(
        ("generation", *keys),
        [[str(generation.number), *(f"{pooled(generation, key):.3f}" for key in keys)] for generation in history],
    )


if __name__ == "__main__":
    main()
