"""A recipe and its YAML are the same thing, `--set` changes any of it, and what does not fit is explained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pupil
import pytest
import yaml

from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step, step
from selfsown.records import SelfsownError

POLITE = '''"""Rows that say please."""

from selfsown.records import Grade


def grade(rows, *, word: str = "please"):
    return [Grade(float(word in row.answer), "asked for", "polite") for row in rows]
'''
DOCUMENTS: dict[str, Any] = {
    "grade": ["rules"],
    "curate": ["min_score"],
    "evaluate": ["loss"],
    "goal": "loss",
    "held_out": 0.2,
}


def written(folder: Path, text: str | None = None, **changes: Any) -> Path:
    """A recipe file with everything it needs beside it; a change to None leaves the key out."""
    shutil.copy(pupil.__file__, folder)
    (folder / "polite.py").write_text(POLITE, encoding="utf-8")
    (folder / "names.txt").write_text("".join(f"name{at}\n" for at in range(50)), encoding="utf-8")
    tree = {key: value for key, value in {**pupil.RECIPE, **changes}.items() if value is not None}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(tree) if text is None else text, encoding="utf-8")
    return path


def refused(path: str | Path, *changes: str) -> str:
    """What is said of it: one line."""
    with pytest.raises(SelfsownError) as caught:
        Recipe.load(path, changes)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.fixture(params=sorted(shipped_recipes()))
def shipped(request: pytest.FixtureRequest, tmp_path: Path) -> Recipe:
    path = tmp_path / "names.txt"
    path.write_text("emma\nolivia\n", encoding="utf-8")
    needs_file = "\nreal:" not in shipped_recipes()[request.param]
    return Recipe.load(request.param, [f"real={path}"] if needs_file else [])


def test_every_ready_recipe_loads_under_its_name(shipped: Recipe) -> None:
    assert shipped.name in shipped_recipes()
    assert shipped.description


def test_a_dump_is_read_back_as_the_same_recipe(shipped: Recipe) -> None:
    assert Recipe.of(shipped.dump()) == shipped


def test_a_dump_written_as_yaml_loads_as_the_same_recipe(shipped: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(shipped.dump()), encoding="utf-8")
    assert Recipe.load(path) == shipped


def test_a_recipe_of_the_user_s_own_is_read_back_too(tmp_path: Path) -> None:
    recipe = Recipe.load(written(tmp_path, grade=["verify", {"./polite.py": {"word": "a"}}]))
    assert recipe.name == "mine"
    assert Recipe.of(recipe.dump(), tmp_path) == recipe
    written(tmp_path, text=yaml.safe_dump(recipe.dump()))
    assert Recipe.load(tmp_path / "mine.yaml") == recipe


def test_a_file_is_the_same_as_the_dataclass(tmp_path: Path) -> None:
    loaded = Recipe.load(written(tmp_path))
    made = Recipe(
        name="mine",
        description="a student learns by heart",
        real=step("tasks", "programs", {"rows": 60, "levels": 1}),
        held_out=20,
        student=step("models", "./pupil.py", beside=tmp_path),
        generate=(step("generate", "propose", {"count": 30}),),
        grade=(step("grade", "verify"),),
        curate=tuple(step("curate", way) for way in ("min_score", "decontaminate")),
        mix=step("mix", "accumulate"),
        train=(step("train", "./pupil.py", {"share": 0.5}, tmp_path),),
        evaluate=(step("evaluate", "accuracy"), step("evaluate", "loss")),
        guard=(),
        goal="accuracy",
        generations=1,
    )
    assert loaded == made


def test_small_floats_survive_yaml(tmp_path: Path) -> None:
    recipe = Recipe.load(written(tmp_path), ["train=[{./pupil.py: {share: 1.0e-05}}]"])
    again = written(tmp_path, text=yaml.safe_dump(recipe.dump()))
    assert Recipe.load(again).train[0].options == {"share": 1e-5}


def test_steps_are_listed_in_the_order_of_the_loop(tmp_path: Path) -> None:
    verbs = [each.stage for each in Recipe.load(written(tmp_path)).steps()]
    order = [
        "tasks",
        "models",
        "generate",
        "grade",
        "curate",
        "curate",
        "mix",
        "train",
        "evaluate",
        "evaluate",
    ]
    assert verbs == order


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ("seed=7", "seed", 7),
        ("held_out=0.25", "held_out", 0.25),
        ("description='one: two'", "description", "one: two"),
        ("name=x=y", "name", "x=y"),
        ("init_from=base", "init_from", "base"),
        ("mix=replace", "mix", "replace"),
        ("mix.accumulate.real_share=0.5", "mix", {"accumulate": {"real_share": 0.5}}),
        ("real.programs.rows=99", "real", {"programs": {"rows": 99, "levels": 1}}),
        ("generate.propose.count=5", "generate", [{"propose": {"count": 5}}]),
        ("generate.propose.temperature=0.5", "generate", [{"propose": {"count": 30, "temperature": 0.5}}]),
        ("grade.verify.correct=true", "grade", [{"verify": {"correct": True}}]),
        ("grade=[exact_match, verify]", "grade", ["exact_match", "verify"]),
        ("grade=", "grade", []),
        ("generate=[]", "generate", []),
        ("max_train_rows=12", "max_train_rows", 12),
        ("rollback=false", "rollback", False),
        ("curate.min_score.min_score=0.9", "curate", [{"min_score": {"min_score": 0.9}}, "decontaminate"]),
        ("evaluate.accuracy.by=[form, level]", "evaluate", [{"accuracy": {"by": ["form", "level"]}}, "loss"]),
        ("teacher={./pupil.py: {first: 3}}", "teacher", {"./pupil.py": {"first": 3}}),
        ("train../pupil.py.share=0.75", "train", [{"./pupil.py": {"share": 0.75}}]),
    ],
)
def test_set_changes_any_part(change: str, key: str, expected: object, tmp_path: Path) -> None:
    path = written(tmp_path)
    before, after = Recipe.load(path).dump(), Recipe.load(path, [change]).dump()
    assert after[key] == expected
    assert {name for name in after if after.get(name) != before.get(name)} == {key}


def test_several_changes_follow_one_another(tmp_path: Path) -> None:
    changes = ["mix=accumulate", "mix.accumulate.real_share=0.5", "seed=1", "seed=2"]
    recipe = Recipe.load(written(tmp_path), changes)
    assert recipe.mix.options == {"real_share": 0.5}
    assert recipe.seed == 2


def test_real_rows_may_be_named_by_their_file_alone(tmp_path: Path) -> None:
    path = written(tmp_path, **DOCUMENTS)
    for change in (f"real={tmp_path}/names.txt", f"real={{file: {{path: {tmp_path}/names.txt}}}}"):
        recipe = Recipe.load(path, [change])
        assert recipe.real == Step("tasks", "file", recipe.real.function, {"path": f"{tmp_path}/names.txt"})
        assert len(list(recipe.real().pose(0))) == 50


def test_the_columns_of_a_file_named_alone_can_be_set(tmp_path: Path) -> None:
    file = f"{tmp_path}/names.txt"
    recipe = Recipe.load(written(tmp_path, **DOCUMENTS), [f"real={file}", "real.file.rows=20"])
    assert recipe.real.options == {"path": file, "rows": 20}


def test_a_way_beside_the_recipe_and_one_that_can_be_imported_both_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, grade=["./polite.py", {"polite_package.way": {"word": "4"}}])
    (tmp_path / "polite_package").mkdir()
    shutil.copy(tmp_path / "polite.py", tmp_path / "polite_package" / "way.py")
    monkeypatch.syspath_prepend(tmp_path)
    recipe = Recipe.load(path)
    rows = list(recipe.real().pose(0))[:5]
    assert [[grade.grader for grade in each(rows=rows, seed=0)] for each in recipe.grade] == [["polite"] * 5] * 2


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"gaurd": "regression"}, ["no key 'gaurd'", "did you mean 'guard'?"]),
    ({"zzz": 1}, ["no key 'zzz'", "`selfsown list keys` lists all"]),
    ({"grade": "verfy"}, ["grade: there is no method 'verfy'", "did you mean 'verify'?"]),
    ({"generate": {"propose": {"cuont": 5}}}, ["generate.propose has no option 'cuont'", "did you mean 'count'?"]),
    ({"generate": {"propose": {"count": "lots"}}}, ["generate.propose.count is 'lots'", "whole number"]),
    ({"generate": {"propose": 5}}, ["generate.propose is 5", "{OPTION: value}"]),
    ({"grade": {"exact_match": {}, "verify": {}}}, ["grade is {", "name of a method"]),
    ({"grade": [5]}, ["grade is 5", "name of a method"]),
    ({"seed": "one"}, ["seed is 'one'; it must be a whole number"]),
    ({"seed": 1.5}, ["seed is 1.5; it must be a whole number"]),
    ({"seed": -1}, ["seed"]),
    ({"init_from": "best"}, ["init_from is 'best'", "'previous' or 'base'"]),
    ({"name": 5}, ["name is 5; it must be text; put it in quotes"]),
    ({"real": None}, ["real is missing", "--set real=FILE"]),
    ({"student": None}, ["student is missing", "selfsown list"]),
    ({"goal": None}, ["goal is missing"]),
    ({"generate": None}, ["generate is missing", "selfsown list"]),
    ({"max_train_rows": -1}, ["max_train_rows is -1", "0 or more"]),
    ({"evaluate": []}, ["evaluate is missing"]),
    ({"real": "progams"}, ["no task and no file 'progams'", "did you mean 'programs'?"]),
    ({"level": 2}, ["level is 2", "hardest level of programs is 1"]),
    ({"level": -1}, ["level is -1"]),
    ({"real": "names.txt", "curate": []}, ["grade.verify", "names.txt", "self_consistency, exact_match or rules"]),
    ({"real": "names.txt", "grade": [], "curate": ["restate"]}, ["curate.restate", "names.txt", "leave it out"]),
    ({"real": {"programs": {"levels": 0}}}, ["levels"]),
    ({"real": {"programs": {"length": 1}}}, ["length"]),
    ({"generations": -1}, ["generations is -1", "0 or more"]),
    ({"patience": 0}, ["patience is 0", "1 or more"]),
    ({"control": True, "train": ["sft", "dpo"]}, ["control: true", "train.dpo learns nothing", "leave it out"]),
    ({"guard": ["bias"]}, ["guard.bias needs attributes", "bias: {attributes"]),
    ({"held_out": 0}, ["held_out is 0", "held out for measuring"]),
    ({"grade": "./nosuch.py"}, ["there is no file", "nosuch.py", "beside its recipe"]),
    ({"grade": "./pupil.py"}, ["./pupil.py has no function 'grade'"]),
    ({"curate": "./polite.py"}, ["./polite.py has no function 'curate'"]),
    ({"grade": "./broken.py"}, ["broken.py cannot be loaded", "ModuleNotFoundError", "nosuchpackage"]),
    ({"grade": "./greedy.py"}, ["asks for 'student', which is no input of grade", "rows, judge"]),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[repr(each[0])[1:-1] for each in BAD])
def test_what_does_not_fit_is_named_with_its_place_and_what_there_is(
    changes: dict[str, Any], said: list[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("import nosuchpackage\n", encoding="utf-8")
    (tmp_path / "names.txt").write_text("emma\n", encoding="utf-8")
    (tmp_path / "greedy.py").write_text("def grade(rows, student):\n    ...\n", encoding="utf-8")
    message = refused(written(tmp_path, **changes))
    assert message.startswith("mine.yaml: ")
    assert all(part in message for part in said), message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("real: programs\nseed: 1\nseed: 2\n", ["mine.yaml:3", "'seed' a second time"]),
        ("train:\n  sft:\n    steps: 1\n    steps: 2\n", ["mine.yaml:4", "'steps' a second time"]),
        ("real: [\n", ["mine.yaml:", "is not valid YAML"]),
        ("a: b: c\n", ["mine.yaml:1", "is not valid YAML"]),
        ("a: 1\n---\nb: 2\n", ["mine.yaml:2", "is not valid YAML"]),
        ("real: {{file}}\n", ["mine.yaml:1"]),
        ("", ["mine.yaml holds no recipe", "real: programs"]),
        ("# nothing\n", ["mine.yaml holds no recipe"]),
        ("just words\n", ["mine.yaml holds no recipe"]),
        ("- real: programs\n", ["mine.yaml holds no recipe"]),
    ],
)
def test_what_is_no_recipe_says_where(text: str, said: list[str], tmp_path: Path) -> None:
    message = refused(written(tmp_path, text=text))
    assert all(part in message for part in said), message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("seed", ["--set 'seed'", "key=value"]),
        ("=5", ["--set '=5'", "key=value"]),
        ("sead=5", ["no key 'sead'", "did you mean 'seed'?"]),
        ("seed=[1", ["--set 'seed=[1'", "YAML"]),
        ("description=a: b: c", ["--set 'description=a: b: c'", "YAML"]),
        ("train.share=1", ["--set 'train.share=1'", "did you mean train../pupil.py.share=1?"]),
        ("seed.a.b=1", ["--set 'seed.a.b=1'", "KEY.METHOD.OPTION=value"]),
        ("grade.exact_match.a=1", ["grade has no method 'exact_match'", "available: verify"]),
        ("guard.regression.std_errors=1", ["guard has no method 'regression'", "available: none"]),
        ("generate.propose.cuont=1", ["no option 'cuont'", "did you mean 'count'?"]),
        ("real=nosuch.txt", ["nosuch.txt"]),
    ],
)
def test_a_change_that_does_not_fit_is_explained(change: str, said: list[str], tmp_path: Path) -> None:
    path = written(tmp_path, grade="verify" if "real" not in change else None)
    if change.startswith("real="):
        with pytest.raises(SelfsownError) as caught:
            list(Recipe.load(path, [change]).real().pose(0))
        message = str(caught.value)
    else:
        message = refused(path, change)
    assert all(part in message for part in said), message


def test_a_recipe_that_is_not_there_names_the_ready_ones(tmp_path: Path) -> None:
    for source in ("zzzz", tmp_path / "zzzz.yaml"):
        message = refused(source)
        assert "there is no recipe" in message
        assert f"`selfsown list recipes` lists all {len(shipped_recipes())}" in message


def test_a_recipe_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"description: na\xefve\n")
    assert "UTF-8" in refused(tmp_path / "latin.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot be read" in refused(tmp_path / "folder.yaml")


def test_a_misspelt_recipe_is_guessed() -> None:
    assert "there is no recipe 'frist'; did you mean 'first'?" in refused("frist")


def test_a_requirement_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("REQUIRES = {'verifyable'}\ndef grade(rows):\n    ...\n", encoding="utf-8")
    assert "REQUIRES names 'verifyable'; did you mean 'verifiable'?" in refused(written(tmp_path, grade="./odd.py"))


def test_a_custom_method_may_require_what_shipped_ones_do(tmp_path: Path) -> None:
    text = "REQUIRES = {'verifiable'}\ndef grade(rows):\n    ...\n"
    (tmp_path / "strict.py").write_text(text, encoding="utf-8")
    assert Recipe.load(written(tmp_path, grade="./strict.py"))
    message = refused(written(tmp_path, **DOCUMENTS | {"real": "names.txt", "grade": "./strict.py"}))
    assert "grade../strict.py needs a task that checks answers" in message


def test_a_function_stands_for_a_method_and_its_dump_does_not_load(tmp_path: Path) -> None:
    def polite(rows: list[Any], *, word: str = "please") -> list[Any]:
        return []

    recipe = Recipe.of({**Recipe.load(written(tmp_path)).dump(), "grade": [{polite: {"word": "a"}}]}, tmp_path)
    assert recipe.dump()["grade"] == [{"function:polite": {"word": "a"}}]
    with pytest.raises(SelfsownError, match="'polite' is a function that was passed in from Python"):
        Recipe.of(recipe.dump(), tmp_path)


def test_rows_need_not_be_held_out_where_nobody_is_trained() -> None:
    made = Recipe.of({"real": "programs", "generate": "propose", "held_out": 0})
    assert (made.held_out, made.trains) == (0, False)
    with pytest.raises(SelfsownError, match="held_out is -1"):
        Recipe.of({"real": "programs", "generate": "propose", "held_out": -1})


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (
            "early_stopping: 0.8",
            "early_stopping is 0.8, the share of the real rows that is not trained on; it must be 0.5",
        ),
        ("early_stopping: 0.1, average_last: 0.3", "early_stopping returns the best weights, so average_last has no"),
    ],
)
def test_early_stopping_that_cannot_be_is_refused(option: str, words: str) -> None:
    with pytest.raises(SelfsownError, match=words):
        Recipe.load("first", [f"train={{sft: {{{option}}}}}"])
