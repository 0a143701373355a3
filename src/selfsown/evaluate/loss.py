"""Cross-entropy of held-out real text, in bits per character: lower is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.models import Model
from selfsown.records import Row, Score
from selfsown.stats.intervals import ratio


def evaluate(model: Model, held_out: Sequence[Row]) -> Iterator[Score]:
    """Over prompts and answers; the end of a text counts as one character."""
    bits, characters = zip(*model.bits(held_out), strict=True)
    low, high = ratio(bits, characters)
    yield Score("loss", sum(bits) / sum(characters), len(held_out), low, high, direction="lower")
