"""The control: real rows alone for as many training steps, and what decides never sees what reports."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, cast

import pupil
import pytest
from histories import generation, score, terminal
from small import FIRST, NAMES, names
from test_kill import command
from test_loop import contents

from selfsown import loop
from selfsown.callbacks import Callbacks
from selfsown.compare.arms import parse_arms
from selfsown.findings import Findings
from selfsown.holdout import validation_and_test
from selfsown.html import report
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, SelfsownError
from selfsown.run_folder import RunFolder

QUICK = (*NAMES, "base_train.sft.steps=5", "train.sft.steps=5", "generations=2", "guard=[]", "evaluate=loss")
QUICK += ("generate.propose.count=50", "grade=[]", "curate=min_score", "control=true")
NO_FIRST = """\"\"\"Refuse generation 1.\"\"\"
from selfsown.records import Verdict
def guard(history):
    return Verdict(history[-1].number != 1, "not the first")
"""
NOTHING = """\"\"\"Nothing is right.\"\"\"
from selfsown.records import Grade
def grade(rows):
    return [Grade(0.0, "no") for row in rows]
"""
SPY = """\"\"\"Write down all that a guard is shown.\"\"\"
import json
from selfsown.records import Verdict
def guard(history, held_out, baselines, written, *, file: str = ""):
    seen = [[[s.value, s.n] for s in g.scores] for g in history]
    also = [[[s.value, s.n] for s in g.validation_scores] for g in history]
    models = [[s.n for s in scores] for scores in baselines(2)]
    with open(file, "a") as out:
        said = {"ids": [row.id for row in held_out], "seen": seen, "also": also, "models": models}
        out.write(json.dumps(said) + "\\n")
    written(history[-1].number, 5)
    return Verdict(True, "fine")
"""


MEASURE = """\"\"\"A score that tells which rows it was measured on.\"\"\"
from selfsown.records import Score
def evaluate(held_out):
    value = sum(int(row.id[:8], 16) for row in held_out) / len(held_out) / 2**32
    return [Score("accuracy", value, len(held_out), 0.0, 1.0)]
"""


def ran(folder: Path, *, files: dict[str, str] | None = None, **changes: Any) -> list[Generation]:
    """A run of the pupil, who learns in no time, with the control on."""
    beside = folder.parent / f"{folder.name}-recipe"
    beside.mkdir(exist_ok=True)
    shutil.copy(pupil.__file__, beside)
    for name, text in (files or {}).items():
        (beside / name).write_text(text, encoding="utf-8")
    tree = {**pupil.RECIPE, "name": "mine", "generations": 3, "control": True, **changes}
    return loop.run(Recipe.of(tree, beside), folder)


def quick(folder: Path, *changes: str) -> Recipe:
    """A ready recipe that trains the embedded model for a few steps."""
    return Recipe.load("names", [*QUICK, f"real={folder / 'names.txt'}", *changes])


def control(folder: Path) -> list[Generation]:
    return RunFolder(folder).generations("control")


def files(folder: Path, below: str) -> dict[str, bytes]:
    return {name: text for name, text in contents(folder).items() if name.startswith(below)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its control, and the same recipe on real rows alone."""
    folder = tmp_path_factory.mktemp("both")
    names(folder)
    loop.run(quick(folder), folder / "run")
    loop.run(quick(folder, "generate=[]", "rollback=false", "control=false"), folder / "alone")
    return folder


def test_the_control_has_the_bytes_of_a_run_on_real_rows_alone(both: Path) -> None:
    for number in (1, 2):
        name = f"generation-{number:02d}/"
        found = {each.removeprefix("control/"): text for each, text in files(both / "run", f"control/{name}").items()}
        assert len(found) > 3
        assert found == files(both / "alone", name)
    start = files(both / "run", "control/generation-00/model")
    assert {each.removeprefix("control/"): text for each, text in start.items()} == files(
        both / "alone", "generation-00/model"
    )
    assert all(each.real_share == 1.0 and not each.counts["made"] for each in control(both / "run")[1:])


def test_the_run_itself_is_the_same_with_and_without_its_control(both: Path, tmp_path: Path) -> None:
    """Turned on later for a finished folder it adds itself and nothing else."""
    plain = loop.run(quick(both, "control=false"), tmp_path / "run")
    before = contents(tmp_path / "run")
    assert not (tmp_path / "run/control").exists()
    assert loop.run(quick(both), tmp_path / "run") == plain
    after = contents(tmp_path / "run")
    assert after == contents(both / "run")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"recipe.yaml"}
    assert all(name.startswith("control/") for name in after.keys() - before.keys())
    assert loop.run(quick(both, "control=false"), tmp_path / "run") == plain, "and off again"


@pytest.mark.parametrize(
    ("changes", "parents", "trained"),
    [
        ({}, [0, 0, 1, 2], 3),
        ({"init_from": "base"}, [0, 0, 1, 2], 1),
        ({"guard": ["./no_first.py"]}, [0, 0, 0, 2], 2),
        ({"guard": ["./no_first.py"], "rollback": False}, [0, 0, 1, 2], 3),
        ({"guard": ["./no_first.py"], "init_from": "base"}, [0, 0, 0, 2], 1),
        ({"generations": 1}, [0, 0], 1),
        ({"train": [{"./pupil.py": {"share": 0.5}}, {"./pupil.py": {"share": 0.75}}]}, [0, 0, 1, 2], 3),
    ],
)
def test_it_is_trained_as_often_as_the_longest_accepted_chain(
    changes: dict[str, Any], parents: list[int], trained: int, tmp_path: Path
) -> None:
    found = ran(tmp_path / "run", files={"no_first.py": NO_FIRST}, **changes)
    assert [each.parent for each in found] == parents
    assert len(control(tmp_path / "run")) == trained + 1
    assert control(tmp_path / "run")[0] == found[0]
    real = {row.prompt for row in RunFolder(tmp_path / "run").rows("real") or []}
    for number in range(1, trained + 1):
        known = json.loads((tmp_path / f"run/control/generation-{number:02d}/model/known.json").read_text())
        assert set(known) <= real, "it has learned from real rows alone"


@pytest.mark.parametrize(
    "changes",
    [
        {"generate": []},
        {"generate": [{"propose": {"count": 0}}]},
        {"grade": "./nothing.py"},
        {"generations": 0},
        {"guard": ["./never.py"]},
        {"control": False},
    ],
)
def test_it_is_not_run_where_no_synthetic_row_was_learned_from(changes: dict[str, Any], tmp_path: Path) -> None:
    never = NO_FIRST.replace("history[-1].number != 1", "False")
    ran(tmp_path / "run", files={"nothing.py": NOTHING, "never.py": never}, **changes)
    assert not (tmp_path / "run/control").exists()


def test_more_generations_later_take_a_longer_control_and_end_the_same(tmp_path: Path) -> None:
    ran(tmp_path / "run", generations=2)
    assert len(control(tmp_path / "run")) == 3
    ran(tmp_path / "run", generations=4)
    ran(tmp_path / "whole", generations=4)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_deleted_control_credits_nothing_and_comes_back_the_same(tmp_path: Path) -> None:
    found, at = ran(tmp_path / "run"), tmp_path / "run"
    whole = contents(at)
    assert Findings(found, control(at), "accuracy", "previous", False, "runs/x").equal_control
    page = report.write(at).read_text(encoding="utf-8")
    assert "The dashed grey line is the control" in page
    assert "control: real rows alone" in page
    assert sum(line.rstrip().endswith(" control") for line in terminal(found, control(at)).splitlines()) == 1
    for lost, left in ((at / "control", 0), (at / "control/generation-02/generation.json", 2)):
        shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
        assert len(control(at)) == left
        page = report.write(at).read_text(encoding="utf-8")
        assert "No control was trained for as many steps" in page
        assert "synthetic rows helped" not in page
        ran(at)
        assert contents(at) == whole


def test_stopped_at_every_single_write_of_the_control_it_goes_on_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th file or model is written in full, but never gets its name: as if the power went just then."""
    ran(tmp_path / "whole", generations=2)
    wanted, rename = contents(tmp_path / "whole"), Path.replace
    ran(tmp_path / "plain", generations=2, control=False)
    stop, stopped = 0, True
    while stopped:
        left = [stop]

        def refuse(path: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return rename(path, target)

        at = shutil.copytree(tmp_path / "plain", tmp_path / f"stopped-{stop}")
        shutil.copytree(tmp_path / "plain-recipe", tmp_path / f"stopped-{stop}-recipe")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            try:
                ran(at, generations=2)
                stopped = False
            except KeyboardInterrupt:
                stop += 1
        ran(at, generations=2)
        assert contents(at) == wanted
    # recipe, pupil, generation 0 (model, scores), two with rows, model and scores, decontamination, best, result
    assert stop == 13


@pytest.mark.slow
def test_killed_in_the_control_a_run_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    changes = (*FIRST, "generations=2", "generate.propose.count=200", "control=true")
    order = command("first", changes, tmp_path / "whole")
    subprocess.run(order, check=True, capture_output=True, timeout=300)
    wanted, rng = contents(tmp_path / "whole"), random.Random(0)
    for kill in range(3):
        at = tmp_path / f"killed-{kill}"
        process = subprocess.Popen(command("first", changes, at), stdout=subprocess.DEVNULL)
        until = time.monotonic() + 300
        while not (at / "control").exists() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (at / "result.json").exists(), "it was in the control"
        subprocess.run(command("first", changes, at), check=True, capture_output=True, timeout=300)
        assert contents(at) == wanted


@pytest.mark.parametrize("way", ["dpo", "grpo"])
@pytest.mark.parametrize("before", [[], ["sft"]], ids=["alone", "after sft"])
def test_training_that_learns_nothing_from_real_rows_alone_has_none(way: str, before: list[str]) -> None:
    tree = Recipe.load("first", ["control=true", "base_train={sft: {steps: 5}}"]).dump()
    with pytest.raises(SelfsownError, match=rf"control: true .* from which train\.{way} learns nothing: leave it out"):
        Recipe.of(tree | {"train": [*before, way]})


def test_no_arm_of_a_comparison_has_one_for_the_arm_real_is_it() -> None:
    recipe = Recipe.load("first")
    assert recipe.control
    for arm in parse_arms(recipe, [], ["graded", "real", "init_from=base"]):
        assert not arm.recipe("first", 0).control
    with pytest.raises(
        SelfsownError, match="'control=true' cannot be set in a comparison: the arm real is the control"
    ):
        parse_arms(recipe, ["control=true"], ["graded"])


def test_guards_and_baselines_see_validation_rows_and_nothing_of_the_test_rows(tmp_path: Path) -> None:
    spy = {"./spy.py": {"file": str(tmp_path / "seen.jsonl")}}
    found = ran(tmp_path / "run", files={"spy.py": SPY, "own.py": MEASURE}, guard=[spy], evaluate="./own.py")
    validation, test = validation_and_test(RunFolder(tmp_path / "run").rows("held_out") or [], 0)
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert len(lines) == 1 + 3, "in the rehearsal, and after each of three generations"
    for line in lines:
        assert line["ids"] == [row.id for row in validation]
        assert not {row.id for row in test} & set(line["ids"])
    for number, line in enumerate(lines[1:], 1):
        measured = [[[s.value, s.n] for s in each.validation_scores] for each in found[: number + 1]]
        assert line["seen"] == line["also"] == measured
        assert [counts[0] for counts in line["models"]] == [len(validation)] * 2
    assert found[0].scores != found[0].validation_scores


@pytest.mark.parametrize(("validation", "test", "level"), [(0.95, 0.1, 2), (0.1, 0.95, 1), (0.9, 0.0, 2)])
def test_the_next_level_is_opened_by_validation_rows(validation: float, test: float, level: int) -> None:
    recipe = Recipe.load("first")
    found = generation(
        1,
        0.5,
        scores=(score(test, key="accuracy[level=1]"),),
        validation_scores=(score(validation, key="accuracy[level=1]"),),
    )
    engine = loop.Loop(recipe, cast(Any, None), recipe.real(), [], [], Callbacks())
    assert engine.level_after(found) == level
