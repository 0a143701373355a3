"""What a recipe leaves out is said, and nothing of what it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfsown.recipe import Recipe
from selfsown.rehearsal.cautions import cautions


def said(*changes: str, recipe: str = "first") -> list[str]:
    return list(cautions(Recipe.load(recipe, changes)))


SAFE = "mix={accumulate: {real_share: 0.34}}"
VARIED = "curate=[passed, resample]"


def test_a_recipe_that_leaves_nothing_out() -> None:
    assert said(recipe="guarded") == []
    assert said(SAFE, VARIED) == []
    assert said(SAFE, "curate=[passed, diverse]") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((VARIED,), "may fall to 10 %"),
        (("mix=replace", VARIED), "drops real rows"),
        (("mix={replace: {real_share: 0.2}}", VARIED), "may fall to 20 %"),
        ((SAFE, VARIED, "guard=[]"), "nothing watches the loop"),
        ((SAFE, VARIED, "generate=[{propose: {temperature: 0.9}}]"), "below 1"),
        ((SAFE, VARIED, "grade=[vote]"), "no grader checks against the truth"),
        ((SAFE,), "right, not varied"),
    ],
)
def test_each_that_is_left_out_is_said_once(changes: tuple[str, ...], words: str) -> None:
    (only,) = said(*changes)
    assert words in only


def test_attributes_without_a_quota_and_a_watch(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "answer": "b", "region": "north"}\n' * 30)
    real = f"real={{file: {{path: {tmp_path / 'rows.jsonl'}, attributes: [region]}}}}"
    found = said(real, SAFE, "grade=[exact]", VARIED, "guard=[progress]", "generate=[sample]")
    assert len(found) == 2
    assert "no quota" in found[0]
    assert "no guard watches region" in found[1]
    quota = "curate=[passed, resample, {balance: {attributes: [region]}}]"
    watched = "guard=[{monitor: {attributes: [region]}}]"
    assert said(real, SAFE, "grade=[exact]", quota, watched, "generate=[sample]") == []
    (only,) = said(real, SAFE, "grade=[exact]", quota, "guard=[monitor]", "generate=[sample]")
    assert "no guard watches region" in only, "the monitor looks at no attribute that it is not given"


def test_real_rows_alone_need_no_caution() -> None:
    assert said("generate=[]", "mix=replace", "guard=[]") == []
