"""What commands say before they work: warnings about what the user wrote, none about a shipped recipe itself."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from command import run_in_process, written

from selfsown.cli.options import opening_lines
from selfsown.recipe.recipe import Recipe
from selfsown.recipes import shipped_recipes
from testing.mock_server import Server

TEACHER = "teacher={endpoint: {url: http://localhost:1/v1, model: m}}"
OWN_JUDGE = "note: the judge is the teacher itself, which grades its own work; to measure how well: "


def rows(folder: Path, **fields: str) -> str:
    """A change that names a file of 30 rows."""
    path = folder / "rows.jsonl"
    lines = [{name: f"{text} {at}" for name, text in fields.items()} for at in range(30)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"real={path}"


def given(name: str, folder: Path) -> list[str]:
    """The changes that a shipped recipe needs."""
    text = shipped_recipes()[name]
    file = rows(folder, prompt="what is", answer="it is")
    changes = [file.replace("real=", "real.instructions.path=")] if "path: FILE" in text else []
    changes += [] if "\nreal:" in text else [file]
    return changes if "\nteacher:" in text or "\nstudent:" in text else [*changes, TEACHER]


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_shipped_recipe_starts_without_a_warning(name: str, tmp_path: Path) -> None:
    changes = given(name, tmp_path)
    lines = opening_lines(Recipe.load(name, changes), name, changes)
    assert all(line.startswith("note: ") for line in lines), lines
    assert len(lines) == len({*lines}) <= 2


def test_what_the_user_changes_is_warned_of(tmp_path: Path) -> None:
    changes = ["guard=[]", "seed=3"]
    (line,) = opening_lines(Recipe.load("first", changes), "first", changes)
    assert line.startswith("warning: no guard")
    written(tmp_path)
    mine = str(tmp_path / "mine.yaml")
    assert len(opening_lines(Recipe.load(mine), mine, [])) == 2


def test_personal_data_of_the_user_is_warned_of_with_a_shipped_recipe(tmp_path: Path) -> None:
    changes = [
        rows(tmp_path, prompt="write to anna.meier@firma.de, case"),
        TEACHER,
        "judge={anthropic: {model: m, api_key: ''}}",
    ]
    (line,) = opening_lines(Recipe.load("answers", changes), "answers", changes)
    assert line.startswith("warning: 30 of the first 30 real rows hold personal data")


def test_a_judge_that_is_the_teacher_and_unused_answers_are_noted_once(tmp_path: Path) -> None:
    changes = [rows(tmp_path, prompt="what is", answer="it is"), TEACHER]
    judge, answers = opening_lines(Recipe.load("answers", changes), "answers", changes)
    assert judge.startswith(OWN_JUDGE)
    command = judge.removeprefix(OWN_JUDGE)
    assert shlex.split(command) == ["selfsown", "calibrate", "answers", *(w for c in changes for w in ("--set", c))]
    assert answers.startswith("note: 30 of the first 30 real rows have an answer, which this recipe does not use")
    remedy = answers.partition("--set '")[2].partition("'")[0]
    assert remedy == "grade=[exact_match, judge]"
    assert opening_lines(Recipe.load("answers", [*changes, remedy]), "answers", changes) == [
        f"{judge} --set 'grade=[exact_match, judge]'"
    ]


def test_that_no_document_is_used_is_noted_where_only_prompts_are_examples(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# Hills\n\nThe hills of the north are low and green, and it rains on them.\n" * 9
    )
    changes = [f"real={{documents: {{path: {tmp_path}}}}}", TEACHER]
    _, note = opening_lines(Recipe.load("personas", changes), "personas", changes)
    assert note.startswith("note: generate.persona shows real prompts as examples; these real rows have none")
    changes = [rows(tmp_path, prompt="what is"), TEACHER]
    assert len(opening_lines(Recipe.load("personas", changes), "personas", changes)) == 1


def test_make_says_it_when_it_begins_and_run_points_to_check_at_the_end(tmp_path: Path) -> None:
    real = rows(tmp_path, prompt="what is")
    with Server() as server:
        teacher = TEACHER.replace("http://localhost:1/v1", server.url)
        done = run_in_process(tmp_path, "make", "answers", "--set", real, "--set", teacher)
    assert done.stdout.startswith(OWN_JUDGE)
    assert done.stdout.count("the judge is the teacher itself") == 1
    assert "warning" not in done.stdout
    checked = run_in_process(tmp_path, "check", "answers", "--set", real, "--set", teacher)
    assert f"selfsown: {OWN_JUDGE}" in checked.stderr
    small = ("student=./pupil.py", "train=./pupil.py", "base_train=./pupil.py", "generations=0", "control=false")
    written(tmp_path)
    changes = [*small, "real.programs.rows=60", "real.programs.levels=1", "held_out=20", "guard=[]", "level=1"]
    done = run_in_process(tmp_path, "run", "first", "--no-report", *(part for c in changes for part in ("--set", c)))
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("warning")] == [next(x for x in lines if "no guard" in x)]
    check = "selfsown check runs/first/recipe.yaml"
    assert lines[-1] == f"What this recipe leaves out that keeps a loop safe (2): {check}"
    pasted = run_in_process(tmp_path, *check.split()[1:])
    assert (pasted.returncode, pasted.stderr.count("warning: ") >= 2) == (0, True), pasted.stderr
