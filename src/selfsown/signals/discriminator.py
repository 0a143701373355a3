"""Which rows look like real ones: logistic regression on where texts lie, cross-fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from selfsown.signals.reference import Anchor, Array

FOLDS = 2
CLIP = 4.0  # of the log-odds: a few rows must not weigh more than all others
PENALTY = 1.0
MOST = 5000  # texts that say where others lie


def likeness(texts: Sequence[str], real: Sequence[str], seed: int) -> list[float]:
    """Each text's odds of being real against synthetic, both taken as equally common, from exp(-4) to exp(4).

    Each is told by a discriminator that has not seen it: half of the texts teaches, the other half is told, and the
    other way round; the real texts are parted likewise."""
    rng = np.random.default_rng(seed)
    # Where texts lie is said by both sides: what no real row says is a mark of the others.
    sample = [side[at] for side in (real, texts) for at in rng.permutation(len(side))[: MOST // 2]]
    known = Anchor.of(sample)
    ours, theirs = _features(known, texts), _features(known, real)
    folds, others = rng.permutation(len(texts)) % FOLDS, rng.permutation(len(real)) % FOLDS
    found = np.zeros(len(texts))
    for fold in range(FOLDS):
        away, learned = folds == fold, theirs[others != fold]
        weights = _fitted(ours[~away], learned)
        found[away] = ours[away] @ weights
    return [math.exp(each) for each in np.clip(found, -CLIP, CLIP)]


def _features(known: Anchor, texts: Sequence[str]) -> Array:
    """Where each text lies, its length, and 1."""
    placed = known.placed(texts)
    lengths = np.log1p([len(text) for text in texts])
    return np.concatenate([placed, lengths[:, None], np.ones((len(texts), 1))], 1).astype(np.float64)


def _fitted(synthetic: Array, real: Array) -> Array:
    """Ridge logistic regression by Newton's method, both sides with equal weight in all; the intercept is free."""
    x = np.concatenate([synthetic, real])
    y = np.concatenate([np.zeros(len(synthetic)), np.ones(len(real))])
    balance = np.where(y > 0, 0.5 / len(real), 0.5 / len(synthetic)) * len(y)
    penalty = np.diag([PENALTY] * (x.shape[1] - 1) + [1e-9])
    weights = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (balance * (p - y)) + penalty @ weights
        bend = (x * (balance * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights
