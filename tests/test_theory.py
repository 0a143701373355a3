"""The loop does to toy generators what closed forms say it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_loop_s_own_policies_hit_the_closed_forms() -> None:
    order = [sys.executable, "-m", "benchmarks.closed_forms", "--quick"]
    ended = subprocess.run(order, capture_output=True, text=True, timeout=900, cwd=ROOT)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == 33, ended.stderr
    assert ended.returncode == 0, ended.stdout  # all within four standard errors


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arm", "red"), [("frozen", (0, 0)), ("+ resample", (0, 0)), ("replace", (1, 1)), ("acc+biased", (1, 4))]
)
def test_loops_that_collapse_are_red_in_time_and_healthy_ones_are_not(arm: str, red: tuple[int, int]) -> None:
    code = (
        f"from benchmarks import collapse; history = collapse.run_arm(collapse.ARMS[{arm!r}], 50); "
        "print(history.red, history.quality_fell)"
    )
    order = [sys.executable, "-c", code]
    ended = subprocess.run(order, capture_output=True, text=True, timeout=300, cwd=ROOT)
    first, fell = map(int, ended.stdout.split())
    assert red[0] <= first <= red[1], ended.stderr
    assert not first or not fell or first <= fell
