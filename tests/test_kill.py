"""Killed at random moments and started again, a run ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import FIRST, NAMES, names
from test_loop import contents

KILLS = 15  # of each recipe


def command(recipe: str, changes: tuple[str, ...], folder: Path) -> list[str]:
    sets = [part for change in changes for part in ("--set", change)]
    return [sys.executable, "-m", "selfsown.cli", "run", recipe, str(folder), *sets]


def killed(order: list[str], seconds: float) -> bool:
    """Start it, and kill it after so long; whether it was still running."""
    process = subprocess.Popen(order, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
    return False


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["first", "names"])
def test_a_killed_run_goes_on_and_ends_the_same(recipe: str, tmp_path: Path) -> None:
    changes = FIRST if recipe == "first" else (*NAMES, f"real={names(tmp_path)}")
    start = time.monotonic()
    assert not killed(command(recipe, changes, tmp_path / "whole"), 300)
    whole = time.monotonic() - start
    wanted = contents(tmp_path / "whole")
    rng = random.Random(recipe)
    kills = run = 0
    while kills < KILLS:
        order = command(recipe, changes, tmp_path / f"killed-{run}")
        while kills < KILLS and killed(order, rng.uniform(0.1, 0.7) * whole):
            kills += 1
        assert not killed(order, 300)
        assert contents(tmp_path / f"killed-{run}") == wanted
        run += 1
