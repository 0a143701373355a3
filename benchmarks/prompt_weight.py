"""What the weight of prompts in the loss of `sft` changes, on rows of `programs`, with a table.

    python -m benchmarks.prompt_weight
    python -m benchmarks.prompt_weight --weights 1 0.5 0.2 0 --seeds 100 101

The base model of the recipe `first` is trained on further rows, a tenth of the draws from its 1,000 rows, as many steps
with each weight. All rows are right, as those that a verifier kept are.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.engine import table
from selfsown.evaluate import accuracy, loss
from selfsown.models.tiny.model import create
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture
from selfsown.tasks.programs import Task
from selfsown.train import sft

HELD_OUT, REAL, MORE = 1000, 1000, 24_000
REAL_SHARE = 0.1


def scores(weight: float, seed: int, steps: int, batch_size: int, learning_rate: float) -> list[float]:
    """Accuracy of inductions and deductions, and bits per character."""
    recipe = Recipe.load("first")
    task = Task(rows=HELD_OUT + REAL + MORE, levels=recipe.real.options["levels"])
    rows = task.pose(seed)
    held_out, real, more = rows[:HELD_OUT], rows[HELD_OUT : HELD_OUT + REAL], rows[HELD_OUT + REAL :]
    alone = Mixture(real, np.full(REAL, 1 / REAL))
    shares = np.r_[np.full(REAL, REAL_SHARE / REAL), np.full(MORE, (1 - REAL_SHARE) / MORE)]
    model = create(real, seed, **recipe.student.options)
    assert recipe.base_train
    model = sft.train(alone, model, 1, lambda _, __: None, **recipe.base_train.options)
    options = {"steps": steps, "batch_size": batch_size, "learning_rate": learning_rate, "prompt_weight": weight}
    model = sft.train(Mixture([*real, *more], shares), model, 2, lambda _, __: None, **options)
    found = {score.key: score.value for score in accuracy.evaluate(model, held_out, task, by=("form",))}
    (bits,) = loss.evaluate(model, held_out)
    return [found["accuracy[form=induction]"], found["accuracy[form=deduction]"], bits.value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", nargs="+", type=float, default=[1.0, 0.2, 0.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    args = parser.parse_args()
    rows = []
    for weight in args.weights:
        found = [scores(weight, seed, args.steps, args.batch_size, args.learning_rate) for seed in args.seeds]
        rows.append([f"{weight:g}", *(" ".join(f"{value:.3f}" for value in each) for each in zip(*found, strict=True))])
    table(("prompt_weight", "induction", "deduction", "bits per character"), rows)


if __name__ == "__main__":
    main()
