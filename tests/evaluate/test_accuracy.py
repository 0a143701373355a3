"""The share of held-out prompts answered right, over all and by stratum."""

from __future__ import annotations

import pytest

from selfsown.evaluate import accuracy
from selfsown.models import Reply
from selfsown.records import Row, Score
from selfsown.stats.intervals import share
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot, knowing

WORLD = Task(rows=200)
ROWS = WORLD.pose(0)
DEDUCTIONS = [row for row in ROWS if row.metadata["form"] == "deduction"]


def scores(model: Parrot, rows: list[Row], by: tuple[str, ...] = ()) -> dict[str, Score]:
    return {score.key: score for score in accuracy.evaluate(model, rows, WORLD, by=by)}


def test_a_model_that_knows_all_has_one_and_a_model_that_knows_nothing_nought() -> None:
    assert scores(knowing(ROWS), ROWS)["accuracy"].value == 1.0
    assert scores(knowing([]), ROWS)["accuracy"].value == 0.0


def test_the_interval_is_wilson_s_on_as_many_rows_as_were_asked() -> None:
    found = scores(knowing(ROWS[:150]), ROWS)
    assert set(found) == {"accuracy"}
    score = found["accuracy"]
    assert (score.value, score.n, score.direction) == (0.75, 200, "higher")
    assert (score.low, score.high) == share(150, 200)


def test_each_value_of_a_trait_is_a_stratum_with_its_own_interval() -> None:
    found = scores(knowing(DEDUCTIONS), ROWS, by=("form", "level", "form+level"))
    assert found["accuracy[form=deduction]"].value == 1.0
    assert found["accuracy[form=induction]"].value == 0.0
    assert (found["accuracy[form=induction]"].low, found["accuracy[form=induction]"].high) == share(0, 100)
    hard = [row for row in ROWS if row.level == 2]
    known = sum(row.metadata["form"] == "deduction" for row in hard)
    assert found["accuracy[level=2]"].value == pytest.approx(known / len(hard))
    assert found["accuracy[form=deduction, level=2]"].n == known
    assert sum(score.n for key, score in found.items() if key.startswith("accuracy[form=") and "," in key) == 200


def test_a_right_answer_is_one_that_the_world_checks_as_right() -> None:
    asked = WORLD.read("|2121>1122", "as")
    assert isinstance(asked, Row)
    assert scores(Parrot(lambda prompt, at: "bss"), [asked])["accuracy"].value == 1.0


def test_a_reply_that_failed_is_not_right() -> None:
    answers = {row.prompt: row.answer for row in ROWS}
    cut_off = Parrot(lambda prompt, at: Reply(prompt, answers[prompt], failure="no end within the context"))
    assert scores(cut_off, ROWS)["accuracy"].value == 0.0


def test_the_likeliest_answer_is_asked_for() -> None:
    model = knowing(ROWS)
    scores(model, ROWS)
    assert model.temperatures == [0.0]


def test_documents_have_no_accuracy() -> None:
    assert scores(knowing([]), [Row("", "emma"), Row("", "ava")]) == {}
