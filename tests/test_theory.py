"""The loop does to toy generators what closed forms say it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
def test_the_loop_s_own_policies_hit_the_closed_forms() -> None:
    order = [sys.executable, str(BENCHMARKS / "yardsticks.py"), "--quick"]
    ended = subprocess.run(order, capture_output=True, text=True, timeout=900)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == 33, ended.stderr
    assert ended.returncode == 0, ended.stdout  # all within four standard errors
