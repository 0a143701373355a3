"""Probes are many, wrong and explained; an attack counts what passes, and the command says so by its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import run_in_process

from selfsown.attack.attack import attack_grader
from selfsown.attack.example_rows import example_rows
from selfsown.attack.probes import RIGHT, WRONG
from selfsown.attack.problem import CodeKeys, problems
from selfsown.attack.results import Attack, Outcome
from selfsown.attack.search import search
from selfsown.attack.subject import Subject
from selfsown.attack.trial import Tally
from selfsown.calibration.requirements import check_requirements
from selfsown.errors import ExitCode, SelfsownError
from selfsown.grade.json_schema import grade as json_schema
from selfsown.preflight.weak_graders import weak_graders
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row
from selfsown.tasks.programs import Task
from selfsown.text.number_words import in_digits, in_words
from testing.mock_server import Server
from testing.mock_teacher import reply

NUMBERS = [row for row in example_rows(0) if row.target.isdigit()][:6]


def subject(accepts: Callable[[Row], bool]) -> Subject:
    return Subject("grade.own", lambda rows: [Grade(float(accepts(row))) for row in rows])


def test_there_are_many_probes_and_each_says_why_its_answer_is_wrong() -> None:
    assert len({(probe.family, probe.name) for probe in WRONG}) >= 40
    assert len({probe.family for probe in WRONG}) >= 12
    assert all(probe.reason and probe.forms for probe in (*WRONG, *RIGHT))
    for form in ("number", "text", "code", "json", "open", "constraints"):
        names = [(probe.family, probe.name) for probe in WRONG if form in probe.forms]
        assert names
        assert len(names) == len(set(names)), form


def test_every_probe_can_be_built_for_some_row_and_none_says_the_known_answer_alone() -> None:
    rows = [
        *example_rows(0),
        Row("Give Ann as JSON.", "", target='{"name": "Ann", "age": 3}'),
        Row("Give Bo as JSON.", "", target='{"name": "Bo", "age": 4}'),
        Row("Sum 1 to 4, step by step and in full.", "", target="1 + 2 + 3 + 4 is what we want\n#### 10"),
        Row("How many are there in all?", "", target="110"),
        Row("Explain rain at length.", "", target="Water rises, cools and falls.\nThat is rain."),
        Row("Explain wind at length.", "", target="Air moves.\nThat is wind."),
        Row("Name a city. Use no comma.", "Rome", metadata={"constraints": "[]"}),
        Row(
            "Write inc(x).\n>>> inc(1)\n2\n",
            "",
            target="def inc(x):\n    return x + 1\n",
            metadata={"tests": "assert inc(1) == 2\nassert inc(5) == 6"},
        ),
        Row(
            "Print the double.",
            "",
            target="print(2 * int(input()))\n",
            metadata={"tests": '[{"stdin": "1", "stdout": "2"}, {"stdin": "4", "stdout": "8"}]'},
        ),
    ]
    known = problems(rows, CodeKeys(), 0)
    never = [
        f"{probe.family}: {probe.name}"
        for probe in WRONG
        if all(probe.make(problem) is None for problem in known if problem.form in probe.forms)
    ]
    assert never == []
    for probe in WRONG:
        for problem in known:
            if problem.form in probe.forms and problem.row.target:
                assert probe.make(problem) != problem.row.target, probe.name


def test_a_hole_is_counted_by_family_with_its_interval_and_an_example() -> None:
    result = attack_grader(subject(lambda row: row.target in row.answer), NUMBERS, None)
    assert result.outcome is Outcome.BROKEN
    denial = result.false_accepts["denial"]
    assert denial.value > 0.9
    assert denial.low < denial.value <= denial.high
    assert result.false_accepts["empty openers"].value == 0
    assert result.ceiling
    assert result.ceiling[1].value == max(metric.value for metric in result.false_accepts.values())
    assert result.worst_probe
    assert result.worst_probe.share == 1
    passed = next(probe for probe in result.passed if probe.name == "false")
    assert passed.example
    assert passed.example.answer == f"{passed.example.target} is false"


def test_a_grader_that_accepts_nothing_is_not_called_sound() -> None:
    result = attack_grader(subject(lambda row: False), NUMBERS, None)
    assert result.outcome is Outcome.UNKNOWN
    assert Attack("rows", 6, 0, [result]).code is ExitCode.INCONCLUSIVE


def test_right_answers_that_are_refused_are_counted_and_are_no_hole() -> None:
    result = attack_grader(subject(lambda row: row.answer == row.target), NUMBERS, None)
    assert result.outcome is Outcome.HELD
    assert Attack("rows", 6, 0, [result]).code is ExitCode.OK
    assert result.false_refusals["notation"].value > 0.9
    assert result.false_refusals["the known answer"].value == 0


def test_a_grader_of_boxes_is_attacked_in_boxes() -> None:
    def accepts(row: Row) -> bool:
        return row.answer.startswith(r"\boxed{") and row.target in row.answer

    passed = {probe.name for probe in attack_grader(subject(accepts), NUMBERS, None).passed}
    assert "false, in a box" in passed


def test_what_the_task_finds_right_is_not_counted_as_wrong() -> None:
    task = Task(rows=600)
    rows = [row for row in task.pose(0) if row.metadata["form"] == "induction" and row.level == 1]
    truth = subject(lambda row: task.check(row, row.answer).score >= 1)
    result = attack_grader(truth, rows, task)
    assert result.passed == []
    assert result.confirmed_right > 0
    assert attack_grader(truth, rows, None).passed != []


def test_combinations_are_bounded_and_the_same_for_a_seed() -> None:
    def accepts(row: Row) -> bool:
        digit = row.prompt[-2] if row.prompt else ""
        return row.answer == row.target or ("not" in row.answer and len(row.prompt) % 2 == 0) or digit in row.answer

    found = [attack_grader(subject(accepts), NUMBERS, None, seed=3) for _ in range(2)]
    assert found[0].to_json() == found[1].to_json()
    assert len(found[0].combinations) <= 24
    known = problems(NUMBERS, CodeKeys(), 0)
    assert search(subject(accepts), known, [], Tally({}), 0) == []  # type: ignore[arg-type]


def test_json_schema_holds() -> None:
    rows = [Row(f"Give {name} as JSON.", "", target=json.dumps({"name": name, "age": 3})) for name in ("Ann", "Bo")]
    schema = {"type": "object", "properties": {"age": {"type": "number"}}, "required": ["name", "age"]}
    result = attack_grader(Subject("json_schema", lambda rows: list(json_schema(rows, schema=schema))), rows, None)
    assert result.outcome is Outcome.HELD
    assert result.false_refusals["form of the reply"].value == 0


@pytest.mark.parametrize("number", [0, 7, 18, 40, 99, 100, 105, 999, 1000, 1001, 12_345, 700_000, 999_999, 1_000_000])
def test_numbers_in_words_are_read_again(number: int) -> None:
    assert in_digits(in_words(number)) == str(number)
    if number:
        assert in_digits(in_words(-number)) == str(-number)


REWARDS = """
def contains(completions, answer, **columns):
    return [1.0 if right in text else -1.0 for text, right in zip(completions, answer)]

def exact(completions, answer):
    return [float(text == right) for text, right in zip(completions, answer)]

def in_messages(prompts, completions, solution):
    return [float(reply[0]["content"] == right) for reply, right in zip(completions, solution)]

def fails(completions, **columns):
    raise RuntimeError("no GPU")

def short(completions, **columns):
    return [0.0]

def no_reward(rows):
    return []
"""


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("contains", 4, "passed 8 of 8 denied before"),
        ("exact", 0, "none of"),
        ("in_messages", 0, "none of"),
        ("fails", 2, "the reward function failed: RuntimeError: no GPU (rewards.py:"),
        ("short", 2, "the reward function gave 1 rewards for"),
        ("no_reward", 2, "no_reward takes no completions"),
        ("missing", 2, "has no function 'missing'"),
    ],
)
def test_a_reward_function_for_trl(name: str, code: int, text: str, tmp_path: Path) -> None:
    (tmp_path / "rewards.py").write_text(REWARDS)
    done = run_in_process(tmp_path, "attack", "--grader", f"rewards.py:{name}", "--rows", "8")
    assert done.returncode == code, done.stderr
    assert text in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def recipe(folder: Path, grader: object) -> None:
    rows = [{"prompt": f"What is {number} + 1?", "answer": str(number + 1)} for number in range(40)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = {"endpoint": {"url": "http://127.0.0.1:9/v1", "model": "m"}}
    tree = {"real": "rows.jsonl", "teacher": model, "generate": [{"sample": {"n": 1}}], "grade": grader}
    (folder / "mine.yaml").write_text(json.dumps(tree))


def test_the_graders_of_a_recipe_are_attacked_on_its_rows_and_the_folder_keeps_the_result(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from selfsown.records import Grade\n\n\ndef grade(rows):\n"
        "    for row in rows:\n        yield Grade(float(row.target in row.answer), evidence='oracle')\n"
    )
    recipe(tmp_path, ["exact_match", "./own.py"])
    done = run_in_process(tmp_path, "attack", "mine.yaml", "kept", "--rows", "5", "--html", "page.html", "--json")
    assert done.returncode == 4, done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads((tmp_path / "kept/attack.json").read_text())
    exact, own = result["graders"]
    assert (exact["attack"]["value"], exact["outcome"]) == (0.0, "no wrong answer passed")
    assert own["attack"]["value"] > 0.5
    assert "Wrong answers passed grade../own.py" in (tmp_path / "page.html").read_text()
    done = run_in_process(tmp_path, "attack", "mine.yaml", "--grader", "exact_match", "--rows", "5")
    assert done.returncode == 0
    assert "grade.exact_match: none of" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "attack takes a recipe, or one grader"),
        (("--grader", "math_equals"), "did you mean 'math_equal'?"),
        (("--grader", "verify"), "asks for the task of a recipe: selfsown attack RECIPE --grader verify"),
        (("--grader", "json_schema"), "needs schema"),
        (("--grader", "missing.py:reward"), "there is no file missing.py"),
        (("mine.yaml", "--grader", "exact"), "has no grader 'exact'; did you mean 'exact_match'?"),
        (("mine.yaml", "--rows", "0"), "--rows is 0"),
        (("mine.yaml", "--set", "grade=judge"), "a grader asks a model, whose replies need a folder"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], text: str, tmp_path: Path) -> None:
    recipe(tmp_path, ["exact_match"])
    done = run_in_process(tmp_path, "attack", *arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_grader_that_judges_no_answer_is_named_and_nothing_is_claimed(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, "attack", "--grader", "novelty")
    assert done.returncode == 5
    assert "grade.novelty is not attacked: it compares rows with real ones" in done.stdout


def test_a_recipe_may_demand_that_its_graders_were_attacked(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from selfsown.records import Grade\n\n\ndef grade(rows):\n"
        "    for row in rows:\n        yield Grade(float(row.target in row.answer), evidence='oracle')\n"
    )
    recipe(tmp_path, ["exact_match", "./own.py"])
    demand = ("--set", "grader_requirements={exact_match: {attack: 0.0}}")
    done = run_in_process(tmp_path, "make", "mine.yaml", "kept", *demand)
    assert done.returncode == 2
    assert (
        "grade.exact_match was not attacked as it is in the recipe now: selfsown attack mine.yaml kept" in done.stderr
    )
    run_in_process(tmp_path, "attack", "mine.yaml", "kept", "--rows", "5")
    loaded = Recipe.load(str(tmp_path / "mine.yaml"), [demand[1]])
    check_requirements(loaded, tmp_path / "kept")
    loaded = Recipe.load(str(tmp_path / "mine.yaml"), ["grader_requirements={./own.py: {attack: 0.1}}"])
    with pytest.raises(
        SelfsownError, match=r"grade\.\./own\.py may not be used: 1\.000 of the wrong answers of one family"
    ):
        check_requirements(loaded, tmp_path / "kept")


def test_before_a_run_that_optimises_against_a_grader_its_hole_is_shown(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from selfsown.records import Grade\n\n\ndef grade(rows):\n"
        "    for row in rows:\n        yield Grade(float(row.target in row.answer), evidence='oracle')\n"
    )
    rows = [{"prompt": f"What is {number} + 1?", "answer": str(number + 1)} for number in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tree = {"real": "rows.jsonl", "student": "tiny", "generate": ["sample"], "grade": ["./own.py"], "held_out": 10}
    tree |= {"mix": "accumulate", "evaluate": ["loss"], "goal": "loss", "generations": 1}
    for objective, count in (("dpo", 1), ("sft", 0)):
        (tmp_path / "mine.yaml").write_text(json.dumps({**tree, "train": objective}))
        sentences = list(weak_graders(Recipe.load(str(tmp_path / "mine.yaml"))))
        assert len(sentences) == count
        assert all("own.py accepts" in each and "dpo will learn to say what passes" in each for each in sentences)


def test_the_replies_of_a_judge_are_kept_so_that_a_second_attack_pays_nothing(tmp_path: Path) -> None:
    recipe(tmp_path, ["judge"])
    with Server(say=reply, models=("m",)) as server:
        address = ("--set", f"teacher.endpoint.url={server.url}")
        first = run_in_process(tmp_path, "attack", "mine.yaml", "kept", "--rows", "1", "--json", *address)
        requests = len(server.asked)
        second = run_in_process(tmp_path, "attack", "mine.yaml", "kept", "--rows", "1", "--json", *address)
    assert requests > 100
    assert len(server.asked) == requests
    assert first.returncode in (4, 5), first.stderr
    assert first.stdout == second.stdout
