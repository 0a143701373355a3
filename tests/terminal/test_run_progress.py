"""The terminal shows the status that a monitor gave, its reason, and what a status means."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Score, Signal, Verdict
from selfsown.terminal.run_progress import RunProgress

TAILS = Signal("tails lost", "creativity", 0.25, 0.19, 0.31, 0.005, 0.1, 0.04, 996, "%", True)
LOSS = Signal("held-out loss", "function", 0.0, 0.0, 0.0, 0.5, 0.02, 0.1, 2000)
AMBER = Verdict(True, "AMBER: creativity: tails [+19, +31]", "monitor", {}, "amber", (TAILS, LOSS))
RED = Verdict(False, "RED: creativity: tails", "monitor", {}, "red", (TAILS, LOSS))
GREEN = Verdict(True, "GREEN: nothing drifted", "monitor", {}, "green", (replace(TAILS, value=0.0), LOSS))
UNKNOWN = Verdict(True, "UNKNOWN; function not measured", "monitor")


def output_of(*verdicts: Verdict, guarded: bool = True) -> str:
    """What the terminal shows of a run whose later generations got these verdicts."""
    recipe = Recipe.load("first", ["goal=accuracy", f"generations={len(verdicts)}"])
    score = Score("accuracy", 0.5, 100, 0.4, 0.6)
    history = [Generation(0, 0, 2, {}, 1.0, (score,))]
    for at, verdict in enumerate(verdicts, 1):
        history.append(
            Generation(at, 0, 2, {"made": 1}, 0.5, (replace(score, value=0.5 + at / 10),), (verdict,), guarded)
        )
    out = io.StringIO()
    screen = RunProgress(recipe, Console(file=out, width=100))
    for generation in history:
        screen.finished(generation)
    screen.end_of_run(history, [], Path("here"))
    return out.getvalue()


def test_every_status_but_green_is_printed_with_its_reason() -> None:
    text = output_of(AMBER, GREEN, UNKNOWN, RED)
    assert "  amber by monitor: creativity: tails [+19, +31]\n" in text
    assert "  unknown by monitor: function not measured\n" in text
    assert "  rolled back by monitor: RED: creativity: tails\n" in text
    assert "nothing drifted" not in text
    assert text.count("Holm's correction") == 1
    table = [line.split() for line in text.splitlines() if line.strip()[:2] in ("0 ", "1 ", "2 ", "3 ", "4 ")][:5]
    assert [line[-2:] for line in table] == [
        ["0.500", "accepted"],
        ["amber", "accepted"],
        ["green", "accepted"],
        ["unknown", "best"],
        ["back:", "monitor"],
    ]


def test_green_is_printed_where_a_family_was_not_measured() -> None:
    assert "  green by monitor: nothing drifted\n" in output_of(replace(GREEN, signals=(LOSS,)))


def test_an_alarm_is_shown_beside_the_best() -> None:
    assert "best, alarm: monitor" in output_of(RED, guarded=False)


def test_without_a_monitor_there_is_no_status() -> None:
    assert "status" not in output_of(Verdict(True, "fine", "progress"))


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [(60, 2.0, "60 of 90 steps, 30/s"), (4, 13.0, "4 of 90 steps, 3.2 s each"), (0, 5.0, "0 of 90 steps, 0/s")],
)
def test_steps_that_take_longer_than_a_second_are_counted_in_seconds(done: int, seconds: float, said: str) -> None:
    now = [0.0]
    progress = RunProgress(Recipe.load("first"), Console(file=io.StringIO()), lambda: now[0])
    progress.begin(0, "train")
    now[0] = seconds
    progress.tick(done, 90)
    assert progress.steps == said
