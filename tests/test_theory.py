"""The loop does to toy generators what closed forms say it must."""

from __future__ import annotations

import pytest

from benchmarks import closed_forms, collapse


@pytest.mark.slow
def test_the_loop_s_own_policies_hit_the_closed_forms() -> None:
    results = list(closed_forms.all_results(quick=True))
    assert len(results) == 33
    assert [result for result in results if abs(result.z) > 4] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arm", "red", "generations"),
    [("frozen", (0, 0), 5), ("+ resample", (0, 0), 5), ("replace", (1, 1), 1), ("acc+biased", (1, 4), 4)],
)
def test_loops_that_collapse_are_red_in_time_and_healthy_ones_are_not(
    arm: str, red: tuple[int, int], generations: int
) -> None:
    """No more generations than the expected first red one, and five of a healthy loop."""
    history = collapse.run_arm(collapse.ARMS[arm], 50, generations)
    assert red[0] <= history.red <= red[1], history.statuses
    assert not history.red or not history.quality_fell or history.red <= history.quality_fell
