"""A person at a terminal sees what a monitor saw: the light, why, and what a light is."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Score, Signal, Verdict
from selfsown.terminal.run_progress import Screen

TAILS = Signal("tails lost", "creativity", 0.25, 0.19, 0.31, 0.005, 0.1, 0.04, 996, "%", True)
LOSS = Signal("held-out loss", "function", 0.0, 0.0, 0.0, 0.5, 0.02, 0.1, 2000)
AMBER = Verdict(True, "AMBER: creativity: tails [+19, +31]", "monitor", {}, "amber", (TAILS, LOSS))
RED = Verdict(False, "RED: creativity: tails", "monitor", {}, "red", (TAILS, LOSS))
GREEN = Verdict(True, "GREEN: nothing drifted", "monitor", {}, "green", (replace(TAILS, value=0.0), LOSS))
UNSAID = Verdict(True, "cannot say; function not measured", "monitor")


def seen(*verdicts: Verdict, guarded: bool = True) -> str:
    """What the terminal shows of a run, each of whose later generations was judged so."""
    recipe = Recipe.load("first", ["goal=accuracy", f"generations={len(verdicts)}"])
    score = Score("accuracy", 0.5, 100, 0.4, 0.6)
    history = [Generation(0, 0, 2, {}, 1.0, (score,))]
    for at, verdict in enumerate(verdicts, 1):
        history.append(
            Generation(at, 0, 2, {"made": 1}, 0.5, (replace(score, value=0.5 + at / 10),), (verdict,), guarded)
        )
    out = io.StringIO()
    screen = Screen(recipe, Console(file=out, width=100))
    for generation in history:
        screen.finished(generation)
    screen.end_of_run(history, [], Path("here"))
    return out.getvalue()


def test_each_light_that_is_not_green_is_said_with_why() -> None:
    text = seen(AMBER, GREEN, UNSAID, RED)
    assert "  amber by monitor: creativity: tails [+19, +31]\n" in text
    assert "  cannot say by monitor: function not measured\n" in text
    assert "  rolled back by monitor: RED: creativity: tails\n" in text
    assert "nothing drifted" not in text
    assert text.count("Holm's correction") == 1
    table = [line.split() for line in text.splitlines() if line.strip()[:2] in ("0 ", "1 ", "2 ", "3 ", "4 ")][:5]
    assert [line[-2:] for line in table] == [
        ["0.500", "stands"],
        ["amber", "stands"],
        ["green", "stands"],
        ["say", "best"],
        ["red", "monitor"],
    ]


def test_a_green_light_over_half_of_what_is_watched_says_so() -> None:
    assert "  green by monitor: nothing drifted\n" in seen(replace(GREEN, signals=(LOSS,)))


def test_an_alarm_stands_beside_the_best() -> None:
    assert "best, alarm: monitor" in seen(RED, guarded=False)


def test_without_a_monitor_there_is_no_light() -> None:
    assert "light" not in seen(Verdict(True, "fine", "progress"))
