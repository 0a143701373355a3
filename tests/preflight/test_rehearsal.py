"""What does not fit is found in seconds, before anything is trained or written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small import FIRST, NAMES, TINIEST, names

from selfsown import loop
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError

WAYS = {
    "raises": "def grade(rows):\n    raise KeyError('x')\n",
    "floats": "def grade(rows):\n    yield from (0.5 for row in rows)\n",
    "short": "def grade(rows):\n    yield from ()\n",
    "high": "from selfsown.records import Grade\ndef grade(rows):\n    yield from (Grade(7.0) for row in rows)\n",
    "nothing": "def grade(rows):\n    return None\n",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("goal=los", "there is no score 'los'"),
        ("goal=accuracy[from=induction]", "there is no score"),
        ("guard=[{bias: {attributes: [region]}}]", "no real row has the attribute 'region'"),
        ("evaluate=[{accuracy: {by: [typo]}}]", "no held-out row has 'typo'"),
        ("evaluate=[accuracy, {pass_at_k: {k: 32}}]", "only n = 16"),
        ("evaluate=[accuracy, {diversity: {ngram_size: 200}}]", "longer than any real row"),
        ("grade=[{rules: {pattern: '('}}]", "is not a valid regular expression"),
        ("teacher=tiny", "teacher.tiny needs folder"),
        ("student.tiny.context=5", "the longest real row has 15 tokens, but the context is 5"),
        ("held_out=.nan", "held_out is nan"),
        ("held_out=50.5", "must be a number of rows, or a share below 1"),
        ("max_train_rows=301", "programs leaves 300 rows to learn from"),
        ("max_train_rows=5", "max_train_rows is 5; it must be 10 or more"),
    ],
)
def test_a_recipe_that_would_fail_late_is_refused_before_the_folder_is_touched(
    change: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SelfsownError) as caught:
        loop.run(Recipe.load("first", [*FIRST, change]), tmp_path / "run")
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("way", list(WAYS))
def test_a_way_of_the_user_s_own_that_fails_is_one_line_with_its_place(way: str, tmp_path: Path) -> None:
    (tmp_path / f"{way}.py").write_text(WAYS[way], encoding="utf-8")
    recipe = Recipe.of(Recipe.load("first", FIRST).dump() | {"grade": f"./{way}.py"}, tmp_path)
    with pytest.raises(SelfsownError, match=rf"grade\.\./{way}\.py "):
        loop.run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("recipe", "change"), [("generate", "sample"), ("grade", "self_consistency")])
def test_what_needs_prompts_is_refused_on_documents(recipe: str, change: str, tmp_path: Path) -> None:
    lines = Recipe.load("names", [*NAMES, f"real={names(tmp_path)}", f"{recipe}={change}"])
    with pytest.raises(SelfsownError, match="prompt"):
        loop.run(lines, tmp_path / "run")


@pytest.mark.slow
def test_training_that_goes_astray_is_rolled_back_or_in_generation_0_refused(tmp_path: Path) -> None:
    changes = [
        *NAMES,
        f"real={names(tmp_path)}",
        "evaluate=loss",
        "generations=1",
        "base_train.sft.steps=5",
        "train.sft.learning_rate=1.0e+30",
    ]
    history = loop.run(Recipe.load("names", changes), tmp_path / "run")
    assert [generation.accepted for generation in history] == [True, False]
    assert "training diverged" in history[1].verdicts[0].reason
    with pytest.raises(SelfsownError, match="training diverged"):
        loop.run(Recipe.load("names", [*changes, "base_train.sft.learning_rate=1.0e+30"]), tmp_path / "astray")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["generation-01/rows.parquet", "generation-01/generation.json", "recipe.yaml"])
def test_a_damaged_folder_names_the_file_and_the_way_out(file: str, tmp_path: Path) -> None:
    recipe = Recipe.load("first", [*FIRST, *TINIEST])
    loop.run(recipe, tmp_path / "run")
    (tmp_path / "run" / file).write_text(": : [", encoding="utf-8")
    with pytest.raises(SelfsownError, match=f"{Path(file).name} is damaged .* delete it"):
        loop.run(replace(recipe, generations=2), tmp_path / "run")


def test_real_rows_half_written_are_posed_and_split_again_as_one(tmp_path: Path) -> None:
    recipe = Recipe.load("first", [*FIRST, *TINIEST, "generations=0"])
    loop.run(recipe, tmp_path / "run")
    wanted = (tmp_path / "run" / "held_out.parquet").read_bytes()
    (tmp_path / "run" / "held_out.parquet").unlink()
    loop.run(recipe, tmp_path / "run")
    assert (tmp_path / "run" / "held_out.parquet").read_bytes() == wanted
