"""How well a recipe's base training fits data of several sizes, against the best of a grid of fixed settings.

    python -m benchmarks.training_length --recipe names --data names.txt
    python -m benchmarks.training_length --recipe names --made products --rows 800
    python -m benchmarks.training_length --recipe lines --data lines.txt --rows 200 800 --seeds 1

Nine tenths of so many texts are trained on, and other texts of the same file are held out. The best fixed setting has
the lowest held-out loss on seed 100; it and the recipe are then measured on the seeds 0, 1, … in bits per
character. A fixed setting has a learning rate that decays over its last third, and no early stopping.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from selfsown.evaluate import loss
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture, Row, Training
from selfsown.train import sft

GRID_SEED, HELD_OUT = 100, 1500
# Steps, batch size and learning rate, by the number of texts from which on they are tried.
GRIDS = {
    0: [
        (30, 32, 0.02),
        (60, 32, 0.02),
        (100, 32, 0.02),
        (200, 32, 0.02),
        (200, 16, 0.02),
        (300, 16, 0.02),
        (100, 32, 0.005),
    ],
    2000: [(200, 64, 0.02), (300, 32, 0.02), (600, 32, 0.01), (600, 32, 0.02)],
    20000: [(1000, 256, 0.02), (2500, 128, 0.02)],
}
FIRST = "Velo Eco Zen Thermo Aero Lumi Nano Flex Terra Hydro Opti Pro Max Ultra Swift Nova Pure Core Vita Sola "
SECOND = "Kit Rack Loop Stand Pack Case Lamp Mug Bag Clip Dock Pad Grip Bottle Frame Light Desk Chair Box Brush "
THIRD = ("", "", "", "", " Plus", " Mini", " 2", " Pro", " XL", " Max", " Lite", " 3", " Air", " S")


def products(count: int, seed: int) -> list[str]:
    """Made-up product names, all different."""
    rng, names = random.Random(seed), dict[str, None]()
    while len(names) < count:
        first, second = rng.choice(FIRST.split()), rng.choice(SECOND.split())
        names[first + rng.choice((" ", second[0].lower() + second[1:], "")) + second + rng.choice(THIRD)] = None
    return list(names)


def texts(source: argparse.Namespace, count: int, seed: int) -> tuple[list[Row], list[Row]]:
    """(rows to train on, held-out rows) of a list of `count` texts."""
    if source.made:
        lines = products(count + HELD_OUT, seed)
    else:
        found = source.data.read_text(encoding="utf-8").splitlines()
        lines = list(dict.fromkeys(line.strip() for line in found if line.strip()))
        random.Random(seed).shuffle(lines)
    rows = [Row("", line) for line in lines]
    real = min(count * 9 // 10, len(rows) * 9 // 10)
    return rows[:real], rows[real : real + HELD_OUT]


def measured(source: argparse.Namespace, count: int, seed: int, **options: Any) -> tuple[float, float, Training]:
    """(held-out loss, CPU seconds, what was done) of the recipe's student after training with these options."""
    real, held_out = texts(source, count, seed)
    student = Recipe.load(source.recipe, ["real=programs"]).student(rows=real, seed=seed)
    done: list[Training] = []
    began = time.process_time()
    model = sft.train(
        Mixture(real, np.ones(len(real))), student, seed + 1, lambda step, of: None, done.append, **options
    )
    seconds = time.process_time() - began
    (score,) = loss.evaluate(model, held_out)
    return score.value, seconds, done[0]


def fixed(setting: tuple[int, int, float]) -> dict[str, Any]:
    steps, batch, rate = setting
    return {"steps": steps, "batch_size": batch, "learning_rate": rate, "embedding_learning_rate": 0.15 * rate}


def line(source: argparse.Namespace, count: int) -> str:
    """One line of the table."""
    grid = GRIDS[max(least for least in GRIDS if least <= count)]
    best = min(grid, key=lambda setting: measured(source, count, GRID_SEED, **fixed(setting))[0])
    options = dict((Recipe.load(source.recipe, ["real=programs"]).base_train or _none()).options)
    theirs = [measured(source, count, seed, **fixed(best)) for seed in range(source.seeds)]
    ours = [measured(source, count, seed, **options) for seed in range(source.seeds)]
    ratio = statistics.fmean(one[0] / other[0] for one, other in zip(ours, theirs, strict=True))
    cells = [
        f"{count:,}",
        f"{best[0]} × {best[1]} at {best[2]:g}",
        " ".join(f"{value:.3f}" for value, _, _ in theirs),
        " ".join(f"{value:.3f}" for value, _, _ in ours),
        f"{100 * (ratio - 1):+.1f} %",
        ", ".join(f"{done.steps} ({done.epochs:.1f})" for _, _, done in ours),
        f"{statistics.fmean(seconds for _, seconds, _ in ours):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _none() -> Any:
    raise SystemExit("the recipe has no base_train")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="names")
    parser.add_argument("--data", type=Path, help="a text a line")
    parser.add_argument("--made", choices=["products"], help="made-up texts instead of a file")
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 800, 3000, 32000])
    parser.add_argument("--seeds", type=int, default=3)
    source = parser.parse_args()
    if not source.made and not source.data:
        parser.error("name a file of texts with --data FILE, or --made products")
    heads = ["texts", "best fixed", "its loss", "the recipe's loss", "difference", "steps (epochs)", "CPU s"]
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for count in source.rows:
        print(line(source, count), flush=True)


if __name__ == "__main__":
    main()
