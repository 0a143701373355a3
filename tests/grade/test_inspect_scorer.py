"""Scorers of inspect-ai grade rows; what does not fit, and a missing package, is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from selfsown.errors import RecipeError
from selfsown.grade import inspect_scorer
from selfsown.recipe.steps import step
from selfsown.records import Grade, Row

OWN = '''
"""Scorers."""
from inspect_ai.scorer import Score, Target, accuracy, scorer
from inspect_ai.solver import TaskState

@scorer(metrics=[accuracy()])
def close(best: float = 1.0):
    async def score(state: TaskState, target: Target) -> Score | None:
        if not state.output.completion:
            return None
        value = best if state.metadata["unit"] in state.output.completion else 0.25
        return Score(value=value, explanation=f"{state.input_text} {target.text}")
    return score

@scorer(metrics=[accuracy()])
def broken():
    async def score(state: TaskState, target: Target) -> Score:
        raise ValueError("no such thing")
    return score
'''


def graded(rows: list[Row], scorer: str, **options: Any) -> list[Grade]:
    return list(step("grade", "inspect_scorer", {"scorer": scorer, **options})(rows=rows))


def rows() -> list[Row]:
    metadata = {"unit": "m"}
    return [
        Row("2 + 2?", "It is 4", target="4", metadata=metadata),
        Row("2 + 3?", "It is 6 m", target="5", metadata=metadata),
        Row("2 + 9?", "", metadata=metadata),
    ]


def test_without_the_package_one_line_says_what_to_install() -> None:
    with (
        mock.patch.object(inspect_scorer, "find_spec", return_value=None),
        pytest.raises(RecipeError, match=r"pip install inspect-ai$"),
    ):
        graded(rows(), "match")


def test_the_package_s_own_scorers_grade() -> None:
    pytest.importorskip("inspect_ai")
    assert [(g.score, g.failed) for g in graded(rows(), "match")] == [(1.0, False), (0.0, False), (0.0, True)]
    first, second, _ = graded(rows(), "pattern", options={"pattern": r"(\d)"})
    assert (first.score, second.score) == (1.0, 0.0)
    assert first.reason == "scored C: It is 4"
    assert 0 < graded(rows(), "f1")[0].score < 1


def test_a_scorer_of_one_s_own_grades(tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    (tmp_path / "own.py").write_text(OWN)
    own = f"{tmp_path}/own.py:close"
    first, second, third = graded(rows(), own, needs_target=False)
    assert (first.score, second.score, third.evidence) == (0.25, 1.0, "none")
    assert first.reason == "scored 0.25: 2 + 2? 4"
    for scorer, options, message in (
        (own, {"best": 3.0}, "close gave 3.0; it must be C, P, I or N, or a number from 0 to 1"),
        (own, {"worst": 3.0}, "close cannot be created: TypeError"),
        (f"{tmp_path}/own.py:broken", {}, r"broken failed: ValueError: no such thing \(own.py:\d+\)"),
        ("matches", {}, "inspect_ai.scorer has no 'matches'; did you mean 'match'"),
        ("model_graded_qa", {}, "model_graded_qa failed: .*; a grader that asks a model: judge"),
    ):
        with pytest.raises(RecipeError, match=message) as error:
            graded(rows(), scorer, options=options)
        assert "\n" not in str(error.value)
