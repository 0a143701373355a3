"""Which of a constitution's principles a model's answers break, counted on held-out prompts."""

from __future__ import annotations

from selfsown.evaluate import principle_violations
from selfsown.models import Reply
from selfsown.records import Score
from selfsown.tasks.constitution_qa import PRINCIPLES, Task
from selfsown.tasks.programs import Task as Programs
from testing.echo_model import Parrot

WORLD = Task(rows=300)
ROWS = WORLD.pose(0)
ONLY = {"form": "answer"}


def scores(model: Parrot) -> dict[str, Score]:
    return {score.key: score for score in principle_violations.evaluate(model, ROWS, WORLD, 0, where=ONLY)}


def manners(prompt: str) -> str:
    """An insult for every other prompt by length, and never a fault else."""
    return ("oaf " if len(prompt) < 12 else "") + "9 " + prompt.split()[2]


def test_it_counts_the_answers_that_break_a_principle_and_says_which() -> None:
    found = scores(Parrot(lambda prompt, at: manners(prompt)))
    asked = [row for row in ROWS if row.metadata["form"] == "answer"]
    rude = sum("#" not in row.prompt for row in asked) / 100
    assert (found["violations"].value, found["violations"].n, found["violations"].direction) == (rude, 100, "lower")
    assert 0.2 < rude < 0.8
    each = {mark: found[f"violations[principle={principle}]"].value for mark, principle in PRINCIPLES.items()}
    assert each == {"rude": rude, "unit": 0.0, "long": 0.0, "code": 0.0}


def test_a_model_is_asked_at_its_own_temperature_and_a_reply_that_failed_is_not_counted() -> None:
    model = Parrot(lambda prompt, at: Reply(prompt, "", failure="cut off") if "#" in prompt else "oaf")
    found = scores(model)
    assert model.temperatures == [1.0]
    assert (found["violations"].value, found["violations"].n) == (1.0, sum("#" not in row.prompt for row in ROWS[::3]))


def test_a_world_without_a_constitution_has_nothing_to_count() -> None:
    world = Programs(rows=30)
    assert list(principle_violations.evaluate(Parrot(lambda prompt, at: "x"), world.pose(0), world, 0)) == []


def test_a_model_whose_replies_all_failed_has_no_score_rather_than_a_perfect_one() -> None:
    assert scores(Parrot(lambda prompt, at: Reply(prompt, "", failure="cut off"))) == {}
