"""What a recipe leaves out is said, and nothing of what it has."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from selfsown.preflight.repeated_rows import repeats_warning
from selfsown.preflight.warnings import recipe_warnings
from selfsown.recipe.recipe import Recipe
from selfsown.records import Training
from selfsown.terminal.run_progress import RunProgress


def said(*changes: str, recipe: str = "first") -> list[str]:
    return list(recipe_warnings(Recipe.load(recipe, changes)))


SAFE = "mix={accumulate: {real_share: 0.34}}"
VARIED = "curate=[min_score, resample_to_real]"


def test_a_recipe_that_leaves_nothing_out() -> None:
    assert said(recipe="guarded") == []
    assert said(SAFE, VARIED) == []
    assert said(SAFE, "curate=[min_score, k_center]") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((VARIED,), "may fall to 10 %"),
        (("mix=replace", VARIED), "drops real rows"),
        (("mix={replace: {real_share: 0.2}}", VARIED), "may fall to 20 %"),
        ((SAFE, VARIED, "guard=[]"), "no guard: guard: [monitor]"),
        ((SAFE, VARIED, "generate=[{propose: {temperature: 0.9}}]"), "below 1"),
        ((SAFE, VARIED, "grade=[self_consistency]"), "no grader compares with known answers"),
        ((SAFE,), "correct, not varied"),
    ],
)
def test_each_that_is_left_out_is_said_once(changes: tuple[str, ...], words: str) -> None:
    (only,) = said(*changes)
    assert words in only


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("rollback=false",), "no generation is rolled back"),
        (("guard=[regression]",), "no guard measures the variety"),
        (
            ("guard=[collapse]", "evaluate=[accuracy]"),
            "guard.collapse needs the score diversity, which is not measured",
        ),
        (("guard=[{monitor: {baseline_models: 2}}]",), "baseline_models: 2 and count: 1000 detects only large changes"),
        (("guard=[{monitor: {count: 499}}]",), "baseline_models: 5 and count: 499 detects only large changes"),
    ],
)
def test_guards_that_see_or_do_little(changes: tuple[str, ...], words: str) -> None:
    (only,) = said(SAFE, VARIED, *changes)
    assert words in only


def test_attributes_without_a_quota_and_a_watch(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "answer": "b", "region": "north"}\n' * 30)
    real = f"real={{file: {{path: {tmp_path / 'rows.jsonl'}, attributes: [region]}}}}"
    common = (real, SAFE, "grade=[exact_match]")
    found = said(*common, VARIED, "guard=[regression]", "generate=[sample]")
    assert len(found) == 2
    assert "no quota" in found[0]
    assert "no guard measures region" in found[1]
    quota = "curate=[min_score, resample_to_real, {balance: {attributes: [region]}}]"
    for watched in ("[{monitor: {attributes: {region: {north: north}}}}]", "[{bias: {attributes: [region]}}]"):
        assert said(*common, quota, f"guard={watched}", "generate=[sample]") == []
    for plain in ("[monitor]", "[{monitor: {attributes: [region]}}]"):
        (only,) = said(*common, quota, f"guard={plain}", "generate=[sample]")
        assert "region: {VALUE: 'PATTERN', ...}" in only, "what a model writes carries no column of the file"


def test_rows_that_carry_no_attribute_are_no_quotas_business(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "answer": "b", "region": "north"}\n' * 30)
    real = f"real={{file: {{path: {tmp_path / 'rows.jsonl'}, attributes: [region]}}}}"
    common = (real, SAFE, "grade=[exact_match]", "generate=[propose]")
    patterns = "guard=[{monitor: {attributes: {region: {north: north}}}}]"
    assert said(*common, VARIED, patterns) == []
    (only,) = said(*common, "curate=[min_score, resample_to_real, {balance: {attributes: [region]}}]", patterns)
    assert "balance has no effect on region: rows of propose have no attributes" in only
    (only,) = said(*common, VARIED, "guard=[{bias: {attributes: [region]}}]")
    assert "no guard measures region" in only


def repeats(*changes: str, recipe: str = "names") -> list[str]:
    return [warning for warning in said(*changes, recipe=recipe) if "teach almost nothing" in warning]


def test_more_than_16_passes_over_a_file_are_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("".join(f"name {at}\n" for at in range(800)))
    real = f"real={tmp_path / 'names.txt'}"
    base = "base_train={sft: {steps: 1000, batch_size: 256}}"
    (only,) = repeats(real, base)
    assert only == (
        "base_train.sft passes 356 times over the 720 real rows: beyond 16, repeats teach almost nothing; lower steps, "
        "or --set base_train.sft.early_stopping=0.05"
    )
    assert not repeats(real, "base_train={sft: {steps: 1000, batch_size: 256, early_stopping: 0.05}}")
    assert not repeats(real, "base_train={sft: {steps: 1000, batch_size: 256, epochs: 8}}")
    assert repeats(real, "base_train={sft: {steps: 1000, batch_size: 256, epochs: 100}}") == [
        only.replace("356", "100")
    ]
    assert not repeats(real, "base_train={sft: {steps: 40, batch_size: 256}}"), "14 passes"
    (later,) = repeats(real, "train={sft: {steps: 200, batch_size: 256}}")
    assert later.startswith("train.sft passes 36 times over the 720 real rows"), "half of the draws are real"


@pytest.mark.parametrize("held_out", ["0.1", "2000"])
def test_a_long_file_is_not_warned_against_for_being_read_in_part(held_out: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("".join(f"name {at // 2}\n" for at in range(9000)))
    base = "base_train={sft: {steps: 100, batch_size: 256}}"
    assert not repeats(f"real={tmp_path / 'names.txt'}", base, f"held_out={held_out}"), "at most 10 passes"


def test_a_training_that_repeated_rows_too_often_is_named_afterwards(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("".join(f"name {at}\n" for at in range(200)))
    fixed = "train={sft: {steps: 200, batch_size: 64}}"
    recipe = Recipe.load("names", [f"real={tmp_path / 'names.txt'}", fixed])
    (step,) = recipe.train
    assert repeats_warning(recipe, step, Training(200, 200, 16.0)) == ""
    warning = repeats_warning(recipe, step, Training(200, 200, 71.1))
    assert warning.startswith(
        "train.sft passed 71 times over rows: beyond 16, repeats teach almost nothing; lower steps"
    )
    output = io.StringIO()
    RunProgress(recipe, Console(file=output, width=300)).trained(Training(200, 200, 71.1), warning)
    assert f"warning: {warning}" in output.getvalue()
    assert repeats_warning(recipe, step, Training(200, 200, 71.1, stopping_rows=16)) == "", "it still learned"
    task = Recipe.load("first", [fixed])
    assert repeats_warning(task, task.train[0], Training(200, 200, 71.1)) == ""


@pytest.mark.parametrize(
    "recipe", ["names", "lines", "first", "guarded", "gpt", "star", "llama", "spin", "grok", "phi"]
)
def test_shipped_recipes_are_not_warned_against_repeats(recipe: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("".join(f"name {at}\n" for at in range(200)))
    assert not repeats(*([f"real={tmp_path / 'names.txt'}"] if recipe in ("names", "lines") else []), recipe=recipe)


def test_real_rows_alone_need_no_caution() -> None:
    assert said("generate=[]", "mix=replace", "guard=[]") == []


def test_a_run_whose_work_no_engine_can_divide_says_so() -> None:
    divided = [said(*changes) for changes in (["engine=threads"], ["engine=threads", "chunk_rows=512"], [])]
    assert [any("chunk_rows: 512" in warning for warning in lines) for lines in divided] == [True, False, False]
