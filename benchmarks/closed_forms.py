"""The loop compared with theory: what its policies do to toy generators, and what closed forms predict.

    python -m benchmarks.closed_forms              # all, a few minutes
    python -m benchmarks.closed_forms --quick      # with fewer chains

Each line is measured by real runs of the loop, with its own `mix`, `curate` and bookkeeping, on the generators of
benchmarks/toy_generators.py. z: the difference between measured and expected, in standard errors.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation
from selfsown.stats import closed_forms as known

HERE = Path(__file__).parent
ACCUMULATE: dict[str, Any] = {"accumulate": {"real_share": 0.0}}
METHOD = "./toy_generators.py"


@dataclass(frozen=True)
class Result:
    """One measure: the expected and the measured value, and its standard error."""

    what: str
    expected: float
    measured: float
    error: float

    @property
    def z(self) -> float:
        difference = self.measured - self.expected
        if self.error:
            return difference / self.error
        return math.copysign(math.inf, difference) if difference else 0.0


def run_loop(task: dict[str, Any], fits: int, mix: Any = "replace", seed: int = 0, **recipe: Any) -> list[Generation]:
    """The generations of one run: the first is fitted to real rows; `fits` in total."""
    generate_options = {"count": task["rows"]} | recipe.pop("generate_options", {})
    train_options = {"kind": task.get("kind", "normal")} | recipe.pop("train_options", {})
    tree = {
        "name": "toy",
        "real": {METHOD: task},
        "held_out": 10,
        "seed": seed,
        "student": METHOD,
        "generations": fits - 1,
        "generate": [{METHOD: generate_options}],
        "mix": mix,
        "train": {METHOD: train_options},
        "evaluate": [METHOD],
        "goal": "spread",
        "rollback": False,
        **recipe,
    }
    with tempfile.TemporaryDirectory() as folder:
        return run(Recipe.of(tree, HERE), Path(folder) / "run")


def measured(what: str, expected: float, generation: Generation, name: str) -> Result:
    """A mean over chains."""
    score = generation.score(name)
    assert score
    return Result(what, expected, score.value, (score.high - score.low) / (2 * 1.959964))


def over(what: str, expected: float, values: Sequence[float]) -> Result:
    """A mean over runs of one chain."""
    return Result(what, expected, float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)))


def spread(chains: int) -> Iterator[Result]:
    """A1 to A3: a normal distribution fitted to its own samples."""
    n = 100
    task = {"rows": n, "chains": chains}
    replaced = run_loop(task, 50)
    for t in (1, 10, 50):
        yield measured(f"variance, replaced, t = {t}", known.retained(n, t), replaced[t - 1], "spread")
    for t in (1, 10):
        yield measured(f"drift of the mean, replaced, t = {t}", 1 - known.retained(n, t), replaced[t - 1], "drift")
    free = run_loop(task, 10, train_options={"unbiased": True})
    yield measured("log variance, unbiased, t = 10", known.log_variance(n, 10), free[-1], "logarithm")
    yield measured("variance, unbiased, t = 10", 1.0, free[-1], "spread")
    kept = run_loop(task, 10, ACCUMULATE)
    yield measured("variance, accumulated, t = 10", known.retained(n, 10, True), kept[-1], "spread")
    yield measured("drift, accumulated, t = 10", 1 - known.retained(n, 10, True), kept[-1], "drift")
    few = run_loop({"rows": 30, "chains": chains}, 10, ACCUMULATE, train_options={"sample": 30})
    yield measured("variance, 30 of all that accumulated, t = 10", known.subsampled(30, 10), few[-1], "spread")


def regression(chains: int) -> Iterator[Result]:
    """B1 and B2: least squares on what the previous model generated."""
    task = {"kind": "line", "rows": 100, "chains": chains}
    replaced, kept = run_loop(task, 5), run_loop(task, 5, ACCUMULATE)
    for t in (1, 5):
        yield measured(f"error, replaced, t = {t}", known.regression_error(10, 100, 1, t), replaced[t - 1], "error")
    yield measured("error, accumulated, t = 5", known.regression_error(10, 100, 1, 5, True), kept[-1], "error")


def kinds(chains: int) -> Iterator[Result]:
    """C1 to C3: a thousand kinds, by rank."""
    n, shares = 2000, [1 / rank for rank in range(1, 1001)]
    shares = [share / sum(shares) for share in shares]
    task = {"kind": "kinds", "rows": n, "chains": chains}
    replaced = run_loop(task, 10)
    simpson = 1 - sum(share**2 for share in shares)
    yield measured("kinds in a real sample", known.kinds_seen(shares, n), replaced[0], "seen")
    for t in (1, 3, 9):
        yield measured(f"single kinds lost, replaced, t = {t}", known.forgotten(t), replaced[t], "lost")
    yield measured("Gini-Simpson, replaced, t = 10", simpson * known.retained(n, 10), replaced[-1], "spread")
    kept = run_loop(task, 10, ACCUMULATE)
    yield measured("Gini-Simpson, accumulated, t = 10", simpson * known.retained(n, 10, True), kept[-1], "spread")


def shares(chains: int) -> Iterator[Result]:
    """H and H2: 10, 30 or 50 of 100 rows are real, new in each generation or always the same; the rest is from the last
    generation."""
    for real in (10, 30, 50):
        history = run_loop({"rows": 100, "chains": chains}, 30, generate_options={"count": 100, "fresh": real})
        expected = known.excess_error(real / 100, fresh=True, n=100 - real) / 100
        yield measured(f"drift at rest, {real} % fresh real rows", expected, history[-1], "drift")
    for real in (30, 50):
        task = {"rows": real, "chains": chains}
        history = run_loop(task, 15, {"replace": {"real_share": real / 100}}, generate_options={"count": 100 - real})
        expected = known.excess_error(real / 100, fresh=False) / 100
        yield measured(f"drift at rest, {real} % the same real rows", expected, history[-1], "drift")


def bias(runs: int, rows: int = 4000) -> Iterator[Result]:
    """E1 to E3: temperature, and a verifier that favours the first of two kinds, over ten generations."""
    task = {"kind": "kinds", "rows": rows, "chains": 1, "kinds": 2, "shares": [0.6, 0.4]}
    train_options = {"kinds": 2}
    cool = run_loop(task | {"chains": 100}, 11, train_options=train_options, generate_options={"temperature": 0.9})
    yield measured("share at temperature 0.9, replaced", known.sharpened(0.6, 0.9, 10), cool[-1], "first")
    unfair: dict[str, Any] = {"grade": [{METHOD: {"right": 1.0, "wrong": 1 / 1.25}}], "curate": ["min_score"]}
    final = [_first(run_loop(task, 11, seed=seed, train_options=train_options, **unfair)) for seed in range(runs)]
    yield over("share, favoured 1.25 times, replaced", known.favoured(0.6, 1.25, 10), final)
    kept = [_first(run_loop(task, 11, ACCUMULATE, seed, train_options=train_options, **unfair)) for seed in range(runs)]
    yield over("share, favoured 1.25 times, accumulated", _accumulated(0.6, 1.25, 10), kept)


def verifiers(runs: int, rows: int = 4000) -> Iterator[Result]:
    """F1 and F2: wrong labels that a verifier passes, and a model that forgets 3 % per generation but is verified."""
    right, wrong = 0.9, 0.3
    for noise, side in ((known.tolerable_noise(right, wrong) + off, off) for off in (-0.05, 0.05)):
        task = {"kind": "kinds", "rows": rows, "chains": 1, "kinds": 2, "shares": [1 - noise, noise]}
        filtered: dict[str, Any] = {"grade": [{METHOD: {"right": right, "wrong": wrong}}], "curate": ["min_score"]}
        final = [
            _first(run_loop(task, 2, seed=seed, train_options={"kinds": 2}, **filtered)) for seed in range(5 * runs)
        ]
        where = f"{noise:.0%} wrong labels, {'below' if side < 0 else 'above'} the threshold at {noise - side:.0%}"
        yield over(f"right ones that pass, {where}", known.favoured(1 - noise, right / wrong, 1), final)
        yield over(f"models that learn the right label, {where}", float(side < 0), [float(end > 0.5) for end in final])
    task = {"kind": "kinds", "rows": rows, "chains": 1, "kinds": 2, "shares": [0.97, 0.03]}
    for wrong in (0.05, 0.5):
        checked: dict[str, Any] = {"grade": [{METHOD: {"right": 1.0, "wrong": wrong}}], "curate": ["min_score"]}
        train_options = {"kinds": 2, "forgets": 0.03}
        final = [
            _first(run_loop(task, 9, seed=seed, train_options=train_options, **checked)) for seed in range(2 * runs)
        ]
        yield over(f"accuracy at rest, wrong rows pass {wrong:g} times as often", known.settled(0.03, wrong), final)


def _first(generations: Sequence[Generation]) -> float:
    score = generations[-1].score("first")
    assert score
    return score.value


def _accumulated(share: float, odds: float, t: int) -> float:
    """The exact recursion of means, if the verified rows of each generation join the pool."""
    first, other = share, 1 - share
    for _ in range(t):
        source = first / (first + other)
        first, other = first + source, other + (1 - source) / odds
    return first / (first + other)


def all_results(quick: bool = False) -> Iterator[Result]:
    """All lines, each as soon as it is measured."""
    factor = 0.05 if quick else 1.0
    rows = 1000 if quick else 4000
    yield from spread(int(4000 * factor))
    yield from regression(int(2000 * factor))
    yield from kinds(int(200 * factor))
    yield from shares(int(4000 * factor))
    yield from bias(4, rows)
    yield from verifiers(4, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="with a twentieth of the chains, and a quarter of the rows"
    )
    print("| what | expected | measured | z |\n|---|---|---|---|")
    deviating = 0
    for result in all_results(parser.parse_args().quick):
        deviating += abs(result.z) > 4
        print(f"| {result.what} | {result.expected:.4f} | {result.measured:.4f} | {result.z:+.1f} |", flush=True)
    sys.exit(bool(deviating))


if __name__ == "__main__":
    main()
