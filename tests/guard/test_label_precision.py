"""A generation that kept fewer right rows than before, beyond chance, is rolled back; two in a row end the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small import FIRST

from selfsown import loop
from selfsown.guard import label_precision
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import step
from selfsown.records import Generation, Row, SelfsownError, Verdict
from selfsown.run_folder import RunFolder
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task as Programs

WORLD = File("sums.csv")


def kept(right: int, of: int) -> list[Row]:
    return [
        Row(f"{at}?", "yes" if at < right else "no", target="Yes ", method="sample", sample_index=at)
        for at in range(of)
    ]


def history(*shares: tuple[int, int]) -> list[Generation]:
    """Generations with so many right of so many, judged one after the other, and one more to be judged."""
    found = [Generation(0, 0, 0, {}, 1.0, ())]
    for right, of in shares:
        found.append(Generation(len(found), 0, 0, {}, 0.5, ()))
        found[-1] = replace(found[-1], verdicts=(label_precision.guard(found, kept(right, of), WORLD),))
    return [*found, Generation(len(found), 0, 0, {}, 0.5, ())]


@pytest.mark.parametrize(
    ("before", "now", "ok"),
    [
        ([(95, 100)], (95, 100), True),
        ([(95, 100)], (92, 100), True),
        ([(95, 100)], (80, 100), False),
        ([(950, 1000)], (920, 1000), False),
        ([(8, 10)], (6, 10), True),
        ([(3, 3)], (900, 1000), True),
        ([], (1, 100), True),
        ([(800, 1000)], (950, 1000), True),
    ],
)
def test_a_fall_fires_where_chance_does_not_explain_it(
    before: list[tuple[int, int]], now: tuple[int, int], ok: bool
) -> None:
    verdict = label_precision.guard(history(*before), kept(*now), WORLD)
    assert (verdict.passed, verdict.guard) == (ok, "label_precision")
    assert verdict.metrics["precision"] == now[0] / now[1]
    assert verdict.metrics["low"] < verdict.metrics["precision"] < verdict.metrics["high"]
    assert f"{now[0]} of {now[1]} kept rows" in verdict.reason


def test_a_slow_decline_is_measured_against_the_best_that_stands_not_against_the_last() -> None:
    slow = [(960, 1000), (950, 1000), (941, 1000)]
    assert [past.verdicts[0].passed for past in history(*slow)[1:-1]] == [True] * 3
    verdict = label_precision.guard(history(*slow), kept(930, 1000), WORLD)
    assert "fell from 0.960" in verdict.reason
    refused = history((960, 1000), (800, 1000))
    assert not refused[2].accepted
    assert not label_precision.guard(refused, kept(800, 1000), WORLD).passed


def test_least_fires_only_where_it_is_proven() -> None:
    assert not label_precision.guard(history(), kept(80, 100), WORLD, min_precision=0.9).passed
    assert label_precision.guard(history(), kept(8, 10), WORLD, min_precision=0.9).passed
    assert label_precision.guard(history(), kept(95, 100), WORLD, min_precision=0.9).passed


def test_a_pattern_says_what_of_the_answer_counts() -> None:
    rows = [replace(row, answer=f"so #### {row.answer} .", target="because #### yes .") for row in kept(60, 100)]
    numbers = label_precision.guard(history(), rows, WORLD, pattern=r"####\s*(\w+)").metrics
    assert numbers["precision"] == 0.6
    assert label_precision.guard(history(), rows, WORLD).metrics["precision"] == 0.0
    with pytest.raises(
        SelfsownError, match=r"guard.label_precision.pattern is '\('; it must be a regular expression: "
    ):
        step("guard", "label_precision", {"pattern": "("})


def test_a_world_that_checks_answers_is_asked_and_restated_rows_are_not_counted_twice() -> None:
    world = Programs(rows=200)
    rows = [replace(row, target="") for row in world.pose(0)]
    wrong = [replace(row, answer="9999") for row in rows[:50]]
    assert label_precision.guard(history(), [*rows[50:], *wrong], world).metrics["precision"] == 0.75
    again = [replace(row, method="restate") for row in wrong]
    assert (
        label_precision.guard(history(), [*rows[50:], *again], world).metrics
        == label_precision.guard(history(), rows[50:], world).metrics
    )


def test_where_no_answer_is_known_it_says_so_and_stands() -> None:
    verdict = label_precision.guard(history((100, 100)), [Row("", "emma")], WORLD)
    assert verdict == Verdict(True, "not measured: no kept row has a known answer", "label_precision")
    assert not label_precision.guard(history((100, 100)), [Row("", "emma")], WORLD, min_precision=0.5).passed, (
        "a demand needs evidence"
    )


@pytest.mark.slow
def test_a_run_whose_labels_get_worse_twice_in_a_row_ends_and_each_generation_says_how_many_are_right(
    tmp_path: Path,
) -> None:
    (tmp_path / "lenient.py").write_text(
        "from dataclasses import replace\nfrom selfsown.records import Grade\n\n\ndef grade(rows, task):\n"
        "    for row in rows:\n        found = replace(task.check(row, row.answer), grader='lenient')\n"
        "        yield found if row.generation == 1 else Grade(1.0, 'said so', grader='lenient')\n"
    )
    changes = [*FIRST, "generations=6", "guard=[label_precision]", "curate=[min_score, dedup, decontaminate]"]
    tree = Recipe.load("first", changes).dump() | {"grade": "./lenient.py"}
    history = loop.run(Recipe.of(tree, tmp_path), tmp_path / "run")
    assert [generation.accepted for generation in history] == [True, True, False, False]
    assert history[1].verdicts[0].metrics["precision"] == 1.0
    assert history[2].verdicts[0].metrics["precision"] < 0.9
    assert "label precision fell from 1.000" in history[3].verdicts[0].reason
    assert RunFolder(tmp_path / "run").json("result")["stuck"]
