"""Finding the function that a recipe names, setting its knobs, and filling its roles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from selfsown.grade import exact_match, rules
from selfsown.recipe.inputs import STAGES
from selfsown.recipe.steps import Step, find, methods, options, step, validated
from selfsown.records import Grade, Row, SelfsownError
from testing.echo_model import knowing

POLITE = '''"""Rows that say please."""

from collections.abc import Iterator, Sequence

from selfsown.records import Grade, Row


def grade(rows: Sequence[Row], *, word: str = "please", least: float = 1.0) -> Iterator[Grade]:
    for row in rows:
        yield Grade(least if word in row.answer else 0.0, "asked for", grader="polite")
'''
ROWS = [Row("", "sit, please"), Row("", "sit")]


def own(folder: Path, text: str = POLITE, name: str = "polite.py") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def refused(verb: str, way: str, beside: Path = Path(), **given: Any) -> str:
    """What is said when such a step is asked for."""
    with pytest.raises(SelfsownError) as caught:
        step(verb, way, given, beside)
    return str(caught.value)


def test_the_file_is_the_way_and_the_function_is_the_verb() -> None:
    assert find("grade", "exact_match") is exact_match.grade
    assert "exact_match" in methods("grade")


def test_a_step_fills_the_roles_its_function_asks_for_and_no_others() -> None:
    made = step("grade", "rules", {"pattern": "[a-z]+"})
    grades = list(made(rows=[Row("", "emma")], real=[Row("", "emma")], judge=None, seed=1, more="ignored"))
    assert [grade.score for grade in grades] == [1.0]


def test_steps_are_the_same_if_way_and_knobs_are() -> None:
    assert step("grade", "rules") == step("grade", "rules") != step("grade", "rules", {"pattern": "a"})
    assert step("grade", "rules") != step("grade", "novelty")
    assert step("grade", "rules") == Step("grade", "rules", rules.grade)


def test_a_step_is_written_as_its_way_alone_or_with_its_knobs() -> None:
    assert step("grade", "rules").dump() == "rules"
    assert step("grade", "rules", {"pattern": "a"}).dump() == {"rules": {"pattern": "a"}}


def test_knobs_are_what_is_keyword_only_and_the_fields_of_a_world() -> None:
    assert list(options("grade", rules.grade)) == ["pattern"]
    assert list(options("tasks", find("tasks", "programs")))[:2] == ["rows", "levels"]


def test_a_way_of_the_user_s_own_lies_in_a_file(tmp_path: Path) -> None:
    made = step("grade", "./polite.py", {"least": 0.75}, own(tmp_path))
    assert [grade.score for grade in made(rows=ROWS, seed=0)] == [0.75, 0.0]
    assert made.dump() == {"./polite.py": {"least": 0.75}}
    assert step("grade", str(own(tmp_path) / "polite.py")).method == str(tmp_path / "polite.py")


def test_a_way_of_the_user_s_own_may_be_written_without_types(tmp_path: Path) -> None:
    text = "from selfsown.records import Grade\n\n\ndef grade(rows, *, least=0.5):\n"
    text += "    return [Grade(least, 'ok', 'mine') for row in rows]\n"
    made = step("grade", "./mine.py", {"least": 0.25}, own(tmp_path, text, "mine.py"))
    assert [grade.score for grade in made(rows=ROWS)] == [0.25, 0.25]


def test_a_way_may_be_any_module_that_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path, "")
    package = tmp_path / "their_package"
    package.mkdir()
    own(package)
    monkeypatch.syspath_prepend(tmp_path)
    made = step("grade", "their_package.polite", {"word": "sit"})
    assert [grade.score for grade in made(rows=ROWS)] == [1.0, 1.0]
    sys.modules.pop("their_package.polite")


def test_a_world_of_the_user_s_own_is_a_class_called_world(tmp_path: Path) -> None:
    text = "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Task:\n    size: int = 3\n"
    assert step("tasks", "./mine.py", {"size": 5}, own(tmp_path, text, "mine.py"))().size == 5


def test_roles_are_found_by_name_so_that_a_way_may_ask_for_a_judge() -> None:
    model = knowing([Row("q", "a")])
    (grade,) = step("grade", "self_consistency", {"samples": 2})(rows=[Row("q", "a")], judge=model, seed=0)
    assert isinstance(grade, Grade)
    assert grade.score == 1.0


@pytest.mark.parametrize("verb", list(STAGES))
def test_an_unknown_way_names_the_ones_there_are(verb: str) -> None:
    said = refused(verb, "zzzz")
    assert said.startswith(f"{verb.replace('models', 'teacher')}: there is no method 'zzzz'")
    listed = f"`selfsown list {verb}` lists all {len(methods(verb))}" in said
    assert listed or verb == "models" or all(way in said for way in methods(verb))


def test_a_misspelt_way_or_knob_is_guessed() -> None:
    assert "did you mean 'exact_match'?" in refused("grade", "exct_match")
    assert "did you mean 'pattern'?" in refused("grade", "rules", patern="a")


def test_an_unknown_knob_names_the_ones_there_are() -> None:
    said = refused("evaluate", "diversity", nosuch=1)
    assert said.startswith("evaluate.diversity has no option 'nosuch'")
    assert "count, ngram_size, splits" in said
    assert "available: none" in refused("grade", "exact_match", nosuch=1)
    assert "no option 'rows'" in refused("grade", "rules", rows=[])


@pytest.mark.parametrize(
    ("verb", "way", "given", "said"),
    [
        ("train", "sft", {"steps": "many"}, "train.sft.steps is 'many'; it must be a whole number"),
        ("train", "sft", {"steps": 1.5}, "train.sft.steps is 1.5; it must be a whole number"),
        ("train", "sft", {"steps": True}, "train.sft.steps is True; it must be a whole number"),
        ("train", "sft", {"learning_rate": None}, "train.sft.learning_rate is None; it must be a number"),
        ("grade", "verify", {"correct": "yes"}, "grade.verify.correct is 'yes'; it must be true or false"),
        ("grade", "rules", {"pattern": 5}, "grade.rules.pattern is 5; it must be text"),
        ("evaluate", "accuracy", {"by": "form"}, "evaluate.accuracy.by is 'form'; it must be a list, such as [a, b]"),
        ("evaluate", "accuracy", {"by": [1]}, "evaluate.accuracy.by is [1]; it must be "),
    ],
)
def test_a_knob_of_the_wrong_kind_says_what_fits(verb: str, way: str, given: dict[str, Any], said: str) -> None:
    assert said in refused(verb, way, **given)


def test_a_whole_number_fits_where_a_float_does_and_a_list_where_a_tuple_does() -> None:
    assert validated("here", 1, float) == 1
    assert validated("here", ["a", "b"], tuple[str, ...]) == ("a", "b")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e3", 1000),
        ("1.0e3", 1000),
        (1000.0, 1000),
        ("1_000", 1000),
        ("1000", 1000),
        ("10k", 10_000),
        ("1.5M", 1_500_000),
    ],
)
def test_whole_numbers_as_people_write_them(written: str | float, value: int) -> None:
    chosen = step("train", "sft", {"steps": written}).options["steps"]
    assert (chosen, type(chosen)) == (value, int)


@pytest.mark.parametrize("written", ["1e-5", "0.01", "3e-3", "2k"])
def test_numbers_as_people_write_them(written: str) -> None:
    chosen = step("train", "sft", {"learning_rate": written}).options["learning_rate"]
    assert chosen == float(written.replace("k", "e3"))


@pytest.mark.parametrize(
    "written", ["1,000", "10m", "1.5", "1e-3", "ten", "", "0x10", "1e9999", 1.5, float("nan"), True]
)
def test_what_is_no_whole_number_is_refused_as_it_was_written(written: object) -> None:
    assert refused("train", "sft", steps=written).startswith(f"train.sft.steps is {written!r}; it must be a whole")


def test_numbers_within_a_mapping() -> None:
    assert validated("budget", {"tokens": "10M"}, dict[str, int]) == {"tokens": 10_000_000}
    assert validated("held_out", "1e3", int | float) == 1000
    with pytest.raises(SelfsownError, match=r"a whole number, such as 100 or a number, such as 0.5$"):
        validated("held_out", "half", int | float)


def test_a_function_may_be_passed_in_as_a_method() -> None:
    def polite(rows: list[Row], *, word: str = "please") -> list[Grade]:
        return [Grade(float(word in row.answer), "asked for", grader="polite") for row in rows]

    made = step("grade", polite, {"word": "sit"})
    assert (made.name, made.dump()) == ("grade.polite", {"function:polite": {"word": "sit"}})
    assert [grade.score for grade in made(rows=ROWS)] == [1.0, 1.0]
    assert b"def polite" in (made.source() or b"")
    assert "'polite' is a function that was passed in from Python" in refused("grade", "function:polite")
    with pytest.raises(SelfsownError, match=r"grade\.polite has no option 'wrod'; did you mean 'word'"):
        step("grade", polite, {"wrod": "sit"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, ["there is no file", "polite.py", "beside its recipe"]),
        ("def greade(rows):\n    ...\n", ["./polite.py has no function 'grade'"]),
        ("grade = 5\n", ["./polite.py has no function 'grade'"]),
        ("def grade(rows:\n", ["polite.py cannot be loaded", "SyntaxError"]),
        ("import nosuchpackage\n", ["polite.py cannot be loaded", "nosuchpackage"]),
        ("1 / 0\n", ["polite.py cannot be loaded", "ZeroDivisionError"]),
        ("def grade(rows, student):\n    ...\n", ["asks for 'student'", "rows, judge, teacher, task, real, seed"]),
        ("def grade(rows, *, least):\n    ...\n", ["least"]),
    ],
)
def test_a_file_of_the_user_s_own_that_does_not_fit_is_explained(
    text: str | None, said: list[str], tmp_path: Path
) -> None:
    if text is not None:
        own(tmp_path, text)
    message = refused("grade", "./polite.py", tmp_path)
    assert message.startswith("grade")
    assert all(part in message for part in said), message


@pytest.mark.parametrize("way", ["nosuch.module", "os.nosuch", ".polite", "..polite", "polite."])
def test_a_module_that_cannot_be_imported_is_explained(way: str) -> None:
    assert refused("grade", way).startswith(f"grade: {way!r} cannot be imported")


def test_a_module_without_the_function_is_explained() -> None:
    assert "json.tool has no function 'grade'" in refused("grade", "json.tool")


def test_a_world_that_needs_a_knob_says_which() -> None:
    assert "needs path" in refused("tasks", "file")
