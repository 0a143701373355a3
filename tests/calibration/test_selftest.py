"""Before use, graders that know right answers are tested on rows with known labels."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from selfsown.calibration import selftest
from selfsown.preflight.dry_run import dry_run
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError

GRADER = """
from selfsown.records import Grade


def grade(rows):
    for at, row in enumerate(rows):
        right = row.answer == row.target
        yield Grade(float({said}), "said so", grader="mine", evidence="{evidence}")
"""
CHANGES = ("real.programs.rows=600", "held_out=300", "student.tiny.layers=1", "student.tiny.width=16")


def recipe(folder: Path, said: str, evidence: str = "oracle") -> Recipe:
    (folder / "mine.py").write_text(GRADER.format(said=said, evidence=evidence))
    return Recipe.of(Recipe.load("first", CHANGES).dump() | {"grade": "./mine.py"}, folder)


def try_out(recipe: Recipe) -> None:
    dry_run(recipe, recipe.real())


@pytest.mark.parametrize("said", ["right", "right or at % 20 == 0", "right and at % 20 > 0"])
def test_a_grader_that_knows_right_from_wrong_passes(said: str, tmp_path: Path) -> None:
    try_out(recipe(tmp_path, said))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("True", "rejects 0 of 50 wrong answers, so it is unreliable; it accepts '"),
        ("right or at % 2 == 1", "rejects 25 of 50 wrong answers"),
        ("False", "accepts 0 of 50 real rows with their known answers, so it is unreliable; its reason for '"),
        ("not right", "accepts 0 of 50 real rows"),
        ("right and at % 3 > 0", "accepts 33 of 50 real rows"),
    ],
)
def test_a_grader_that_does_not_is_refused_with_an_example(said: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SelfsownError) as caught:
        try_out(recipe(tmp_path, said))
    assert str(caught.value).startswith(f"grade../mine.py {words}")


def test_shipped_graders_pass_and_untestable_ones_are_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prompts = tmp_path / "sums.jsonl"
    lines = [json.dumps({"prompt": f"{at} + 7 = ?", "answer": f"{at + 7}"}) for at in range(120)]
    prompts.write_text("\n".join(lines), encoding="utf-8")
    changes = [
        *CHANGES[2:],
        f"real={prompts}",
        "grade=[exact_match, rules, novelty, self_consistency]",
        "generate=sample",
    ]
    changes += ["curate=min_score", "evaluate=loss", "goal=loss", "guard=[]", "held_out=20"]
    selftest._log_once.cache_clear()  # other tests of this process may have logged it
    with caplog.at_level(logging.INFO, logger="selfsown"):
        for _ in range(2):
            try_out(Recipe.load("first", changes))
            try_out(Recipe.load("first", CHANGES))
    assert [record.getMessage() for record in caplog.records] == [
        "selfsown: note: not tested before use: grade.rules, grade.novelty (based on rules, not on a known answer)",
        "selfsown: note: not tested before use: grade.self_consistency (asks a model; calibrate tests those)",
    ]


@pytest.mark.parametrize("evidence", ["rule", "judge"])
def test_a_grader_of_rules_or_opinions_is_not_tested(tmp_path: Path, evidence: str) -> None:
    try_out(recipe(tmp_path, "True", evidence=evidence))
