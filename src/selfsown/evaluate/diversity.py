"""How varied the model writes when left to itself, against as many held-out real rows: 1 is as varied as they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from selfsown.models import Model
from selfsown.option_types import Count
from selfsown.prompting.unconditional import comparable_rows, unconditional_samples
from selfsown.records import Row, Score, SelfsownError
from selfsown.stats.intervals import Z
from selfsown.tasks import Task
from selfsown.text.normalize import effective_number, ngrams, unified

Measure = Callable[[Sequence[str], Sequence[str], Sequence[str]], float]
RARE = 3  # an n-gram that the anchor has at most so often is rare


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
    """diversity: effective number of n-grams of `size` characters; diversity[tail]: kinds of n-grams that are
    rare in one half of the real rows and still written; diversity[distinct]: different texts.

    Each is a ratio to what the other half of the real rows gives, text for text. The interval is the spread over
    `splits` pairs of halves, which varies as samples of the whole size would. A bootstrap would repeat texts,
    and so misjudge every measure of variety. There is no score where nothing was written, or nothing is comparable.
    """
    rng = random.Random(seed)
    real = [unified(row.prompt + row.answer) for row in comparable_rows(held_out, task)]
    written = [
        unified(prompt + answer) for prompt, answer in unconditional_samples(model, held_out, task, count, rng, seed)
    ]
    half = min(len(written), len(real)) // 2
    if not half:
        return
    if not ngrams(real, ngram_size):
        raise SelfsownError(f"evaluate.diversity: size is {ngram_size}, longer than any real row; make it smaller")
    measures: dict[str, Measure] = {"": _variety(ngram_size), "tail": _tail(ngram_size), "distinct": _distinct}
    ratios: dict[str, list[float]] = {group: [] for group in measures}
    for _ in range(splits):
        shuffled = rng.sample(real, 2 * half)
        ours, reference, anchor = rng.sample(written, half), shuffled[:half], shuffled[half:]
        for group, measure in measures.items():
            ratios[group].append(measure(ours, reference, anchor))
    for group, values in ratios.items():
        value, spread = float(np.mean(values)), Z * float(np.std(values))
        yield Score("diversity", value, half, value - spread, value + spread, group)


def _variety(size: int) -> Measure:
    def measure(ours: Sequence[str], reference: Sequence[str], anchor: Sequence[str]) -> float:
        return effective_number(ngrams(ours, size)) / (effective_number(ngrams(reference, size)) or 1.0)

    return measure


def _tail(size: int) -> Measure:
    def measure(ours: Sequence[str], reference: Sequence[str], anchor: Sequence[str]) -> float:
        rare = {gram for gram, n in ngrams(anchor, size).items() if n <= RARE}
        return len(rare & set(ngrams(ours, size))) / max(1, len(rare & set(ngrams(reference, size))))

    return measure


def _distinct(ours: Sequence[str], reference: Sequence[str], anchor: Sequence[str]) -> float:
    return len(set(ours)) / max(1, len(set(reference)))
