"""The loop against theory: what its own policies do to toy generators, beside what closed forms say they must.

    python -m benchmarks.closed_forms              # all, a few minutes
    python -m benchmarks.closed_forms --quick      # with fewer chains

Each line is measured by real runs of the loop, with its own `mix`, `curate` and bookkeeping; benchmarks/toy_generators.py has
the toys. z is how many standard errors what was measured lies from what was expected.
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
WAY = "./chains.py"


@dataclass(frozen=True)
class Line:
    """One measure: what was expected, what came out, its standard error."""

    what: str
    expected: float
    measured: float
    error: float

    @property
    def z(self) -> float:
        off = self.measured - self.expected
        return off / self.error if self.error else math.copysign(math.inf, off) if off else 0.0


def course(world: dict[str, Any], t: int, mix: Any = "replace", seed: int = 0, **more: Any) -> list[Generation]:
    """The generations of one run: the first is fitted to real rows, `t` fits in all."""
    writes = {"count": world["rows"]} | more.pop("writes", {})
    learns = {"kind": world.get("kind", "normal")} | more.pop("learns", {})
    tree = {
        "name": "chains",
        "real": {WAY: world},
        "held_out": 10,
        "seed": seed,
        "student": WAY,
        "generations": t - 1,
        "generate": [{WAY: writes}],
        "mix": mix,
        "train": {WAY: learns},
        "evaluate": [WAY],
        "goal": "spread",
        "rollback": False,
        **more,
    }
    with tempfile.TemporaryDirectory() as folder:
        return run(Recipe.of(tree, HERE), Path(folder) / "run")


def measured(what: str, expected: float, found: Generation, name: str) -> Line:
    """A mean over chains."""
    score = found.score(name)
    assert score
    return Line(what, expected, score.value, (score.high - score.low) / (2 * 1.959964))


def over(what: str, expected: float, values: Sequence[float]) -> Line:
    """A mean over runs of one chain."""
    return Line(what, expected, float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values)))


def spread(chains: int) -> Iterator[Line]:
    """A1 to A3: a normal distribution fitted to its own samples."""
    n = 100
    world = {"rows": n, "chains": chains}
    replaced = course(world, 50)
    for t in (1, 10, 50):
        yield measured(f"variance, replaced, t = {t}", known.retained(n, t), replaced[t - 1], "spread")
    for t in (1, 10):
        yield measured(f"drift of the mean, replaced, t = {t}", 1 - known.retained(n, t), replaced[t - 1], "drift")
    free = course(world, 10, learns={"unbiased": True})
    yield measured("log variance, unbiased, t = 10", known.log_variance(n, 10), free[-1], "logarithm")
    yield measured("variance, unbiased, t = 10", 1.0, free[-1], "spread")
    kept = course(world, 10, ACCUMULATE)
    yield measured("variance, accumulated, t = 10", known.retained(n, 10, True), kept[-1], "spread")
    yield measured("drift, accumulated, t = 10", 1 - known.retained(n, 10, True), kept[-1], "drift")
    few = course({"rows": 30, "chains": chains}, 10, ACCUMULATE, learns={"few": 30})
    yield measured("variance, 30 of all that accumulated, t = 10", known.subsampled(30, 10), few[-1], "spread")


def lines(chains: int) -> Iterator[Line]:
    """B1 and B2: least squares on what its predecessor wrote."""
    world = {"kind": "line", "rows": 100, "chains": chains}
    replaced, kept = course(world, 5), course(world, 5, ACCUMULATE)
    for t in (1, 5):
        yield measured(f"error, replaced, t = {t}", known.regression_error(10, 100, 1, t), replaced[t - 1], "error")
    yield measured("error, accumulated, t = 5", known.regression_error(10, 100, 1, 5, True), kept[-1], "error")


def kinds(chains: int) -> Iterator[Line]:
    """C1 to C3: a thousand kinds, by rank."""
    n, shares = 2000, [1 / at for at in range(1, 1001)]
    shares = [each / sum(shares) for each in shares]
    world = {"kind": "kinds", "rows": n, "chains": chains}
    replaced = course(world, 10)
    simpson = 1 - sum(each**2 for each in shares)
    yield measured("kinds in a real sample", known.kinds_seen(shares, n), replaced[0], "seen")
    for t in (1, 3, 9):
        yield measured(f"single kinds lost, replaced, t = {t}", known.forgotten(t), replaced[t], "lost")
    yield measured("Gini-Simpson, replaced, t = 10", simpson * known.retained(n, 10), replaced[-1], "spread")
    kept = course(world, 10, ACCUMULATE)
    yield measured("Gini-Simpson, accumulated, t = 10", simpson * known.retained(n, 10, True), kept[-1], "spread")


def shares(chains: int) -> Iterator[Line]:
    """H and H2: of 100 rows 10, 30 or 50 real ones, new in each generation or always the same; the rest is the last
    generation's."""
    for real in (10, 30, 50):
        found = course({"rows": 100, "chains": chains}, 30, writes={"count": 100, "fresh": real})
        expected = known.excess_error(real / 100, fresh=True, n=100 - real) / 100
        yield measured(f"drift at rest, {real} % fresh real rows", expected, found[-1], "drift")
    for real in (30, 50):
        world = {"rows": real, "chains": chains}
        found = course(world, 15, {"replace": {"real_share": real / 100}}, writes={"count": 100 - real})
        expected = known.excess_error(real / 100, fresh=False) / 100
        yield measured(f"drift at rest, {real} % the same real rows", expected, found[-1], "drift")


def bias(runs: int) -> Iterator[Line]:
    """E1 to E3: temperature, and a verifier that favours the first of two kinds, over ten generations."""
    world = {"kind": "kinds", "rows": 4000, "chains": 1, "kinds": 2, "shares": [0.6, 0.4]}
    learns = {"kinds": 2}
    cool = course(world | {"chains": 100}, 11, learns=learns, writes={"temperature": 0.9})
    yield measured("share at temperature 0.9, replaced", known.sharpened(0.6, 0.9, 10), cool[-1], "first")
    unfair: dict[str, Any] = {"grade": [{WAY: {"right": 1.0, "wrong": 1 / 1.25}}], "curate": ["min_score"]}
    taken = [_first(course(world, 11, seed=at, learns=learns, **unfair)) for at in range(runs)]
    yield over("share, favoured 1.25 times, replaced", known.favoured(0.6, 1.25, 10), taken)
    kept = [_first(course(world, 11, ACCUMULATE, at, learns=learns, **unfair)) for at in range(runs)]
    yield over("share, favoured 1.25 times, accumulated", _accumulated(0.6, 1.25, 10), kept)


def verifiers(runs: int) -> Iterator[Line]:
    """F1 and F2: wrong labels that a verifier lets pass, and a model that forgets 3 % a generation, held up by one."""
    right, wrong = 0.9, 0.3
    for noise, side in ((known.tolerable_noise(right, wrong) + off, off) for off in (-0.05, 0.05)):
        labels = {"kind": "kinds", "rows": 4000, "chains": 1, "kinds": 2, "shares": [1 - noise, noise]}
        filtered: dict[str, Any] = {"grade": [{WAY: {"right": right, "wrong": wrong}}], "curate": ["min_score"]}
        ends = [_first(course(labels, 2, seed=at, learns={"kinds": 2}, **filtered)) for at in range(5 * runs)]
        where = f"{noise:.0%} wrong labels, {'below' if side < 0 else 'above'} the break at {noise - side:.0%}"
        yield over(f"right ones that pass, {where}", known.favoured(1 - noise, right / wrong, 1), ends)
        yield over(f"models that learn what is right, {where}", float(side < 0), [float(end > 0.5) for end in ends])
    world = {"kind": "kinds", "rows": 4000, "chains": 1, "kinds": 2, "shares": [0.97, 0.03]}
    for wrong in (0.05, 0.5):
        checked: dict[str, Any] = {"grade": [{WAY: {"right": 1.0, "wrong": wrong}}], "curate": ["min_score"]}
        learns = {"kinds": 2, "forgets": 0.03}
        ends = [_first(course(world, 15, seed=at, learns=learns, **checked)) for at in range(runs)]
        yield over(f"accuracy at rest, wrong rows pass {wrong:g} times as often", known.settled(0.03, wrong), ends)


def _first(generations: Sequence[Generation]) -> float:
    score = generations[-1].score("first")
    assert score
    return score.value


def _accumulated(share: float, odds: float, t: int) -> float:
    """The exact recursion of means, where what the verifier passes of each generation joins the pool, by its size."""
    first, other = share, 1 - share
    for _ in range(t):
        source = first / (first + other)
        first, other = first + source, other + (1 - source) / odds
    return first / (first + other)


def every(quick: bool = False) -> Iterator[Line]:
    """All lines, each as soon as it is measured."""
    many = 0.1 if quick else 1.0
    yield from spread(int(4000 * many))
    yield from lines(int(2000 * many))
    yield from kinds(int(200 * many))
    yield from shares(int(4000 * many))
    yield from bias(4)
    yield from verifiers(4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="with a tenth of the chains")
    print("| what | expected | measured | z |\n|---|---|---|---|")
    far = 0
    for line in every(parser.parse_args().quick):
        far += abs(line.z) > 4
        print(f"| {line.what} | {line.expected:.4f} | {line.measured:.4f} | {line.z:+.1f} |", flush=True)
    sys.exit(bool(far))


if __name__ == "__main__":
    main()
