"""How much rows look like real ones: logistic regression on text embeddings, cross-fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from selfsown.signals.reference import Array, ReferenceCorpus

FOLDS = 2
CLIP = 4.0  # largest absolute log-odds, so that a few rows do not outweigh all others
PENALTY = 1.0
MAX_REFERENCE_TEXTS = 5000  # that define the embedding


def likeness(texts: Sequence[str], real: Sequence[str], seed: int) -> list[float]:
    """Each text's odds of being real rather than synthetic at equal base rates, from exp(-4) to exp(4).

    Cross-fitted: a discriminator trained on one half of the texts, and of the real ones, predicts the other half.
    """
    rng = np.random.default_rng(seed)
    # The embedding is defined by both sides: n-grams that no real row has identify synthetic ones.
    half = MAX_REFERENCE_TEXTS // 2
    sample = [side[index] for side in (real, texts) for index in rng.permutation(len(side))[:half]]
    corpus = ReferenceCorpus.of(sample)
    features = _features(corpus, texts)
    real_features = _features(corpus, real)
    folds = rng.permutation(len(texts)) % FOLDS
    real_folds = rng.permutation(len(real)) % FOLDS
    log_odds = np.zeros(len(texts))
    for fold in range(FOLDS):
        predicted = folds == fold
        weights = _fitted(features[~predicted], real_features[real_folds != fold])
        log_odds[predicted] = features[predicted] @ weights
    return [math.exp(value) for value in np.clip(log_odds, -CLIP, CLIP)]


def _features(corpus: ReferenceCorpus, texts: Sequence[str]) -> Array:
    """(texts, AXES + 2): each text's embedding, log length, and 1."""
    embedded = corpus.embed(texts)
    lengths = np.log1p([len(text) for text in texts])
    return np.concatenate([embedded, lengths[:, None], np.ones((len(texts), 1))], 1).astype(np.float64)


def _fitted(synthetic: Array, real: Array) -> Array:
    """Weights (features,) of a ridge logistic regression by Newton's method; both sides, (rows, features), have equal
    total weight, and the intercept is not penalized."""
    x = np.concatenate([synthetic, real])
    y = np.concatenate([np.zeros(len(synthetic)), np.ones(len(real))])
    balance = np.where(y > 0, 0.5 / len(real), 0.5 / len(synthetic)) * len(y)
    penalty = np.diag([PENALTY] * (x.shape[1] - 1) + [1e-9])
    weights = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (balance * (p - y)) + penalty @ weights
        hessian = (x * (balance * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights
