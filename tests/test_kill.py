"""Killed at random moments and started again, a run ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import FIRST, NAMES, TINIEST, names
from test_loop import contents

from selfsown import loop
from selfsown.recipe.recipe import Recipe

KILLS = 4  # of each recipe


def command(recipe: str, changes: tuple[str, ...], folder: Path) -> list[str]:
    sets = [part for change in changes for part in ("--set", change)]
    return [sys.executable, "-m", "selfsown", "run", recipe, str(folder), *sets, "--no-report"]


def started(order: list[str], folder: Path, at_work: str = ".lock") -> subprocess.Popen[bytes]:
    """Start it beside its folder, and wait until this appears in it: what is imported takes most of a small run."""
    (folder / ".lock").unlink(missing_ok=True)
    process = subprocess.Popen(order, cwd=folder.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(folder.glob(at_work)):
        time.sleep(0.01)
    return process


def killed(order: list[str], folder: Path, seconds: float, at_work: str = ".lock") -> bool:
    """Start it, and kill it after so long at work; whether it was still running."""
    process = started(order, folder, at_work)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    assert process.returncode == 0
    return False


@pytest.mark.slow
def test_stopped_at_every_single_write_a_run_goes_on_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th file or model is written in full, but never gets its name: as if the power went just then."""
    recipe = Recipe.load("first", [*FIRST, *TINIEST])
    loop.run(recipe, tmp_path / "whole")
    wanted, rename = contents(tmp_path / "whole"), Path.replace
    stop, stopped = 0, True
    while stopped:
        left = [stop]

        def refuse(path: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return rename(path, target)

        folder = tmp_path / f"stopped-{stop}"
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            try:
                loop.run(recipe, folder)
                stopped = False
            except KeyboardInterrupt:
                stop += 1
        loop.run(recipe, folder)
        assert contents(folder) == wanted
    writes = "recipe, environment, real rows set aside, counts, two sides, two generations, copies, best, result"
    assert stop == 14, writes


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["first", "names"])
def test_a_killed_run_goes_on_and_ends_the_same(recipe: str, tmp_path: Path) -> None:
    changes = FIRST if recipe == "first" else (*NAMES, f"real={names(tmp_path)}")
    changes += ("generations=2", "generate.propose.count=200")
    whole = tmp_path / "whole"
    process, start = started(command(recipe, changes, whole), whole), time.monotonic()
    assert process.wait(300) == 0
    seconds, wanted = time.monotonic() - start, contents(whole)
    rng = random.Random(recipe)
    kills = run = 0
    while kills < KILLS:
        folder = tmp_path / f"killed-{run}"
        order = command(recipe, changes, folder)
        while kills < KILLS and killed(order, folder, rng.uniform(0, 0.8) * seconds):
            kills += 1
        assert not killed(order, folder, 300)
        assert contents(folder) == wanted
        run += 1
