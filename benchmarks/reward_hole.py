"""GRPO against a grader with a hole, and against one without.

    python -m benchmarks.reward_hole

An embedded model learns sums from rows such as "47+85=" with the answer "132"; half of them show their work,
"47+85=132", and one in fifty leaves it at that: "47+85". Then it is trained on its own answers to other sums, with the
grade of `math_equal` as the reward. "Old" is math_equal without `selfsown.text.computations`: it accepted any
expression of the right value. An answer that GRPO samples counts as right if it ends with the sum, and as a copy if it
states the computation alone.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from selfsown.grade import math_equal
from selfsown.models.tiny.model import Tiny, create
from selfsown.records import Mixture, Row
from selfsown.train import grpo, sft

DIGITS, REAL_ROWS, PROMPTS = 2, 1500, 4000
UPDATES = 2  # on the same answers
QUARTERS = 4
RULE = "selfsown.grade.math_equal.leaves_computation"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--base-steps", type=int, default=600)
    args = parser.parse_args()
    print("share of right answers / of copies, among those sampled in each quarter of the training")
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        real, prompts = sums(seed)
        student = create(real, seed=seed)
        base = sft.train(all_alike(real), student, seed, ignore, steps=args.base_steps, answers_only=True)
        for name in ("old", "new"):
            quarters = train(base, prompts, seed, args.steps, old=name == "old")
            print(
                f"seed {seed} {name}",
                *(f"{right:.2f} / {copied:.2f}" for right, copied in quarters),
                sep="   ",
                flush=True,
            )


def sums(seed: int) -> tuple[list[Row], list[Row]]:
    """Real rows with answers in both forms, and rows with other sums to answer."""
    rng, rows = random.Random(seed), dict[str, Row]()
    while len(rows) < REAL_ROWS + PROMPTS:
        one, two = (rng.randrange(10 ** (DIGITS - 1), 10**DIGITS) for _ in range(2))
        result = str(one + two)
        copy = f"{one}+{two}"
        (answer,) = rng.choices([result, f"{copy}={result}", copy], [0.49, 0.49, 0.02])
        rows[f"{one}+{two}="] = Row(f"{one}+{two}=", answer, target=result)
    return list(rows.values())[:REAL_ROWS], list(rows.values())[REAL_ROWS:]


def all_alike(rows: Sequence[Row]) -> Mixture:
    return Mixture(rows, np.ones(len(rows)))


def ignore(*_: object) -> None:
    pass


def train(base: Tiny, prompts: Sequence[Row], seed: int, steps: int, *, old: bool) -> list[tuple[float, float]]:
    """The shares of right answers and of copies among those that GRPO sampled, in each quarter of the training."""
    answers = list[Row]()

    def graded(rows: Sequence[Row]) -> list[Row]:
        answers.extend(rows)
        with patch(RULE, return_value=False) if old else nullcontext():
            grades = math_equal.grade(rows)
            return [
                row if row.status else replace(row, grades=(grade,)) for row, grade in zip(rows, grades, strict=True)
            ]

    grpo.train(all_alike(prompts), base, seed, ignore, graded, steps=steps, updates_per_group=UPDATES)
    quarters = np.array_split(np.arange(len(answers)), QUARTERS)
    return [shares([answers[index] for index in quarter]) for quarter in quarters]


def shares(rows: Sequence[Row]) -> tuple[float, float]:
    """Of answers: the share that ends with the right sum, and the share of copies of the computation."""
    right = sum(row.answer.rpartition("=")[2] == row.target for row in rows)
    copied = sum(row.answer in (row.prompt, row.prompt[:-1]) for row in rows)
    return right / len(rows), copied / len(rows)


if __name__ == "__main__":
    main()
