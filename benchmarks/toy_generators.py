"""Toy generators whose evolution is known in closed form, as custom methods: task, student, trainer and so on.

Thousands of chains go through one loop: a row holds one draw of each. The fit is exact, by weighted maximum likelihood
with the weights of the loop's mixture, so that only the loop's bookkeeping and its policies are tested.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from selfsown.records import Grade, Mixture, Row, Score
from selfsown.stats.intervals import mean

HELD_OUT = 10  # rows that are not used: a run must have some
Kind = Literal["normal", "kinds", "line"]


def pack(values: np.ndarray) -> str:
    return base64.b64encode(np.asarray(values, np.float32).tobytes()).decode()


def unpack(rows: Sequence[Row]) -> np.ndarray:
    """(rows, chains)."""
    return np.stack([np.frombuffer(base64.b64decode(row.answer), np.float32) for row in rows]).astype(float)


@dataclass(frozen=True)
class Task:
    """normal: standard normal numbers. kinds: categories, by these shares, or by rank as 1/rank. line: noise around a
    line with slopes of 0, at points that differ between chains and stay the same over the generations."""

    kind: Kind = "normal"
    rows: int = 100
    chains: int = 1000
    kinds: int = 1000
    shares: tuple[float, ...] = ()
    seed: int = 0

    name = "toy"
    top_level = 0
    verifiable = False
    forms = ()

    def pose(self, seed: int) -> Iterator[Row]:
        rng = np.random.default_rng((seed, 1))
        for number in range(self.rows + HELD_OUT):
            drawn = rng.standard_normal(self.chains)
            if self.kind == "kinds":
                drawn = np.searchsorted(self.known.cumsum(), rng.random(self.chains)).astype(float)
            yield Row(f"row {number}", pack(drawn), metadata={"kind": self.kind})

    @property
    def known(self) -> np.ndarray:
        shares = np.asarray(self.shares) if self.shares else 1 / np.arange(1, self.kinds + 1)
        return shares / shares.sum()

    def opening(self, level: int) -> str:
        return ""

    def read(self, prompt: str, answer: str) -> Row:
        return Row(prompt, answer)

    def check(self, row: Row, answer: str) -> Grade:
        raise NotImplementedError

    def restate(self, row: Row) -> Iterator[Row]:
        return iter(())


@dataclass
class Model:
    """The parameters of each chain: means and variances, shares of kinds, or slopes. single: kinds that occur once
    among the real rows."""

    kind: Kind
    one: np.ndarray
    two: np.ndarray
    single: np.ndarray

    name = "toy"

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        np.savez(folder / "model.npz", kind=self.kind, one=self.one, two=self.two, single=self.single)


def create(rows: Sequence[Row], seed: int) -> Model:
    chains = unpack(rows[:1]).shape[1]
    blank = np.zeros((chains, 1))
    return Model("normal", blank, blank, blank)


def load(folder: Path) -> Model:
    arrays = np.load(folder / "model.npz")
    return Model(str(arrays["kind"]), arrays["one"], arrays["two"], arrays["single"])  # type: ignore[arg-type]


def points(number: int, chains: int, features: int) -> np.ndarray:
    """(chains, features): the point of the row with this number."""
    return np.random.default_rng((number, 2)).standard_normal((chains, features))


def generate(teacher: Model, seed: int, *, count: int = 100, temperature: float = 1.0, fresh: int = 0) -> Iterator[Row]:
    """fresh: how many of the rows are new real ones, not generated."""
    rng = np.random.default_rng(seed)
    chains = len(teacher.one)
    if teacher.kind == "kinds":
        cooled = teacher.one ** (1 / temperature)
        cumulated = (cooled / cooled.sum(1, keepdims=True)).cumsum(1)
    for number in range(count):
        if teacher.kind == "normal":
            drawn = rng.standard_normal(chains)
            if number >= fresh:
                drawn = teacher.one[:, 0] + np.sqrt(teacher.two[:, 0]) * drawn
        elif teacher.kind == "line":
            slopes = teacher.one
            drawn = (points(number, chains, slopes.shape[1]) * slopes).sum(1) + rng.standard_normal(chains)
        else:
            drawn = (cumulated < rng.random((chains, 1))).sum(1).clip(max=cumulated.shape[1] - 1)
        yield Row(f"row {number}", pack(drawn), sample_index=number)


def grade(rows: Sequence[Row], seed: int, *, right: float = 1.0, wrong: float = 1.0) -> Iterator[Grade]:
    """A verifier that passes the first kind and all others at these rates; for one chain."""
    rng = np.random.default_rng(seed)
    for value in unpack(rows)[:, 0] if rows else ():
        yield Grade(float(rng.random() < (right if value == 0 else wrong)))


def train(
    mixture: Mixture,
    parent: Model,
    seed: int,
    tick: Callable[[int, int], None],
    *,
    kind: Kind = "normal",
    kinds: int = 1000,
    features: int = 10,
    unbiased: bool = False,
    sample: int = 0,
    forgets: float = 0.0,
) -> Model:
    """sample: fit that many rows, drawn from the mixture without replacement; forgets: the share of the first kind that
    becomes the second in training."""
    rows, weights = list(mixture.rows), mixture.weights
    if sample and sample < len(rows):
        drawn = np.random.default_rng(seed).choice(len(rows), sample, replace=False)
        rows, weights = [rows[index] for index in drawn], weights[drawn]
    weights, values = weights / weights.sum(), unpack(rows)
    tick(1, 1)
    if kind == "normal":
        means = weights @ values
        variance = weights @ (values - means) ** 2
        variance *= len(rows) / (len(rows) - 1) if unbiased else 1
        return Model(kind, means[:, None], variance[:, None], parent.single)
    if kind == "line":
        return Model(kind, _slopes(rows, values, weights, features), parent.two, parent.single)
    counts = np.zeros((values.shape[1], kinds))
    for weight, kinds_drawn in zip(weights, values.astype(int), strict=True):
        counts[np.arange(len(kinds_drawn)), kinds_drawn] += weight
    single = parent.single if parent.single.shape == counts.shape else np.isclose(counts * len(rows), 1)
    if forgets:
        counts[:, 1] += forgets * counts[:, 0]
        counts[:, 0] *= 1 - forgets
    return Model(kind, counts, parent.two, single)


def _slopes(rows: Sequence[Row], values: np.ndarray, weights: np.ndarray, features: int) -> np.ndarray:
    chains = values.shape[1]
    squares, products = np.zeros((chains, features, features)), np.zeros((chains, features))
    known_points: Mapping[int, np.ndarray] = {}
    for row, value, weight in zip(rows, values, weights, strict=True):
        number = int(row.prompt.split()[1])
        known_points = (
            {**known_points, number: points(number, chains, features)} if number not in known_points else known_points
        )
        squares += weight * known_points[number][:, :, None] * known_points[number][:, None, :]
        products += weight * known_points[number] * value[:, None]
    return np.linalg.solve(squares, products[:, :, None])[:, :, 0]


def evaluate(model: Model, held_out: Sequence[Row], task: Task, seed: int) -> Iterator[Score]:
    """Means over the chains, with their intervals."""
    measures = {"normal": _normal_measures, "line": _line_measures, "kinds": _kind_measures}[model.kind](model)
    blank = {
        name: np.zeros(len(model.one)) for name in ("spread", "drift", "logarithm", "error", "first", "seen", "lost")
    }
    for name, values in (blank | measures).items():
        low, high = mean(list(values)) if len(values) > 1 else (float(values[0]), float(values[0]))
        yield Score(name, float(values.mean()), len(held_out), low, high, direction="neither")


def _normal_measures(model: Model) -> dict[str, np.ndarray]:
    middle, variance = model.one[:, 0], model.two[:, 0]
    return {"spread": variance, "drift": middle**2, "logarithm": np.log(np.maximum(variance, 1e-30))}


def _line_measures(model: Model) -> dict[str, np.ndarray]:
    return {"error": (model.one**2).sum(1)}


def _kind_measures(model: Model) -> dict[str, np.ndarray]:
    shares, present = model.one, model.one > 0
    lost = (model.single & ~present).sum(1) / np.maximum(1, model.single.sum(1))
    return {"spread": 1 - (shares**2).sum(1), "first": shares[:, 0], "seen": present.sum(1).astype(float), "lost": lost}
