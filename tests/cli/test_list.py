"""`selfsown list` and `selfsown show`: what a recipe may name, and a recipe to begin with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command import PLAIN, run_in_process, written

from selfsown.catalogue import source as catalogue
from selfsown.option_types import __dict__ as option_types
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import find, methods, options
from selfsown.recipes import shipped_recipes
from selfsown.stage_names import STAGE_FUNCTIONS
from selfsown.terminal import catalogue as terminal

PAIRS = [(stage, method) for stage in STAGE_FUNCTIONS for method in methods(stage)]
OBJECTIVES = [("train", f"hf.{method}") for method in methods("train", "selfsown.models.hf.objectives")]
ALL = sorted([*PAIRS, *OBJECTIVES], key=lambda pair: ([*STAGE_FUNCTIONS].index(pair[0]), "." in pair[1]))


def listed(folder: Path, *arguments: str) -> str:
    done = run_in_process(folder, "list", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_recipe_and_every_method_has_one_line(tmp_path: Path) -> None:
    lines = listed(tmp_path).splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert names == [*sorted(shipped_recipes()), *(method for _, method in ALL)]
    assert max(map(len, lines)) > 80, "piped lines are whole"


def test_lines_are_whole_sentences_in_columns_and_words(tmp_path: Path) -> None:
    lines = [line for line in listed(tmp_path).splitlines() if line.startswith("  ")]
    assert [line for line in lines if "al." in line[-4:] or line.count("(") != line.count(")")] == []
    starts = {len(line) - len(line[2:].partition(" ")[2].lstrip()) for line in lines}
    assert len(starts) == 1, "all descriptions begin in one column"
    for stage, method in PAIRS:
        types = " ".join(option.type for option in catalogue.method(stage, method).options)
        assert not re.search(r"[a-z][A-Z]", types), f"{stage}.{method}: {types}"


def test_on_a_terminal_what_a_method_does_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = terminal.show(terminal.find("judge"), is_terminal=True).splitlines()
    assert lines[1].startswith("A judge scores each row")
    assert max(map(len, lines)) <= 60


def test_a_list_imports_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['selfsown', 'list', *sys.argv[1:]]\nfrom selfsown.cli import main\nmain()\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'transformers', 'pydantic', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} imported' if heavy else 0)"
    )
    for arguments in ([], ["sft"], ["endpoint"], ["names"], ["keys"], ["--json"]):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=os.environ | PLAIN, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), arguments


@pytest.mark.parametrize(("stage", "method"), PAIRS, ids=".".join)
def test_the_options_that_are_listed_are_those_that_a_recipe_may_set(stage: str, method: str) -> None:
    entry = catalogue.method(stage, method)
    signature = options(stage, find(stage, method))
    assert [option.name for option in entry.options] == list(signature)
    for option in entry.options:
        default = signature[option.name].default
        assert (option.default is None) == (default is signature[option.name].empty)
        assert option.meaning, f"{option.name} is explained"
        if isinstance(default, bool | int | str) and option.default:
            assert yaml.safe_load(option.default) == default or option.default == default
        assert not any(name in option.type for name in ("Annotated", "Literal", "None", "[")), option.type
    assert entry.description == catalogue.headline(stage, method).description


def test_every_type_of_options_has_words() -> None:
    own = {
        name
        for name, value in option_types.items()
        if getattr(value, "__module__", "") == "typing" and name[0].isupper()
    }
    assert own - {"Annotated", "Literal", "GraderMetric"} <= set(catalogue.TYPES)


@pytest.mark.parametrize("name", ["judge", "grade.judge"])
def test_one_method_with_all_its_options(name: str, tmp_path: Path) -> None:
    text = listed(tmp_path, name)
    assert text.startswith("grade: judge\nA judge scores each row")
    assert "scale                whole number from 2 to 100; default 5: the judge gives an integer" in text


def test_stages_recipes_keys_and_files(tmp_path: Path) -> None:
    written(tmp_path)
    assert [line.split()[0] for line in listed(tmp_path, "grade").splitlines()[1:]] == methods("grade")
    assert listed(tmp_path, "teacher") == listed(tmp_path, "models")
    assert len(listed(tmp_path, "recipes").splitlines()) == 1 + len(shipped_recipes())
    assert "held_out             whole number or number; default 0.1: How many" in listed(tmp_path, "keys")
    names = listed(tmp_path, "names")
    assert "It needs: real" in names
    assert "selfsown run names --set real=FILE" in names
    assert "It needs: real, teacher" in listed(tmp_path, "answers")
    both = listed(tmp_path, "rephrase")
    assert "recipe rephrase" in both
    assert "generate: rephrase" in both
    own = listed(tmp_path, "pupil.py")
    assert "share                number; default 1.0" in own
    assert "first                whole number; default 0" in own


def test_json_has_the_same(tmp_path: Path) -> None:
    tree = json.loads(listed(tmp_path, "--json"))
    assert [(each["stage"], each["name"]) for each in tree["methods"]] == ALL
    assert [each["name"] for each in tree["recipes"]] == sorted(shipped_recipes())
    (judge,) = json.loads(listed(tmp_path, "judge", "--json"))["methods"]
    assert set(judge) == {"stage", "name", "keys", "description", "details", "options"}
    assert judge["options"][1] == {
        "name": "scale",
        "type": "whole number from 2 to 100",
        "default": "5",
        "meaning": "the judge gives an integer from 1 to `scale`, which becomes a score from 0 to 1.",
    }


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_a_recipe_is_shown_as_it_is(name: str, tmp_path: Path) -> None:
    assert run_in_process(tmp_path, "show", name).stdout == shipped_recipes()[name]


def test_a_recipe_that_was_shown_is_one_to_begin_with(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "what?"}\n' * 3)
    (tmp_path / "mine.yaml").write_text(run_in_process(tmp_path, "show", "answers").stdout)
    changes = ("--set", "real=p.jsonl", "--set", "teacher={endpoint: {url: http://localhost:1/v1, model: m}}")
    assert run_in_process(tmp_path, "check", "mine.yaml", *changes).returncode == 0


def test_what_is_not_changed_keeps_its_comments(tmp_path: Path) -> None:
    changes = ("seed=7", "guard.collapse.tolerance=0.5", "judge={endpoint: {url: http://localhost:1/v1, model: m}}")
    done = run_in_process(tmp_path, "show", "first", *(part for change in changes for part in ("--set", change)))
    assert "# Every synthetic row was checked by running it" in done.stdout
    assert done.stdout.startswith("# The main example")
    (tmp_path / "changed.yaml").write_text(done.stdout)
    shown = Recipe.load(tmp_path / "changed.yaml", ["name=first"])
    assert shown == Recipe.load("first", changes)
