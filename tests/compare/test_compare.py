"""A comparison through the real command: numbers, words, mistakes, and a kill in the middle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from arms import compare_in_process, compare_with_child_processes
from command import FILE, Finished, refused, run_in_process, selfsown, tree, written

from selfsown.run_folder import RunFolder
from selfsown.stats.intervals import student
from testing.mock_server import Server

SIZE = ("--set", "train../pupil.py.share=1.0", "--set", "generations=2")


def outcome(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    return found


def last(folder: Path, key: str) -> float:
    score = RunFolder(folder).generations()[-1].score(key)
    assert score
    return score.value


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """Three arms over two seeds, one of them a change that the user wrote."""
    folder = tmp_path_factory.mktemp("compared")
    written(folder)
    return folder, selfsown(
        folder, "compare", "mine.yaml", "--arms", "graded,real", "max_train_rows=15; mix=replace", "--seeds", "2", *SIZE
    )


def test_every_arm_and_seed_is_a_run_that_can_be_repeated_by_hand(compared: tuple[Path, Finished]) -> None:
    folder, done = compared
    assert not done.returncode, done.stderr
    assert "selfsown: " not in done.stderr  # a slow machine shows its progress there
    found = outcome(folder / "runs/mine-compare")
    assert [arm["name"] for arm in found["arms"]] == ["graded", "real", "max_train_rows=15; mix=replace"]
    assert (found["recipe"], found["goal"], found["seeds"]) == ("mine", "accuracy", [0, 1])
    assert (found["reference"], found["data_efficiency"]) == ("graded", None)
    assert found["arms"][1]["changes"] == [*SIZE[1::2], "generate=[]", "rollback=false", "control=false"]
    for at, arm in enumerate(found["arms"]):
        run = folder / "runs/mine-compare" / arm["folder"] / "seed-1"
        sets = [part for change in [*arm["changes"], "seed=1"] for part in ("--set", change)]
        again = run_in_process(folder, "run", "mine.yaml", f"again-{at}", *sets)
        assert not again.returncode, again.stderr
        for generation in Path("generation-01", "generation.json"), Path("generation-02", "generation.json"):
            assert (folder / f"again-{at}" / generation).read_bytes() == (run / generation).read_bytes()


def test_the_numbers_are_those_of_the_run_folders(compared: tuple[Path, Finished]) -> None:
    folder = compared[0] / "runs/mine-compare"
    found = outcome(folder)
    ends = {
        arm["name"]: [last(folder / arm["folder"] / f"seed-{k}", "accuracy") for k in (0, 1)] for arm in found["arms"]
    }
    for arm in found["arms"]:
        score, mine = arm["scores"]["accuracy"], ends[arm["name"]]
        histories = [RunFolder(folder / arm["folder"] / f"seed-{k}").generations() for k in (0, 1)]
        assert score["last"] == mine
        assert score["first"] == [history[0].score("accuracy").value for history in histories]  # type: ignore[union-attr]
        best = [max(each.score("accuracy").value for each in history) for history in histories]  # type: ignore[union-attr]
        assert score["best"] == best
        assert score["mean"] == pytest.approx(statistics.mean(mine))
        assert (score["low"], score["high"]) == pytest.approx(student(mine))
        assert set(arm["scores"]) == {"accuracy", "loss"}
        assert all(seconds > 0 for seconds in arm["cpu_seconds"] + arm["wall_seconds"])
        assert arm["unmetered"] == [0, 0]
    gaps = [a - b for a, b in zip(ends["graded"], ends["real"], strict=True)]
    difference = found["arms"][1]["scores"]["accuracy"]["difference"]
    assert difference["mean"] == pytest.approx(statistics.mean(gaps))
    assert (difference["low"], difference["high"]) == pytest.approx(student(gaps))
    assert found["arms"][0]["scores"]["accuracy"]["difference"] is None


def test_each_arm_is_reported_when_it_ends_and_in_the_table(compared: tuple[Path, Finished]) -> None:
    folder, done = compared
    progress = [line for line in done.stdout.splitlines() if ", seed " in line]
    assert len(progress) == 6
    assert all(line.endswith(" left") for line in progress[:-1])
    assert " left" not in progress[-1]
    found, table = outcome(folder / "runs/mine-compare"), (folder / "runs/mine-compare/table.md").read_text("utf-8")
    assert len(found["sentences"]) == 2
    for sentence in found["sentences"]:
        assert sentence in done.stdout
        assert f"- {sentence}" in table
        assert sentence.startswith("graded − ")
        assert sentence.endswith(("better", "worse", "no significant difference", "no test possible"))
    for arm in found["arms"]:
        assert f"| {arm['name']} | {arm['scores']['accuracy']['mean']:.3f}" in table


def test_given_again_it_only_reads_and_more_seeds_go_on(compared: tuple[Path, Finished], tmp_path: Path) -> None:
    shutil.copytree(compared[0], tmp_path, dirs_exist_ok=True)
    order = ("compare", "mine.yaml", "--arms", "graded", "real", *SIZE)
    before = (tmp_path / "runs/mine-compare/real/seed-0.cost.json").read_bytes()
    done = compare_in_process(tmp_path, *order, "--seeds", "2")
    assert ", seed " not in done.stdout
    assert len(outcome(tmp_path / "runs/mine-compare")["arms"]) == 2
    done = compare_in_process(tmp_path, *order, "--seeds", "3", "--jobs", "1")
    assert done.stdout.count(", seed ") == 2
    assert outcome(tmp_path / "runs/mine-compare")["seeds"] == [0, 1, 2]
    assert (tmp_path / "runs/mine-compare/real/seed-0.cost.json").read_bytes() == before


def test_one_seed_gives_no_interval_and_says_so(compared: tuple[Path, Finished], tmp_path: Path) -> None:
    shutil.copytree(compared[0], tmp_path, dirs_exist_ok=True)
    done = compare_in_process(tmp_path, "compare", "mine.yaml", "--arms", "graded,real", *SIZE, "--seeds", "1")
    score = outcome(tmp_path / "runs/mine-compare")["arms"][1]["scores"]["accuracy"]
    assert (score["low"], score["high"], score["difference"]["low"]) == (None, None, None)
    assert "with one seed: no interval, no test possible" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--arms", "graded,shufled"], ["unknown arm 'shufled'", "did you mean 'shuffled'?", "init_from=base"]),
        (["--arms", ","], ["--arms names no arm", "graded"]),
        (["--arms", "graded", "max_train_row=1"], ["arm max_train_row=1 is invalid", "did you mean 'max_train_rows'?"]),
        (["--arms", "graded", "held_out=15"], ["arm held_out=15", "other held-out rows", "change max_train_rows"]),
        (["--arms", "graded", "goal=loss"], ["arm goal=loss", "another goal or evaluate"]),
        (["--arms", "graded", "seed=3"], ["'seed=3'", "--seeds"]),
        (["--set", "rollback=true"], ["'rollback=true'", "every arm"]),
        (["--seeds", "0"], ["--seeds is 0", "1 or more"]),
        (["--jobs", "-1", "--arms", "real"], ["--jobs is -1"]),
        (["--real-rows", "1x,two"], ["'two'", "1x,2x"]),
        (["--claim", "6.6"], ["--claim is 6.6", "--real-rows"]),
        (["--real-rows", "1x", "--prices", "gone.yaml"], ["gone.yaml"]),
        ([*FILE], ["arm vote", "prompt", "--arms graded"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_line_before_anything_runs(arguments: list[str], said: list[str], tmp_path: Path) -> None:
    written(tmp_path)
    before = tree(tmp_path)
    message = refused(compare_in_process(tmp_path, "compare", "mine.yaml", *arguments))
    assert all(part in message for part in said), message
    assert tree(tmp_path) == before


def test_another_folder_s_contents_are_left_alone(compared: tuple[Path, Finished], tmp_path: Path) -> None:
    shutil.copytree(compared[0], tmp_path, dirs_exist_ok=True)
    own = tmp_path / "runs/mine-compare/graded"
    shutil.copytree(own / "seed-0", tmp_path / "one-run")
    order = ("compare", "mine.yaml")
    assert "is a file" in refused(compare_in_process(tmp_path, *order, "names.txt"))
    assert "not of a comparison" in refused(compare_in_process(tmp_path, *order, "."))
    assert "folder of one run" in refused(compare_in_process(tmp_path, *order, "one-run"))
    arms = ("--arms", "graded", "--seeds", "1")
    changed = refused(compare_in_process(tmp_path, *order, *arms, *SIZE, "--set", "max_train_rows=12"))
    assert "in arm graded, max_train_rows was 0, now it is 12" in changed
    (tmp_path / "other.yaml").write_text((tmp_path / "mine.yaml").read_text("utf-8"), encoding="utf-8")
    assert "compares the recipe 'mine'" in refused(
        compare_in_process(tmp_path, "compare", "other.yaml", "runs/mine-compare", *arms)
    )
    (own / "seed-0.cost.json").write_text("[", encoding="utf-8")
    assert "seed-0.cost.json is damaged" in refused(compare_in_process(tmp_path, *order, *arms, *SIZE))
    (own / "seed-0/recipe.yaml").write_text(": : [", encoding="utf-8")
    assert "recipe.yaml is damaged; delete" in refused(compare_in_process(tmp_path, *order, *arms, *SIZE))


def test_a_run_that_fails_is_named_with_its_own_words_and_the_others_are_stopped(tmp_path: Path) -> None:
    written(tmp_path, guard=["./late.py"])
    (tmp_path / "late.py").write_text(
        '"""Fail where a rehearsal cannot see it in one arm; in the others, take long."""\n'
        "import time\nfrom selfsown.records import Verdict\n"
        "def guard(history, real):\n"
        "    if history[-1].counts and len(real) == 15:\n"
        "        raise ValueError('too late')\n"
        "    time.sleep(60 * bool(history[-1].counts))\n"
        "    return Verdict(True, 'fine', 'late')\n",
        encoding="utf-8",
    )
    began = time.monotonic()
    arms = ("--arms", "real", "max_train_rows=15", "--seeds", "1", "--jobs", "2")
    message = refused(compare_with_child_processes(tmp_path, "compare", "mine.yaml", "c", *arms))
    assert "arm max_train_rows=15, seed 0: guard../late.py failed: ValueError: too late" in message
    assert time.monotonic() - began < 50
    assert not (tmp_path / "c/compare.json").exists()
    cost = json.loads((tmp_path / "c/real/seed-0.cost.json").read_text("utf-8"))
    assert cost["unmetered"] == 0
    assert cost["cpu_seconds"] > 0


def test_data_efficiency_is_measured_on_the_same_held_out_rows(tmp_path: Path) -> None:
    written(tmp_path)
    order = ("compare", "mine.yaml", "c", "--real-rows", "1x,2x", "--seeds", "2", "--set", "max_train_rows=20")
    done = compare_in_process(tmp_path, *order)
    assert not done.returncode, done.stderr
    assert "selfsown: " not in done.stderr  # a slow machine shows its progress there
    found = outcome(tmp_path / "c")
    assert [arm["name"] for arm in found["arms"]] == ["graded", "real-1x", "real-2x"]
    needs = found["data_efficiency"]
    assert (needs["rows"], needs["loop"]) == ({"real-1x": 20, "real-2x": 40}, "graded")
    for seed in (0, 1):
        runs = [tmp_path / "c" / arm["folder"] / f"seed-{seed}" for arm in found["arms"]]
        assert len({(run / "held_out.parquet").read_bytes() for run in runs}) == 1
        assert [len(RunFolder(run).rows("real") or []) for run in runs] == [20, 20, 40]
    goal = needs["scores"]["accuracy"]
    assert goal["loop"] == found["arms"][0]["scores"]["accuracy"]["last"]
    assert goal["curve"] == {arm["name"]: arm["scores"]["accuracy"]["best"] for arm in found["arms"][1:]}
    assert goal["summary"] in (tmp_path / "c/table.md").read_text("utf-8")
    assert needs["cost"]["prices"] == {"real_row": 0.09, "cpu_hour": 0.05}
    assert (needs["claim"], "Palmyra" in done.stdout) == (None, False)
    asked = compare_in_process(tmp_path, *order, "--claim", "2")
    claim = outcome(tmp_path / "c")["data_efficiency"]["claim"]
    assert claim["verdict"] in ("≥ 2.0×", "< 2.0×", "unknown", "no ratio")
    assert claim["summary"] in asked.stdout
    assert len(claim["ratios"]) == 2
    assert (tmp_path / "c/prices.yaml").exists()


def test_what_a_paid_teacher_took_is_charged_to_the_arm_that_asked(tmp_path: Path) -> None:
    written(tmp_path, generate=[{"sample": {"n": 2}}], grade=[], generations=1)
    with Server() as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, price: {{input: 1000, output: 2000}}}}}}"
        order = ("compare", "mine.yaml", "c", "--real-rows", "1x,2x", "--seeds", "1", "--set", "max_train_rows=20")
        done = compare_in_process(tmp_path, *order, "--set", teacher)
        usage = server.told
    assert (done.returncode, done.stderr) == (0, "")
    paid = (1000 * usage["prompt_tokens"] + 2000 * usage["completion_tokens"]) / 1e6
    assert paid > 0
    assert [arm["model_usd"] for arm in outcome(tmp_path / "c")["arms"]] == [[pytest.approx(paid)], [0.0], [0.0]]


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_in_the_middle_it_leaves_no_run_behind_and_goes_on(ending: signal.Signals, tmp_path: Path) -> None:
    written(tmp_path, guard=["./wait.py"], generations=3)
    (tmp_path / "wait.py").write_text(
        '"""Wait in generation 1 for as long as the file `hold` exists."""\n'
        "import time\nfrom pathlib import Path\nfrom selfsown.records import Verdict\n"
        "def guard(history):\n"
        "    while history[-1].counts and Path('hold').exists():\n"
        "        time.sleep(0.05)\n"
        "    return Verdict(True, 'fine', 'wait')\n",
        encoding="utf-8",
    )
    (tmp_path / "hold").touch()
    arguments = ["compare", "mine.yaml", "c", "--arms", "graded", "max_train_rows=15", "--seeds", "1", "--jobs", "2"]
    order = [sys.executable, "-m", "selfsown", *arguments]
    process = subprocess.Popen(order, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runs = [tmp_path / "c" / folder / "seed-0" for folder in ("graded", "max_train_rows=15")]
    while not all((run / "generation-00/generation.json").exists() for run in runs):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(ending)
    process.wait(20)
    assert process.returncode == (-ending if ending == signal.SIGKILL else 130)
    (tmp_path / "hold").unlink()
    if ending == signal.SIGKILL:
        until = time.monotonic() + 60
        while any(at_work(run) for run in runs):
            assert time.monotonic() < until, "a run outlives its parent"
            time.sleep(0.1)
    assert not any(at_work(run) for run in runs)
    assert not (runs[0] / "result.json").exists()
    done = subprocess.run(order, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    killed = int(ending == signal.SIGKILL)
    assert [arm["unmetered"] for arm in outcome(tmp_path / "c")["arms"]] == [[killed], [killed]]
    assert [len(RunFolder(run).generations()) for run in runs] == [4, 4]


def at_work(folder: Path) -> bool:
    """Whether a process holds the folder."""
    import filelock

    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            return False
    except filelock.Timeout:
        return True


def test_a_run_that_is_still_at_work_is_named(compared: tuple[Path, Finished], tmp_path: Path) -> None:
    import filelock

    shutil.copytree(compared[0], tmp_path, dirs_exist_ok=True)
    run = tmp_path / "runs/mine-compare/real/seed-1"
    os.remove(run / "result.json")
    with filelock.FileLock(run / ".lock"):
        done = compare_with_child_processes(
            tmp_path, "compare", "mine.yaml", "--arms", "graded,real", *SIZE, "--seeds", "2"
        )
    assert "arm real, seed 1: another process is using" in refused(done)


def test_a_file_that_has_changed_between_two_arms_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "names.txt").write_text("".join(f"text {at * 7919 % 1000}\n" for at in range(50)), encoding="utf-8")
    order = ["compare", "mine.yaml", "c", "--seeds", "1", *FILE, "--set", "generations=0", "--arms", "graded"]
    done = compare_in_process(tmp_path, *order)
    assert done.returncode == 0, done.stderr
    (tmp_path / "names.txt").write_text("".join(f"other {at}\n" for at in range(50)), encoding="utf-8")
    done = compare_in_process(tmp_path, *order, "init_from=base")
    assert done.returncode == 2
    assert "seed 0 were measured on different held-out rows" in done.stderr


def test_prices_without_real_rows_are_refused(tmp_path: Path) -> None:
    done = compare_in_process(tmp_path, "compare", "first", "--prices", "mine.yaml")
    assert done.returncode == 2
    assert "--prices needs --real-rows" in done.stderr
