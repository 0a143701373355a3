"""The loop as a whole: accounting, rollback, resume, roles, levels, and that it learns."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pupil
import pytest
from small import FIRST, NAMES, names

from selfsown import loop
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row, Score, SelfsownError, Verdict
from selfsown.run_folder import RunFolder
from selfsown.terminal.lineage import story

Files = dict[str, bytes]


def first(*changes: str) -> Recipe:
    return Recipe.load("first", [*FIRST, *changes])


NEW = """Problems of another seed with their right answers, of every level up to the current one."""
NEW_METHOD = (
    f'"""{NEW}"""'
    + """
import random
from selfsown.tasks.programs import Task
def generate(level, seed, *, count: int = 30):
    rows = [row.replace_fields(source="") for row in Task(rows=60, levels=2).pose(99) if row.level <= level]
    yield from random.Random(seed).sample(rows, min(count, len(rows)))
"""
)
NAMED_LOAD = """
def load(folder):
    model = Pupil(json.loads((folder / "known.json").read_text(encoding="utf-8")))
    model.name = folder.parent.name  # so that its rows show which generation wrote them
    return model
"""
REFUSE = '''"""Refuse {which}."""
from selfsown.records import Verdict
def guard(history):
    return Verdict({passed}, "{reason}", "{name}")
'''
NO_FIRST = REFUSE.format(
    which="generation 1", passed="history[-1].number != 1", reason="not the first", name="no_first"
)
NEVER = REFUSE.format(which="every generation", passed="False", reason="no", name="never")


def memorizing(folder: Path, **changes: Any) -> Recipe:
    """A recipe whose student memorizes rows, without torch; its generator gives right ones of another seed."""
    student = Path(pupil.__file__).read_text(encoding="utf-8") + NAMED_LOAD
    for name, text in (("pupil", student), ("invent", NEW_METHOD), ("no_first", NO_FIRST), ("never", NEVER)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    tree = {**pupil.RECIPE, "generate": ["./invent.py"], "curate": ["min_score", "dedup"], "generations": 3}
    return Recipe.of({**tree, **changes}, folder)


def contents(folder: Path) -> Files:
    """Every file that must be the same whenever the same recipe runs."""
    differ = {"log.jsonl", "report.html", "environment.json", ".lock"}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in differ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows(folder: Path, number: int) -> list[Row]:
    return RunFolder(folder).rows(f"generation-{number:02d}/rows") or []


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    loop.run(first(), folder)
    return folder


def test_every_row_ends_kept_rejected_or_failed_with_its_reason(finished: Path) -> None:
    for number in (1, 2, 3):
        counts = RunFolder(finished).generation(number).counts  # type: ignore[union-attr]
        made = rows(finished, number)
        assert {row.status for row in made} <= {"kept", "rejected", "failed"}
        assert all(row.reason for row in made if row.status != "kept")
        assert counts["made"] == len(made) == sum(counts.get(end, 0) for end in ("kept", "rejected", "failed"))
        assert sum(row.method == "propose" for row in made) == 400
        assert len({row.id for row in made}) == len(made)


def test_every_kept_row_is_right_and_new_and_about_no_held_out_problem(finished: Path) -> None:
    world = first().real()
    held_out = {row.key for row in RunFolder(finished).rows("held_out") or []}
    said: set[tuple[str, str]] = set()
    standing = [generation.number for generation in RunFolder(finished).generations() if generation.accepted]
    for number in standing[1:]:
        for row in rows(finished, number):
            if row.status == "kept":
                assert world.check(row, row.answer).score == 1
                assert row.key not in held_out
                assert (row.prompt, row.answer) not in said
                said.add((row.prompt, row.answer))


def test_each_generation_tells_how_much_was_synthetic_as_its_rows_on_disk_say(finished: Path) -> None:
    store, ours = RunFolder(finished), list[Row]()
    real = store.rows("real") or []
    for generation in store.generations():
        ours += [row for row in store.rows(f"generation-{generation.number:02d}/rows") or [] if row.status == "kept"]
        tokens = [sum(len(row.prompt) + len(row.answer) for row in some) for some in (real, ours)]
        share = generation.synthetic_share
        assert share["rows"] == len(ours) / (len(real) + len(ours))
        assert share["tokens"] == tokens[1] / sum(tokens)
        assert (share["drawn"] == 0.0) == (generation.real_share == 1.0) == (not ours)
        ours = ours if generation.accepted else ours[: -generation.counts["kept"]]


def test_parents_can_be_followed_down_to_what_the_model_wrote(finished: Path) -> None:
    made = {row.id: row for number in (1, 2, 3) for row in rows(finished, number)}
    for row in made.values():
        assert all(parent in made for parent in row.parents)
        assert bool(row.parents) == (row.method in ("correction", "restate"))


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bytes_also_where_generations_are_added_later(
    finished: Path, tmp_path: Path
) -> None:
    loop.run(first("generations=2"), tmp_path / "again")
    loop.run(first(), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(finished)


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    for seed in (0, 1):
        loop.run(memorizing(tmp_path, seed=seed, generations=0), tmp_path / f"run-{seed}")
    assert RunFolder(tmp_path / "run-0").rows("real") != RunFolder(tmp_path / "run-1").rows("real")


def test_a_finished_run_given_again_changes_nothing(finished: Path) -> None:
    before, log = contents(finished), (finished / "log.jsonl").read_text(encoding="utf-8")
    history = loop.run(first(), finished)
    assert len(history) == 4
    assert contents(finished) == before
    assert (finished / "log.jsonl").read_text(encoding="utf-8") == log


def test_a_generation_that_fails_its_guard_is_rolled_back(tmp_path: Path) -> None:
    """A guard that rejects generation 1: generation 2 starts from generation 0 and forgets the rejected rows."""
    recipe = memorizing(tmp_path, guard=["./no_first.py"], generations=2)
    history = loop.run(recipe, tmp_path / "run")
    assert [generation.accepted for generation in history] == [True, False, True]
    assert history[2].parent == 0
    assert {row.source for row in rows(tmp_path / "run", 2)} == {"generation-00"}
    past = {(row.prompt, row.answer) for row in rows(tmp_path / "run", 1) if row.status == "kept"}
    again = {(row.prompt, row.answer) for row in rows(tmp_path / "run", 2) if row.status == "kept"}
    assert past & again, "rows of a rolled-back generation may be generated again"
    known = [json.loads((tmp_path / f"run/generation-{at:02d}/model/known.json").read_text()) for at in (0, 1, 2)]
    assert not set(known[2]) & (set(known[1]) - set(known[0]) - {prompt for prompt, _ in again}) - {
        row.prompt for row in RunFolder(tmp_path / "run").rows("real") or []
    }
    assert (tmp_path / "run" / "no_first.py").exists(), "the folder keeps the custom methods of its recipe"
    assert loop.best_of(history, recipe.goal).number in (0, 2)


def test_a_run_that_only_rolls_back_ends_on_its_best(tmp_path: Path) -> None:
    history = loop.run(memorizing(tmp_path, guard=["./never.py"], patience=2), tmp_path / "run")
    assert len(history) == 3, "two in a row are enough"
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["best"] == 0
    assert result["stuck"] is True
    best, base = tmp_path / "run" / "best", tmp_path / "run" / "generation-00" / "model"
    assert (best / "known.json").read_bytes() == (base / "known.json").read_bytes()


def test_without_rollback_verdicts_are_alarms_and_the_run_goes_on_to_its_end(tmp_path: Path) -> None:
    history = loop.run(memorizing(tmp_path, guard=["./never.py"], patience=1, rollback=False), tmp_path / "run")
    assert [generation.parent for generation in history] == [0, 0, 1, 2]
    assert all(generation.accepted for generation in history)
    assert [len(generation.rejections) for generation in history] == [0, 1, 1, 1]
    assert {row.source for row in rows(tmp_path / "run", 3)} == {"generation-02"}
    assert RunFolder(tmp_path / "run").generations() == history
    assert json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))["stuck"] is False
    text = story(tmp_path / "run", rows(tmp_path / "run", 1)[0].id)
    assert "an alarm was raised on its generation by never: no" in text
    assert "rolled back" not in text


def test_without_rollback_nothing_is_built_on_training_that_went_astray(tmp_path: Path) -> None:
    changes = [
        "base_train.sft.steps=5",
        "generations=3",
        "patience=1",
        "rollback=false",
        "train.sft.learning_rate=1.0e+30",
    ]
    names_recipe = Recipe.load("names", [*NAMES, f"real={names(tmp_path)}", "evaluate=loss", *changes])
    history = loop.run(names_recipe, tmp_path / "run")
    assert [generation.accepted for generation in history] == [True, False, False, False]
    assert [generation.parent for generation in history] == [0, 0, 0, 0]


def test_nothing_generated_is_real_rows_alone(tmp_path: Path) -> None:
    history = loop.run(memorizing(tmp_path, generate=[], generations=2), tmp_path / "run")
    assert [(generation.counts.get("made", 0), generation.real_share) for generation in history] == [(0, 1.0)] * 3
    assert rows(tmp_path / "run", 2) == []


def test_fewer_rows_to_learn_from_leave_the_same_held_out(tmp_path: Path) -> None:
    for limit in (0, 10):
        recipe = memorizing(tmp_path, max_train_rows=limit, generations=0)
        loop.run(recipe, tmp_path / f"run-{limit}")
    few, many = (RunFolder(tmp_path / name).rows("real") or [] for name in ("run-10", "run-0"))
    assert len(few) == 10
    assert {row.id for row in few} < {row.id for row in many}
    assert RunFolder(tmp_path / "run-10").rows("held_out") == RunFolder(tmp_path / "run-0").rows("held_out")


def test_another_teacher_writes_where_the_recipe_names_one(finished: Path, tmp_path: Path) -> None:
    teacher = {"tiny": {"folder": str(finished / "best")}}
    loop.run(memorizing(tmp_path, generate=[{"propose": {"count": 20}}], teacher=teacher), tmp_path / "run")
    assert {row.source for row in rows(tmp_path / "run", 1)} == {"run"}


def test_the_student_writes_what_a_teacher_only_trains_it_on(finished: Path, tmp_path: Path) -> None:
    """Generation 0 of both runs is the same model; only who is named as the writer differs."""
    teacher = {"tiny": {"folder": str(finished / "best")}}
    few = (
        "generations=1",
        "real.programs.rows=100",
        "held_out=20",
        "generate.propose.count=20",
        "base_train.sft.steps=2",
    )
    tree = first(*few).dump() | {"train": {"distill": {"steps": 2}}, "teacher": teacher}
    makers = {}
    for writer in ("student", "teacher"):
        loop.run(Recipe.of(tree | {"generate_with": writer}), tmp_path / writer)
        made = rows(tmp_path / writer, 1)
        makers[writer] = {row.source for row in made if row.method == "propose"}
    assert makers == {"student": {"generation-00"}, "teacher": {"run"}}


def test_restarting_from_the_base_and_going_on_are_different_runs(tmp_path: Path) -> None:
    models = {}
    for start in ("base", "previous"):
        loop.run(memorizing(tmp_path, init_from=start, generations=2, mix="replace"), tmp_path / start)
        models[start] = [(tmp_path / start / f"generation-{at:02d}/model/known.json").read_bytes() for at in (1, 2)]
    assert models["base"][0] == models["previous"][0]
    assert models["base"][1] != models["previous"][1]


def test_the_next_level_opens_when_the_one_before_is_mastered(tmp_path: Path) -> None:
    two: dict[str, Any] = {"real": {"programs": {"rows": 60, "levels": 2}}, "level": 1, "generations": 2}
    two["evaluate"] = [{"accuracy": {"by": ["level"]}}]
    easy = memorizing(tmp_path, **two, level_up_accuracy=0.0)
    assert [generation.level for generation in loop.run(easy, tmp_path / "easy")] == [1, 2, 2]
    assert {row.level for row in rows(tmp_path / "easy", 1) if row.status == "kept"} == {1, 2}
    strict = memorizing(tmp_path, **two, level_up_accuracy=1.0)
    assert [generation.level for generation in loop.run(strict, tmp_path / "strict")] == [1, 1, 1]
    assert {row.level for row in rows(tmp_path / "strict", 2) if row.status == "kept"} == {1}


def test_the_best_of_equals_is_the_first_and_rolled_back_ones_do_not_count() -> None:
    def generation(number: int, value: float, ok: bool = True) -> Generation:
        score = Score("loss", value, 10, value, value, direction="lower")
        return Generation(number, 0, 0, {}, 1.0, (score,), (Verdict(ok),))

    history = [generation(0, 2.0), generation(1, 1.5), generation(2, 1.5), generation(3, 1.0, ok=False)]
    assert loop.best_of(history, "loss").number == 1


def test_a_goal_that_nothing_measures_names_what_is_measured(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match=r"there is no score 'skill'; this recipe measures: accuracy"):
        loop.run(replace(memorizing(tmp_path), goal="skill"), tmp_path / "run")


@pytest.mark.slow
def test_vote_needs_no_truth_and_names_run_on_documents(tmp_path: Path) -> None:
    changes = (
        "grade=[{self_consistency: {min_agreement: 0.1, temperature: 0.3}}]",
        "curate.min_score.min_score=0.1",
        "base_train.sft.steps=250",
    )
    vote = first(*changes, "generations=1")
    assert loop.run(vote, tmp_path / "vote")[1].counts["kept"] > 0
    lines = Recipe.load("names", [*NAMES, f"real={names(tmp_path)}", "generations=1"])
    history = loop.run(lines, tmp_path / "names")
    assert history[1].counts["kept"] > 0
    assert {row.prompt for row in rows(tmp_path / "names", 1)} == {""}


@pytest.mark.slow
def test_sampling_answers_to_real_prompts_with_a_band(tmp_path: Path) -> None:
    tree = first("generations=1", "real.programs.rows=120", "held_out=60").dump()
    tree |= {
        "generate": [{"sample": {"n": 4}}],
        "grade": ["exact_match", "verify"],
        "curate": ["pass_rate_band", "min_score", "dedup"],
    }
    history = loop.run(Recipe.of(tree), tmp_path / "run")
    made = rows(tmp_path / "run", 1)
    assert len(made) == 4 * 60 == history[1].counts["made"]
    real = {row.id for row in RunFolder(tmp_path / "run").rows("real") or []}
    assert all(set(row.parents) <= real for row in made)
    assert {row.reason.split(":")[0] for row in made if row.status == "rejected"} <= {
        "pass_rate_band",
        "exact_match",
        "verify",
        "dedup",
    }


def test_explain_tells_the_story_down_to_real_rows(finished: Path) -> None:
    row = next(row for row in rows(finished, 2) if row.method == "restate")
    command = [sys.executable, "-m", "selfsown", "explain", str(finished), row.id[:12]]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"synthetic row {row.id}")
    assert "by propose, written by generation-01" in said
    assert "generation 0 learned from 300 real rows alone" in said
    real = (RunFolder(finished).rows("real") or [])[0]
    command[-1] = real.id
    assert "comes from programs" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_graded_self_learning_beats_the_same_steps_on_real_rows_alone(tmp_path: Path) -> None:
    """Three levels of evidence would be a benchmark; here one seed and a wide margin."""
    more = (
        "base_train.sft.batch_size=128",
        "train.sft.batch_size=64",
        "train.sft.steps=250",
        "generate.propose.count=3000",
        "generations=2",
    )
    graded = loop.run(first(*more), tmp_path / "graded")
    alone = loop.run(first(*more, "generate.propose.count=0"), tmp_path / "alone")
    goal = first().goal
    assert graded[2].score(goal).value > alone[2].score(goal).value + 0.1  # type: ignore[union-attr]


@pytest.mark.parametrize(("then", "learned"), [([], 10), ([{"./pupil.py": {"share": 0.75}}], 30)])
def test_ways_of_training_follow_one_another_in_all_generations_but_the_first(
    then: list[object], learned: int, tmp_path: Path
) -> None:
    shutil.copy(pupil.__file__, tmp_path)
    tree = {**pupil.RECIPE, "generate": [], "base_train": {"./pupil.py": {"share": 0.25}}}
    tree["train"] = [{"./pupil.py": {"share": 0.25}}, *then]
    loop.run(Recipe.of(tree, tmp_path), tmp_path / "run")
    known = [json.loads((tmp_path / f"run/generation-{at:02d}/model/known.json").read_text()) for at in (0, 1)]
    assert [len(each) for each in known] == [10, learned]
