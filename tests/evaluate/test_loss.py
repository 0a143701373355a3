"""Bits per character of held-out real text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from selfsown.evaluate import loss
from selfsown.records import Row
from selfsown.stats.intervals import ratio
from testing.echo_model import Parrot

ROWS = [Row("", "ab"), Row("p", "abcdef"), Row("", "x" * 30)]


class Uneven(Parrot):
    """One bit a character in short texts, three in long ones."""

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return [((1.0 if length < 10 else 3.0) * length, length) for _, length in super().bits(rows)]


def test_two_bits_for_each_character_is_a_loss_of_two() -> None:
    (score,) = loss.evaluate(Parrot(lambda prompt, at: ""), ROWS)
    assert (score.key, score.n, score.direction) == ("loss", 3, "lower")
    assert (score.value, score.low, score.high) == pytest.approx((2.0, 2.0, 2.0))


def test_every_character_counts_alike_however_long_its_text() -> None:
    (score,) = loss.evaluate(Uneven(lambda prompt, at: ""), ROWS)
    assert score.value == pytest.approx((3 + 8 + 3 * 31) / (3 + 8 + 31))
    assert (score.low, score.high) == pytest.approx(ratio([3, 8, 93], [3, 8, 31]))
    assert score.low < score.value < score.high
