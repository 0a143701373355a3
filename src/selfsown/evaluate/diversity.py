"""How varied the model writes when left to itself, against as many held-out real rows: 1 is as varied as they are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from selfsown.models import Model
from selfsown.records import Row, Score
from selfsown.tasks import Task
from selfsown.text import effective_number, ngrams

Measure = Callable[[Sequence[str], Sequence[str]], float]


def evaluate(
    model: Model, held_out: Sequence[Row], task: Task, seed: int, *, count: int = 1000, size: int = 3, splits: int = 20
) -> Iterator[Score]:
    """diversity: effective number of n-grams of `size` characters; diversity[tail]: how many of the n-grams
    that are rare in real rows are still written; diversity[distinct]: different texts.

    Each is a ratio to what real rows of equal number give. The interval is the spread over `splits`
    halves of the rows: a bootstrap would repeat texts, and so misjudge every measure of variety.
    """
    rng = random.Random(seed)
    openings = [task.opening(row.level) for row in held_out]
    real = [_opened(row, task) for row in held_out if _opened(row, task)]
    count = min(count, len(real))
    asked = [rng.choice(openings) for _ in range(count)]
    replies = model.complete(asked, temperature=1.0, seed=seed, unfinished=True)
    written = [reply.prompt + reply.text for (reply,) in replies if not reply.failure]
    measures: dict[str, Measure] = {"": _variety(size), "tail": _tail(size), "distinct": _distinct}
    for group, measure in measures.items():
        ratios = []
        for _ in range(splits):
            half = min(count, len(written)) // 2
            ratios.append(measure(rng.sample(written, half), rng.sample(real, half)) if half else 0.0)
        value, spread = float(np.mean(ratios)), 1.96 * float(np.std(ratios)) / 2**0.5
        yield Score("diversity", value, len(written), value - spread, value + spread, group)


def _opened(row: Row, task: Task) -> str:
    """A real row's text, if it is of the kind that a model left to itself would write."""
    text = row.prompt + row.answer
    return text if text.startswith(task.opening(row.level)) else ""


def _variety(size: int) -> Measure:
    return lambda ours, real: effective_number(ngrams(ours, size)) / effective_number(ngrams(real, size))


def _tail(size: int) -> Measure:
    def rare_kinds(texts: Sequence[str], common: Counter[str]) -> int:
        return sum(common[gram] == 0 for gram in ngrams(texts, size))

    def measure(ours: Sequence[str], real: Sequence[str]) -> float:
        common = Counter({gram: n for gram, n in ngrams(real, size).items() if n > 3})
        return rare_kinds(ours, common) / max(1, rare_kinds(real, common))

    return measure


def _distinct(ours: Sequence[str], real: Sequence[str]) -> float:
    return len(set(ours)) / max(1, len(set(real)))
