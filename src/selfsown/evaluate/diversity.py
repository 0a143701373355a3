"""Diversity of unconditional samples, relative to as many held-out real rows: the target is 1.

Below 1 the samples are less diverse than real rows; above 1 they are more diverse, as noise is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from selfsown.errors import RecipeError
from selfsown.models import Model
from selfsown.option_types import Count
from selfsown.prompting.unconditional import comparable_rows, unconditional_samples
from selfsown.records import Row, Score, answered
from selfsown.stats.intervals import Z
from selfsown.tasks import Task
from selfsown.text.normalize import effective_number, ngrams, unified

Measure = Callable[[Sequence[str], Sequence[str], Sequence[str]], float]  # of samples, reference and rarity corpus
MAX_RARE_COUNT = 3  # an n-gram that the rarity corpus has at most so often is rare


def evaluate(
    model: Model,
    held_out: Sequence[Row],
    task: Task,
    seed: int,
    *,
    count: Count = 1000,
    ngram_size: Count = 3,
    splits: Count = 20,
) -> Iterator[Score]:
    """diversity: effective number of n-grams; diversity[tail]: distinct n-grams that are rare in one half of the real
    rows; diversity[distinct]: distinct texts. Each is a ratio to the other half of the real rows, with as many texts.
    There is no score where the model wrote nothing, or no real row is comparable. Prompts without
    an answer are left out.

    count: samples. ngram_size: characters. splits: pairs of halves, whose spread is the 95 % interval; it varies as
    samples of the whole size would. (A bootstrap would repeat texts, and so bias every measure of diversity.)

    Raises RecipeError where ngram_size is longer than every real row.
    """
    rng, held_out = random.Random(seed), answered(held_out)
    real = [unified(row.prompt + row.answer) for row in comparable_rows(held_out, task)]
    written = [
        unified(prompt + answer) for prompt, answer in unconditional_samples(model, held_out, task, count, rng, seed)
    ]
    half = min(len(written), len(real)) // 2
    if not half:
        return
    if not ngrams(real, ngram_size):
        raise RecipeError(f"evaluate.diversity: ngram_size is {ngram_size}, longer than any real row; lower it")
    measures: dict[str, Measure] = {"": _effective(ngram_size), "tail": _tail(ngram_size), "distinct": _distinct}
    ratios: dict[str, list[float]] = {stratum: [] for stratum in measures}
    for _ in range(splits):
        shuffled = rng.sample(real, 2 * half)
        samples, reference, rarity = rng.sample(written, half), shuffled[:half], shuffled[half:]
        for stratum, measure in measures.items():
            ratios[stratum].append(measure(samples, reference, rarity))
    for stratum, values in ratios.items():
        value, spread = float(np.mean(values)), Z * float(np.std(values))
        yield Score("diversity", value, half, value - spread, value + spread, stratum, "target 1")


def _effective(size: int) -> Measure:
    def measure(samples: Sequence[str], reference: Sequence[str], rarity: Sequence[str]) -> float:
        return effective_number(ngrams(samples, size)) / (effective_number(ngrams(reference, size)) or 1.0)

    return measure


def _tail(size: int) -> Measure:
    def measure(samples: Sequence[str], reference: Sequence[str], rarity: Sequence[str]) -> float:
        rare = {gram for gram, n in ngrams(rarity, size).items() if n <= MAX_RARE_COUNT}
        return len(rare & set(ngrams(samples, size))) / max(1, len(rare & set(ngrams(reference, size))))

    return measure


def _distinct(samples: Sequence[str], reference: Sequence[str], rarity: Sequence[str]) -> float:
    return len(set(samples)) / max(1, len(set(reference)))
