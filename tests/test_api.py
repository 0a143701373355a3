"""The Python API: the same work as the commands, with results that hold tables."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pupil
import pyarrow
import pytest
from small import FIRST
from test_make import prompts, serving
from test_make import recipe as teacher_recipe

from selfsown import DataError, Grade, Recipe, RecipeError, Row, SelfsownError, attack, audit, make, prove, run
from selfsown.api_results import RunResult

FEW = [*FIRST, "generations=1", "generate.propose.count=200"]


def memorizing(folder: Path, *grade: Any, generations: int = 1) -> Recipe:
    """A recipe whose student memorizes rows, and so learns without torch; its rows are right."""
    shutil.copy(pupil.__file__, folder)
    return Recipe.of({**pupil.RECIPE, "grade": ["verify", *grade], "generations": generations}, folder)


def short_enough(rows: Iterable[Row], *, max_chars: int = 9) -> Iterator[Grade]:
    """A custom grader, as a user would write it in a notebook."""
    for row in rows:
        yield Grade(float(len(row.answer) <= max_chars), f"{len(row.answer)} characters", grader="short_enough")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(Recipe.load("first", FEW), tmp_path_factory.mktemp("run"))


def test_a_run_returns_generations_findings_and_tables(result: RunResult) -> None:
    assert [generation.number for generation in result.generations] == [0, 1]
    assert result.best in result.generations
    assert result.recipe.goal in " ".join(result.findings)
    rows = result.rows(status=None)
    assert rows.num_rows == result.generations[1].counts["made"]
    assert result.rows().num_rows + result.rows(status="rejected").num_rows + result.rows(status="failed").num_rows == (
        rows.num_rows
    )
    assert {"id", "prompt", "answer", "status", "reason", "grades", "metadata"} <= set(rows.column_names)
    assert result.rows(generation=1, status=None).equals(rows)
    scores = result.scores().to_pylist()
    assert {score["generation"] for score in scores} == {0, 1}
    assert all(score["low"] <= score["value"] <= score["high"] for score in scores if score["name"] == "accuracy")


def test_a_run_is_resumed_and_its_model_completes(result: RunResult) -> None:
    again = run(result.recipe, result.folder)
    assert again.generations == result.generations
    ((reply,),) = again.model().complete(["1ar:1234"])
    assert reply.prompt == "1ar:1234"
    assert result.report().read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert result.recipe.name in result._repr_html_()


def test_progress_is_printed_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = memorizing(tmp_path, generations=0)
    run(recipe, tmp_path / "quiet", progress=False)
    assert not capsys.readouterr().out
    run(recipe, tmp_path / "loud", progress=True)
    assert "generation 0" in capsys.readouterr().out


def last_number(rows: Iterable[Row]) -> Iterator[Grade]:
    """A grader with a hole: whatever stands at the end counts."""
    yield from (Grade(float(row.answer.rstrip(" .")[-1:] == row.target[-1:]), "", "last_number") for row in rows)


def test_an_attack_returns_what_passed(tmp_path: Path) -> None:
    broken = attack(grader=last_number, rows=6)
    assert broken.held is False
    assert "passed; worst family" in broken.sentences[0]
    probes = broken.probes().to_pylist()
    assert {probe["side"] for probe in probes} >= {"wrong", "right"}
    hits = [probe for probe in probes if probe["side"] == "wrong" and probe["hits"]]
    assert hits
    assert all(probe["example"] and probe["hits"] <= probe["tried"] for probe in hits)
    assert "not held" in broken._repr_html_()
    assert broken.report(tmp_path / "attack.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    held = attack(grader="exact_match", rows=6)
    assert held.held is True
    assert held.data["graders"][0]["tried"] > 20
    of_recipe = attack(memorizing(tmp_path), rows=6)
    assert of_recipe.sentences[0].startswith("grade.verify: ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "takes a recipe, or one grader"),
        ({"grader": "exact_mach"}, "exact_match"),
        ({"recipe": "first", "grader": last_number}, "not both"),
    ],
)
def test_an_attack_that_cannot_be_made_says_why(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        attack(**arguments)


def test_a_function_is_a_method(tmp_path: Path) -> None:
    recipe = memorizing(tmp_path, {short_enough: {"max_chars": 0}})
    result = run(recipe, tmp_path / "run")
    graders = {grade["grader"] for row in result.rows(status=None).to_pylist() for grade in row["grades"]}
    assert "short_enough" in graders
    reasons = [row["reason"] for row in result.rows(status="rejected").to_pylist()]
    assert any(reason.startswith("short_enough: ") for reason in reasons)
    assert run(recipe, tmp_path / "run").generations == result.generations, "the same function resumes"


def test_a_function_that_changed_does_not_resume(tmp_path: Path) -> None:
    run(memorizing(tmp_path, short_enough, generations=0), tmp_path / "run")
    other: dict[str, Any] = {}
    exec(compile("def short_enough(rows):\n    yield from ()\n", "<cell>", "exec"), other)
    with pytest.raises(SelfsownError, match="short_enough"):
        run(memorizing(tmp_path, other["short_enough"], generations=0), tmp_path / "run")


def test_make_returns_counts_and_rows(tmp_path: Path) -> None:
    prompts(tmp_path, 30)
    with serving() as server:
        made = make(teacher_recipe(tmp_path, server), tmp_path / "out")
    assert sum(made.counts.values()) == made.rows(status=None).num_rows
    assert made.rows().num_rows == made.counts["kept"]
    assert (made.export(tmp_path / "dataset") / "README.md").exists()


@pytest.mark.parametrize("kind", ["list", "table", "file"])
def test_audit_takes_rows_in_memory_and_files(kind: str, tmp_path: Path) -> None:
    real = [{"text": f"the {word} cat sat on mat number {number}"} for number in range(120) for word in ("big", "old")]
    synthetic = [{"text": "the big cat sat on the mat"}] * 120
    if kind == "table":
        found = audit(pyarrow.Table.from_pylist(synthetic), pyarrow.Table.from_pylist(real))
    elif kind == "list":
        found = audit(synthetic, real)
    else:
        for name, rows in (("s", synthetic), ("r", real)):
            (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        found = audit(tmp_path / "s.jsonl", str(tmp_path / "r.jsonl"))
    assert found.verdict == "differs"
    assert any(signal["is_alarm"] for signal in found.signals().to_pylist())
    assert found.report(tmp_path / "page.html").exists()


def test_audit_names_an_unknown_option_and_rows_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no option 'sampel'; did you mean 'sample'\?"):
        audit([{"text": "a"}], [{"text": "b"}], sampel=3)
    with pytest.raises(DataError, match=r"none\.jsonl"):
        audit(tmp_path / "none.jsonl", tmp_path / "none.jsonl")


def test_prove_refuses_a_recipe_with_nothing_to_prove(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps(Recipe.load("first", ["generate=[]"]).dump()), encoding="utf-8")
    with pytest.raises(SelfsownError, match="generates no rows"):
        prove(file, tmp_path / "proof", seeds=3)


def test_importing_it_is_cheap_and_the_names_stay_functions() -> None:
    code = (
        "import sys, selfsown; heavy = {'torch', 'pydantic', 'pyarrow', 'numpy', 'rich'} & set(sys.modules); "
        "import selfsown.audit.options; from selfsown import audit, make, run, Row; "
        "print(sorted(heavy), callable(audit), callable(make), callable(run), Row('p', 'a').answer)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True", "True", "True", "a"]
