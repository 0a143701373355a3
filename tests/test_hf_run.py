"""The loop with a model of the transformers library as its student, from the command line."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest
from arms import compare_in_process
from command import run_in_process
from hf_training import in_process as in_process
from hf_training import weight_hash
from test_kill import killed

from selfsown.compare.runner import default_jobs
from selfsown.errors import RecipeError
from selfsown.parallel import usable_cores
from selfsown.preflight.other_student import other_student
from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from testing.tiny_checkpoint import write_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore")  # TRL and PEFT use names that transformers will drop
# What shows, in a run's folder, that the worker trains generation 0, that generation 1 is made, and that it is trained.
AT_WORK = (
    "generation-00/training/*/progress.jsonl",
    "generation-00/generation.json",
    "generation-01/training/*/progress.jsonl",
)
RECIPE = """
real: {{file: {{path: rows.jsonl}}}}
held_out: 12
student: {{hf: {{model: {model}, max_new_tokens: 12, device: cpu}}}}
generations: 2
generate: [{{sample: {{n: 2}}}}]
grade: [{{rules: {{pattern: "[a-z0-9 ]+"}}}}]
curate: [dedup]
mix: {{accumulate: {{real_share: 0.5}}}}
base_train: {{sft: {{steps: 30, epochs: 0, batch_size: 8, learning_rate: 0.005}}}}
train: {{sft: {{steps: 6, epochs: 0, batch_size: 8, learning_rate: 0.002}}}}
evaluate: [loss]
goal: loss
guard: [regression]
"""


def written(folder: Path, **changes: str) -> Path:
    """A recipe, its rows and its model, in the folder."""
    rows = [{"prompt": f"say {number}", "answer": f"{number} yes"} for number in range(36)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    if not (folder / "small").exists():
        write_checkpoint(folder / "small")
    (folder / "mine.yaml").write_text(RECIPE.format(model="small", **changes), encoding="utf-8")
    return folder / "mine.yaml"


def test_a_run_measures_the_model_as_it_came_and_trains_it(tmp_path: Path, in_process: None) -> None:
    written(tmp_path)
    done = run_in_process(tmp_path, "run", "mine.yaml", "run", "--no-report")
    assert done.returncode == 0, done.stderr
    store = RunFolder(tmp_path / "run")
    base, first, second = store.generations()
    (came,) = (score for score in base.pretrained_scores if score.key == "loss")
    assert came.value > base.scores[0].value > 0, "generation 0 learned from real rows"
    assert f"{came.value:.3f} [" in done.stdout
    assert "as the model came" in done.stdout
    assert first.counts["made"] == second.counts["made"] == 48
    assert not list((tmp_path / "run").rglob("training")), "checkpoints are deleted"
    assert weight_hash(store.model(0) or tmp_path) != weight_hash(tmp_path / "small")
    environment = json.loads((tmp_path / "run" / "environment.json").read_text(encoding="utf-8"))
    assert {"transformers", "trl", "peft"} <= environment.keys()
    again = run_in_process(tmp_path, "run", "mine.yaml", "run", "--no-report")
    assert again.returncode == 0
    write_checkpoint(tmp_path / "small", seed=3)
    (tmp_path / "run" / "generation-00" / "generation.json").unlink()
    changed = run_in_process(tmp_path, "run", "mine.yaml", "run", "--no-report")
    assert changed.returncode == 2
    assert "was started from other weights of small" in changed.stderr


def test_the_model_as_it_came_can_be_generation_0_and_weights_are_kept_as_told(
    tmp_path: Path, in_process: None
) -> None:
    written(tmp_path)
    done = run_in_process(
        *(tmp_path, "run", "mine.yaml", "run", "--no-report", "--set", "base_train=none"),
        *("--set", "keep_models=last", "--set", "student.hf.train_weights=lora"),
    )
    assert done.returncode == 0, done.stderr
    assert "as the model came" in done.stdout
    assert "from real rows alone" not in done.stdout
    store = RunFolder(tmp_path / "run")
    last = max(generation.number for generation in store.generations() if generation.accepted)
    kept = [path.parent.name for path in (tmp_path / "run").glob("generation-*/model")]
    assert kept == [f"generation-{last:02d}"]
    best = weight_hash(tmp_path / "run" / "best")
    other = next(number for number in range(3) if number != last)
    store.write_best(other, {"best": other, "goal": "loss", "stuck": False})
    assert weight_hash(tmp_path / "run" / "best") == best, "it stays where the weights that it came from were deleted"


TRAINED = sorted(name for name, text in shipped_recipes().items() if "\nstudent:" in text and name != "gemma")


@pytest.mark.parametrize("name", TRAINED)
def test_every_recipe_that_trains_takes_another_student(name: str, tmp_path: Path) -> None:
    written(tmp_path)
    changes = [f"student.hf.model={tmp_path / 'small'}", "student.hf.max_new_tokens=60"]
    if "\nreal:" not in shipped_recipes()[name]:
        changes.append(f"real={tmp_path / 'rows.jsonl'}")
    recipe = Recipe.load(name, changes)
    assert recipe.student.method == "hf"
    for step in (*recipe.train, recipe.base_train):
        if step:
            assert step.function.__module__.startswith("selfsown.models.hf.objectives")
        if step and name != "follow":
            assert not {"learning_rate", "embedding_learning_rate", "weight_decay"} & step.options.keys()


def test_an_option_that_another_student_lacks_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(RecipeError, match=r"base_train.distill has no option 'sampled_labels'"):
        Recipe.load("gemma", [f"student.hf.model={tmp_path / 'small'}", "student.hf.max_new_tokens=60"])


def test_what_a_recipe_sets_of_another_optimizer_is_said_to_be_left_out(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "small")
    model = f"student.hf.model={tmp_path / 'small'}"
    for recipe in (Recipe.load("first", [model]), Recipe.load("names", [model, "real=rows.jsonl"])):
        (said,) = other_student(recipe)
        assert "learning_rate suits the student tiny and is left out" in said
        assert "--set train.sft.learning_rate=… sets another rate" in said
    assert not list(other_student(Recipe.load("follow", [model, "real.instructions.path=rows.jsonl"])))
    assert not list(other_student(Recipe.load("first")))


def test_what_is_set_of_the_new_trainer_stays(tmp_path: Path) -> None:
    written(tmp_path)
    changes = [f"student.hf.model={tmp_path / 'small'}", "student.hf.max_new_tokens=60", "train.sft.learning_rate=3e-5"]
    assert Recipe.load("first", changes).train[0].options["learning_rate"] == 3e-5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("student.hf.model=nowhere/at/all",), "there is no model folder nowhere/at/all"),
        (("student.hf.max_new_tokens=300",), "max_new_tokens is 300, but small reads 256 in all"),
        (("train.sft.embedding_learning_rate=0.1",), "has no option 'embedding_learning_rate'"),
        (("train=distil",), "did you mean 'distill'?"),
        (("train=distill",), "needs a teacher whose probabilities can be read"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(changes: tuple[str, ...], said: str, tmp_path: Path) -> None:
    written(tmp_path)
    sets = [part for change in changes for part in ("--set", change)]
    done = run_in_process(tmp_path, "run", "mine.yaml", "run", *sets)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_rows_and_weights(tmp_path: Path, in_process: None) -> None:
    """Each kill comes at a random moment after some work was begun: what it imports takes most of a run."""
    written(tmp_path)
    assert run_in_process(tmp_path, "run", "mine.yaml", "whole", "--no-report").returncode == 0
    order, rng = [sys.executable, "-m", "selfsown", "run", "mine.yaml", "killed", "--no-report"], random.Random(0)
    for at_work in AT_WORK:
        assert killed(order, tmp_path / "killed", rng.uniform(0, 0.4), at_work)
    assert not killed(order, tmp_path / "killed", 300)
    whole, resumed = (RunFolder(tmp_path / name) for name in ("whole", "killed"))
    for number in range(3):
        assert weight_hash(whole.model(number) or tmp_path) == weight_hash(resumed.model(number) or tmp_path)
        assert whole.rows(f"generation-{number:02d}/rows") == resumed.rows(f"generation-{number:02d}/rows")
    assert whole.generations() == resumed.generations()


def test_arms_of_a_seed_share_generation_0_and_end_as_a_run_alone_does(tmp_path: Path, in_process: None) -> None:
    written(tmp_path)
    columns = ("--set=real.file.prompt=prompt", "--set=real.file.answer=answer")  # else detected by arm
    arms = ("graded", "ungraded", "real")
    done = compare_in_process(*(tmp_path, "compare", "mine.yaml", "all", "--arms", *arms, "--seeds", "1", *columns))
    assert done.returncode == 0, done.stderr
    graded, ungraded, real = (tmp_path / "all" / arm / "seed-0" for arm in arms)
    assert _stages(graded)[:2] == ["evaluate 0", "train 0"]
    assert _stages(ungraded)[0] == _stages(real)[0] == "generate 1"
    assert json.loads((real.parent / "seed-0.cost.json").read_text())["unmetered"] == 0
    first, second = (RunFolder(folder).rows("generation-01/rows") or [] for folder in (graded, ungraded))
    assert [row.answer for row in first] == [row.answer for row in second]
    changes = [f"--set={change}" for change in ("grade=[]", "rollback=false", "control=false", "seed=0")]
    alone = run_in_process(tmp_path, "run", "mine.yaml", "alone", *columns, *changes, "--no-report")
    assert alone.returncode == 0, alone.stderr
    assert _stages(tmp_path / "alone")[:2] == ["evaluate 0", "train 0"]
    for number in range(3):
        folders = [folder / f"generation-{number:02d}/model" for folder in (ungraded, tmp_path / "alone")]
        assert weight_hash(folders[0]) == weight_hash(folders[1])


def _stages(folder: Path) -> list[str]:
    events = map(json.loads, (folder / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [f"{event['stage']} {event['generation']}" for event in events if "stage" in event]


def test_runs_of_a_comparison_do_not_share_the_device(tmp_path: Path) -> None:
    written(tmp_path)
    assert default_jobs(Recipe.load("first")) == usable_cores()
    model = [f"student.hf.model={tmp_path / 'small'}", "student.hf.max_new_tokens=60"]
    assert default_jobs(Recipe.load("first", model)) == 1
