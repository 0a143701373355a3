"""How many real rows plain training needs, and what either costs: hand-made numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from selfsown.compare.costs import compare_costs, default_prices, load_prices
from selfsown.compare.crossover import Crossover, find_crossover, interpolate, summarize
from selfsown.compare.experiment import parse_multiples, real_rows_needed
from selfsown.compare.results import SideCost
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.stats.intervals import student

SIZES = [1.0, 2.0, 4.0, 8.0, 16.0]
RISING = [0.1, 0.2, 0.4, 0.6, 0.8]
PRICES = {"real_row": 0.1, "cpu_hour": 0.36}


@pytest.mark.parametrize(
    ("scores", "level", "expected"),
    [
        (RISING, 0.1, Crossover(1.0)),
        (RISING, 0.2, Crossover(2.0)),
        (RISING, 0.3, Crossover(2 * math.sqrt(2))),  # half-way in the logarithm
        (RISING, 0.8, Crossover(16.0)),
        (RISING, 0.81, Crossover(16.0, "above")),
        (RISING, 0.05, Crossover(1.0, "below")),
        ([0.1, 0.3, 0.2, 0.5, 0.4], 0.4, Crossover(4 * math.sqrt(2))),  # from the best so far, 0.3, to 0.5
        ([0.3, 0.1, 0.1, 0.1, 0.1], 0.4, Crossover(16.0, "above")),
        ([-5.0, -4.0, -3.0, -2.0, -1.0], -3.5, Crossover(2 * math.sqrt(2))),  # a loss, its sign turned
    ],
)
def test_the_crossing_lies_on_the_line_through_the_best_so_far(
    scores: list[float], level: float, expected: Crossover
) -> None:
    found = find_crossover(SIZES, scores, level)
    assert (found.ratio, found.beyond) == (pytest.approx(expected.ratio), expected.beyond)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_level_never_needs_fewer_rows(scores: list[float], one: float, other: float) -> None:
    assume(one <= other)
    low, high = find_crossover(SIZES, scores, one), find_crossover(SIZES, scores, other)
    assert 1 <= low.ratio <= high.ratio * (1 + 1e-9) <= 16 * (1 + 1e-9)
    assert (high.beyond == "above") == (max(scores) < other)
    assert (low.beyond == "below") == (scores[0] > one)


@given(st.floats(1.1, 15.9))
def test_a_straight_line_is_crossed_where_it_says(ratio: float) -> None:
    line = [math.log2(size) for size in SIZES]
    assert find_crossover(SIZES, line, math.log2(ratio)).ratio == pytest.approx(ratio)
    assert interpolate(SIZES, line, ratio) == pytest.approx(math.log2(ratio))


def test_the_mean_over_seeds_is_taken_in_the_logarithm() -> None:
    found = summarize([Crossover(4.0), Crossover(16.0)], 16)
    assert found.mean == pytest.approx(8)
    low, high = student([math.log(4), math.log(16)])
    assert (found.low, found.high) == (pytest.approx(math.exp(low)), pytest.approx(math.exp(high)))
    assert summarize([Crossover(8.0)] * 3, 16).summary == "8.0× [8.0, 8.0]"
    alone = summarize([Crossover(3.0)], 16)
    assert (alone.summary, alone.low, alone.high) == ("3.0× (one seed)", None, None)


@pytest.mark.parametrize(
    ("found", "ratios", "words"),
    [
        ([Crossover(16, "above")] * 2, [None, None], "more than 16×"),
        ([Crossover(16, "above"), Crossover(9.2)], [None, 9.2], "at least 9.2× (more than 16× in 1 of 2 seeds)"),
        ([Crossover(1, "below")] * 2, [1, 1], "less than 1×"),
        ([Crossover(1, "below"), Crossover(3.0)], [1, 3.0], "less than 1× in 1 of 2 seeds"),
        ([Crossover(1, "below"), Crossover(16, "above")], [1, None], "less than 1× in 1 of 2 seeds"),
    ],
)
def test_without_a_crossover_in_every_seed_there_is_no_mean(
    found: list[Crossover], ratios: list[float | None], words: str
) -> None:
    summed = summarize(found, 16)
    assert (summed.ratios, summed.mean, summed.summary) == (ratios, None, words)


def test_three_ratios_and_the_price_at_which_both_cost_the_same() -> None:
    found = compare_costs(SideCost(3000, 3600), SideCost(1000, 7200), PRICES)
    assert found.label_ratio == pytest.approx(3)
    assert found.compute_ratio == pytest.approx(0.5)
    assert found.total_ratio == pytest.approx((300 + 0.36) / (100 + 0.72))
    assert found.break_even_real_row == pytest.approx(0.36 / 2000)


def test_what_models_behind_servers_cost_is_charged_and_each_price_may_be_off() -> None:
    found = compare_costs(SideCost(3000, 3600), SideCost(1000, 3600, model_usd=100.0), PRICES)
    assert found.total_ratio == pytest.approx((300 + 0.36) / (100 + 0.36 + 100))
    assert found.break_even_real_row == pytest.approx(100 / 2000)
    assert found.sensitivity
    less, more = found.sensitivity["models"]
    assert (less, more) == (pytest.approx(300.36 / 150.36), pytest.approx(300.36 / 250.36))
    assert found.sensitivity["real_row"][0] == pytest.approx(150.36 / 150.36)
    assert set(found.sensitivity) == {"real_row", "cpu_hour", "models"}


@given(st.floats(2, 50), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(1e-3, 10), st.floats(1e-3, 10))
def test_at_the_break_even_price_both_sides_cost_the_same(
    ratio: float, plain: float, loop: float, row: float, hour: float
) -> None:
    sides = SideCost(ratio * 1000 + 2000, plain), SideCost(3000, loop)
    found = compare_costs(*sides, {"real_row": row, "cpu_hour": hour})
    even = found.break_even_real_row
    if loop > plain:
        at = {"real_row": even, "cpu_hour": hour}
        assert sides[0].usd(at) == pytest.approx(sides[1].usd(at))
        then = {"real_row": row, "cpu_hour": found.break_even_cpu_hour}
        assert sides[0].usd(then) == pytest.approx(sides[1].usd(then))
        assert (found.total_ratio > 1) == (row > even) or found.total_ratio == pytest.approx(1)
    else:
        assert even == 0
        assert found.total_ratio >= 1 or found.compute_ratio < 1


def test_no_price_of_a_row_speaks_for_a_loop_that_spares_none() -> None:
    assert compare_costs(SideCost(1000, 10), SideCost(1000, 20), PRICES).break_even_real_row is None


@pytest.mark.parametrize(("at", "expected"), [(0.5, 10), (1, 10), (2, 20), (math.sqrt(8), 25), (4, 30), (9, 30)])
def test_between_is_straight_over_the_logarithm_and_flat_beyond_the_ends(at: float, expected: float) -> None:
    assert interpolate([1, 2, 4], [10, 20, 30], at) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["1x,2x,16x"], [1, 2, 16]), (["4x", "1x"], [1, 4]), (["0.5x, 2x,"], [0.5, 2]), ([], [])],
)
def test_multiples_are_read_in_order(words: list[str], expected: list[float]) -> None:
    assert parse_multiples(words) == expected


@pytest.mark.parametrize("word", ["2", "x", "0x", "-1x", "1x2x", "twice"])
def test_an_invalid_multiple_is_refused(word: str) -> None:
    with pytest.raises(SelfsownError, match=rf"{word}.*1x,2x"):
        parse_multiples([word])


def test_a_task_generates_as_many_rows_as_requested() -> None:
    recipe = Recipe.load("first", ["real.programs.rows=300", "held_out=200"])
    n, held_out, changes = real_rows_needed(recipe, [1, 16], [0, 1])
    assert (n, held_out) == (100, 200)
    assert changes == ["real.programs.rows=1800", "held_out=200", "max_train_rows=100"]
    few = Recipe.load("first", ["max_train_rows=50"])
    assert real_rows_needed(few, [1, 16], [0])[2] == ["max_train_rows=50"], "there are enough already"


def test_a_file_that_is_too_short_says_which_multiple_it_allows(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("".join(f"name{at}\n" for at in range(200)), encoding="utf-8")
    few = Recipe.load("names", [f"real={file}", "max_train_rows=45"])
    assert real_rows_needed(few, [1, 4], [0]) == (45, 20, ["max_train_rows=45"])
    with pytest.raises(SelfsownError, match=r"names.txt has 180 training rows, 4 times the 45 .* 8x .*_rows=22"):
        real_rows_needed(few, [1, 8], [0])


def test_prices_are_ours_until_the_folder_or_a_file_has_others(tmp_path: Path) -> None:
    ours = load_prices(tmp_path, None)
    assert ours == {"real_row": 0.09, "cpu_hour": 0.05}
    (tmp_path / "prices.yaml").write_text(default_prices().replace("0.09", "2"), encoding="utf-8")
    assert load_prices(tmp_path, None) == {"real_row": 2.0, "cpu_hour": 0.05}
    (tmp_path / "mine.yaml").write_text("real_row: 3\ncpu_hour: {usd: 1}\n", encoding="utf-8")
    assert load_prices(tmp_path, tmp_path / "mine.yaml") == {"real_row": 3.0, "cpu_hour": 1.0}


@pytest.mark.parametrize("text", ["", "real_row: dear\n", "real_row: {usd: -1}\n", "real_row: {usd: .nan}\n", "[\n"])
def test_invalid_prices_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SelfsownError, match=r"mine\.yaml"):
        load_prices(tmp_path, tmp_path / "mine.yaml")
    with pytest.raises(SelfsownError, match=r"gone\.yaml"):
        load_prices(tmp_path, tmp_path / "gone.yaml")
