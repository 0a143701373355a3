"""The real command: what it prints, and that a user's mistake is one line, exit code 2, and no folder."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command import FILE, Finished, refused, run_in_process, selfsown, tree, written
from jsonschema import Draft202012Validator

from selfsown import __version__
from selfsown.run_folder import RunFolder


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """The folder in which the user's own recipe ran, and what was printed."""
    folder = tmp_path_factory.mktemp("ran")
    written(folder)
    return folder, selfsown(folder, "run", "mine.yaml")


def test_help_names_every_command(tmp_path: Path) -> None:
    done = selfsown(tmp_path, "--help")
    assert done.returncode == 0
    commands = ("run", "check", "compare", "explain", "report", "export", "push", "list", "show", "schema")
    assert all(command in done.stdout for command in commands)
    codes = " ".join(done.stdout.split())
    assert "4 it ran and the result is bad" in codes
    assert "130 interrupted" in codes
    assert run_in_process(tmp_path, "--version").stdout.strip() == __version__


def test_check_prints_a_ready_recipe_as_it_would_run(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, "check", "first", "--set", "seed=7", "--set", "generations=1")
    assert done.returncode == 0
    counts, *others = done.stderr.splitlines()
    assert " real rows = " in counts
    assert [line.split(":")[1] for line in others] == [" warning", " warning"]
    printed = yaml.safe_load(done.stdout)
    assert (printed["name"], printed["seed"], printed["generations"]) == ("first", 7, 1)
    assert {"real", "student", "generate", "grade", "curate", "mix", "train", "evaluate", "goal"} <= set(printed)
    assert not tree(tmp_path)


def test_run_prints_progress_and_writes_its_folder(ran: tuple[Path, Finished]) -> None:
    folder, done = ran
    assert (done.returncode, done.stderr) == (0, "")
    assert "a student learns by heart" in done.stdout
    assert "generation 1" in done.stdout
    history = RunFolder(folder / "runs" / "mine").generations()
    assert [generation.number for generation in history] == [0, 1]
    counts = history[1].counts
    assert counts["made"] == sum(counts.get(end, 0) for end in ("kept", "rejected", "failed")) > 0
    assert (folder / "runs/mine/best/known.json").exists()
    assert (folder / "runs/mine/pupil.py").exists()
    assert "The report is runs/mine/report.html" in done.stdout.splitlines()
    assert "<h1" in (folder / "runs/mine/report.html").read_text(encoding="utf-8")


def test_a_finished_run_prints_its_summary_again(ran: tuple[Path, Finished]) -> None:
    folder, _ = ran
    done = run_in_process(folder, "run", "mine.yaml", "runs/mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert "rows made" in done.stdout


def test_the_recipe_kept_in_the_run_s_folder_runs_as_well(ran: tuple[Path, Finished], tmp_path: Path) -> None:
    folder, _ = ran
    shutil.copytree(folder / "runs" / "mine", tmp_path / "sent")
    done = run_in_process(tmp_path, "run", "sent/recipe.yaml", "again", "--no-report")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "again/report.html").exists()
    written_rows = Path("generation-01", "rows.parquet")
    assert (tmp_path / "again" / written_rows).read_bytes() == (tmp_path / "sent" / written_rows).read_bytes()


def test_explain_traces_a_row(ran: tuple[Path, Finished]) -> None:
    folder, _ = ran
    row, *_ = RunFolder(folder / "runs/mine").rows("generation-01/rows") or []
    done = run_in_process(folder, "explain", "runs/mine", row.id[:12])
    assert (done.returncode, done.stderr) == (0, "")
    assert all(
        part in done.stdout for part in (row.id, row.prompt, "by propose, written by pupil", f"status: {row.status}")
    )


FEW = ("--set", "real=few.txt", *FILE[2:])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nosuch"], ["no recipe 'nosuch'", "selfsown list recipes"]),
        (["run", "mine.yaml", "--set", "generashuns=1"], ["'generashuns'", "did you mean 'generations'?"]),
        (["run", "mine.yaml", "--set", "seed"], ["--set 'seed'", "key=value"]),
        (["run", "mine.yaml", "--set", "seed=[1"], ["seed=[1"]),
        (["run", "mine.yaml", "--set", "seed=-1"], ["seed"]),
        (["run", "mine.yaml", "--set", "real="], ["real is missing", "--set real=FILE"]),
        (["run", "mine.yaml", "--set", "real=gone.txt"], ["gone.txt"]),
        (["run", "mine.yaml", *FILE[:2]], ["grade.verify needs a task that checks answers"]),
        (["run", "mine.yaml", *FEW], ["few.txt has 3 rows", "add rows"]),
        (["run", "mine.yaml", "--set", "level=5"], ["level is 5", "is 1"]),
        (["run", "mine.yaml", "names.txt"], ["names.txt is a file"]),
        (["run", "mine.yaml", "."], ["holds other files and no run"]),
        (["explain", "nosuch", "abc"], ["there is no folder nosuch"]),
        (["export", "nosuch", "out"], ["there is no folder nosuch"]),
        (["push", ".", "me/mine"], [". is not an export; export writes one"]),
        (["frobnicate"], ["frobnicate"]),
        (["run"], ["run needs RECIPE"]),
        (["run", "mine.yaml", "--nonsense", "3"], ["--nonsense"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_mistake_is_one_line_and_leaves_no_folder(arguments: list[str], said: list[str], tmp_path: Path) -> None:
    written(tmp_path)
    before = tree(tmp_path)
    message = refused(run_in_process(tmp_path, *arguments))
    assert all(part in message for part in said), message
    assert tree(tmp_path) == before


def test_a_mistake_ends_the_process_with_code_2(tmp_path: Path) -> None:
    assert "no recipe 'nosuch'" in refused(selfsown(tmp_path, "run", "nosuch"))


def test_an_unknown_row_is_a_one_line_error(ran: tuple[Path, Finished]) -> None:
    assert "has no row 'zzz'" in refused(run_in_process(ran[0], "explain", "runs/mine", "zzz"))


def test_another_recipe_in_the_same_folder_is_one_line_and_changes_nothing(ran: tuple[Path, Finished]) -> None:
    folder, _ = ran
    before = (folder / "runs/mine/recipe.yaml").read_bytes()
    assert "seed was 0 and is now 9" in refused(run_in_process(folder, "run", "mine.yaml", "--set", "seed=9"))
    assert (folder / "runs/mine/recipe.yaml").read_bytes() == before


def test_an_unknown_goal_names_the_one_that_was_meant_or_the_measured_scores(tmp_path: Path) -> None:
    written(tmp_path, goal="acuracy")
    message = refused(run_in_process(tmp_path, "run", "mine.yaml"))
    assert "'acuracy'" in message
    assert "did you mean 'accuracy'?" in message
    written(tmp_path, goal="zzzz")
    assert "this recipe measures: accuracy, loss" in refused(run_in_process(tmp_path, "run", "mine.yaml"))


def test_ctrl_c_exits_with_130_and_says_how_to_resume(tmp_path: Path) -> None:
    written(tmp_path, generations=10**6, guard=[])
    order = [sys.executable, "-m", "selfsown", "run", "mine.yaml"]
    with subprocess.Popen(order, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert any("generation 1" in line for line in running.stdout)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=30)[1]
    assert (running.returncode, said) == (130, "selfsown: interrupted; the same command resumes\n")


def test_schema_prints_the_json_schema_of_recipes(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, "schema")
    assert (done.returncode, done.stderr) == (0, "")
    schema = json.loads(done.stdout)
    Draft202012Validator.check_schema(schema)
    keys = schema["properties"]
    assert {"real", "student", "generate", "grade", "curate", "train", "guard"} <= set(keys)
