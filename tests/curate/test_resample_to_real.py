"""Rows that look real stay more often; every row comes out once."""

from __future__ import annotations

import random
from dataclasses import replace

from selfsown.curate import resample_to_real
from selfsown.records import Row
from selfsown.signals.discriminator import likeness

COMMON = ["the", "and", "of", "to", "in", "is", "it", "that", "was", "for"]
OLD = ["thee", "thou", "hath", "doth", "wherefore", "anon"]


def text(seed: int, strange: bool) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choices(OLD + COMMON if strange else COMMON, k=12))


REAL = [Row("", text(at, False)) for at in range(400)]


def test_rows_that_no_real_row_is_like_are_left_out_more_often() -> None:
    rows = [Row("", text(10_000 + at, at % 2 == 0), sample_index=at) for at in range(400)]
    found = list(resample_to_real.curate(rows, REAL, 0, keep_share=0.5))
    assert [row.id for row in found] == [row.id for row in rows]
    kept = [row.sample_index % 2 for row in found if not row.status]
    assert len(kept) == 200
    assert sum(kept) > 170
    assert all("odds of being real" in row.reason for row in found if row.status)


def test_rows_like_the_real_ones_have_even_odds() -> None:
    odds = likeness([text(10_000 + at, False) for at in range(400)], [row.answer for row in REAL], 0)
    assert 0.7 < sorted(odds)[200] < 1.4


def test_no_odds_pass_the_clip() -> None:
    odds = likeness([" ".join(OLD)] * 200, [row.answer for row in REAL], 0)
    assert min(odds) >= 0.0183
    assert max(odds) < 1


def test_what_has_ended_passes_by_and_few_rows_all_stay() -> None:
    ended = [replace(row, sample_index=at).rejected("before") for at, row in enumerate(REAL[:10])]
    assert list(resample_to_real.curate([*ended, *REAL[:20]], REAL, 0)) == [*ended, *REAL[:20]]


def test_the_same_seed_draws_the_same() -> None:
    rows = [Row("", text(10_000 + at, at % 2 == 0), sample_index=at) for at in range(200)]
    one, again, other = (list(resample_to_real.curate(rows, REAL, seed)) for seed in (1, 1, 2))
    assert one == again != other
