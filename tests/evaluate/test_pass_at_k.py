"""The chance that one of k samples is right, against the closed form."""

from __future__ import annotations

import itertools
import math

import pytest

from selfsown.evaluate import pass_at_k
from selfsown.records import Row, Score, SelfsownError
from selfsown.stats.intervals import mean
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot

WORLD = Task(rows=40)
ROWS = WORLD.pose(0)
ANSWERS = {row.prompt: row.answer for row in ROWS}


def right(count: int, n: int) -> Parrot:
    """Of its n answers to each prompt, the first `count` are right."""
    return Parrot(lambda prompt, at: ANSWERS[prompt] if at % n < count else "no")


def score(model: Parrot, *, k: int, n: int, prompts: int = 200) -> Score:
    (found,) = pass_at_k.evaluate(model, ROWS, WORLD, 0, k=k, n=n, prompts=prompts)
    return found


@pytest.mark.parametrize(
    ("count", "n", "k"), [(0, 5, 2), (1, 5, 1), (1, 5, 2), (2, 5, 3), (3, 8, 8), (5, 5, 1), (4, 5, 2)]
)
def test_it_is_the_share_of_the_ways_to_draw_k_that_hold_a_right_one(count: int, n: int, k: int) -> None:
    draws = list(itertools.combinations(range(n), k))
    expected = sum(any(each < count for each in draw) for draw in draws) / len(draws)
    found = score(right(count, n), k=k, n=n)
    assert found.value == pytest.approx(expected)
    assert found.value == pytest.approx(1 - math.comb(n - count, k) / math.comb(n, k))
    assert (found.key, found.n) == (f"pass@{k}", 40)


def test_it_is_the_mean_over_prompts_with_its_interval() -> None:
    known = {row.prompt for row in ROWS[:10]}
    model = Parrot(lambda prompt, at: ANSWERS[prompt] if prompt in known else "no")
    found = score(model, k=2, n=4)
    assert found.value == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx(mean([1.0] * 10 + [0.0] * 30))


def test_only_so_many_prompts_are_asked() -> None:
    assert score(right(1, 2), k=1, n=2, prompts=7).n == 7


def test_documents_have_none() -> None:
    assert not list(pass_at_k.evaluate(right(1, 2), [Row("", "emma")], WORLD, 0))


def test_more_draws_than_samples_are_explained() -> None:
    with pytest.raises(SelfsownError, match="k"):
        score(right(1, 4), k=5, n=4)
