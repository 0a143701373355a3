"""Benchmarks are read from files, data sets and harness tasks, and a row says which question it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfsown.contamination.questions import read_benchmarks
from selfsown.curate import decontaminate
from selfsown.errors import SelfsownError
from selfsown.recipe.steps import step
from selfsown.records import Row

EXAM = [
    "Which of the lighthouses on the northern coast was built before the great storm of 1807?",
    "A lamp keeper climbs 214 steps twice a day. How many steps does he climb in a week of 7 days?",
]


def lines(path: Path, column: str = "question") -> Path:
    path.write_text("\n".join(json.dumps({column: text, "gold": 1}) for text in EXAM), encoding="utf-8")
    return path


def reason(row: Row, *against: Any) -> str:
    return next(decontaminate.curate([row], [], [], against=against)).reason


def test_a_row_says_which_question_of_which_benchmark_it_has_and_by_which_rule(tmp_path: Path) -> None:
    exam = str(lines(tmp_path / "exam.jsonl"))
    assert reason(Row(EXAM[0], "x"), exam) == "decontaminate: same problem as exam.jsonl:1"
    passage = reason(Row("Tell me.", f"He asked: {EXAM[0]}"), exam)
    assert passage.startswith("decontaminate: shares 'which of the lighthouses")
    assert passage.endswith("with exam.jsonl:1")
    steps = "Twice a day the keeper of a lamp climbs 214 steps. In 7 days, which make a week, how many steps is that?"
    assert reason(Row(steps, "x"), exam).startswith("decontaminate: a paraphrase of exam.jsonl:2: similarity 0.")
    assert reason(Row("Which lighthouse is the highest?", "x"), exam) == ""


def test_a_data_set_and_a_column_of_a_file_are_benchmarks(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    saved = datasets.DatasetDict({"test": datasets.Dataset.from_dict({"question": EXAM})})
    saved.save_to_disk(tmp_path / "saved")
    other = str(lines(tmp_path / "other.jsonl", "stem"))
    entries = (str(tmp_path / "saved"), {"file": {"path": other, "prompt": "stem"}})
    assert {name: len(questions) for name, questions in read_benchmarks(entries).items()} == {
        "saved": 2,
        "other.jsonl": 2,
    }
    assert "same problem as saved:2" in reason(Row(EXAM[1], "x"), f"{tmp_path / 'saved'}:test")


def test_benchmarks_of_one_name_are_told_apart_and_none_is_named_twice(tmp_path: Path) -> None:
    paths = [tmp_path / name / "exam.jsonl" for name in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        lines(path)
    assert list(read_benchmarks([str(path) for path in paths])) == ["exam.jsonl", str(paths[1])]
    with pytest.raises(SelfsownError, match="twice"):
        read_benchmarks([str(paths[0])] * 3)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = lines(tmp_path / "exam.jsonl")
    assert len(read_benchmarks([str(path)])["exam.jsonl"]) == 2
    path.write_text(json.dumps({"question": EXAM[0]}), encoding="utf-8")
    assert len(read_benchmarks([str(path)])["exam.jsonl"]) == 1


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("missing.jsonl", "there is no file or folder missing.jsonl; an entry is a file, "),
        ({"flie": "x"}, "did you mean 'file'"),
        ({"file": {"path": "a.jsonl"}}, "there is no file or folder a.jsonl"),
        ({"file": {"pth": "a.jsonl"}}, "file has no option 'pth'; did you mean 'path'"),
        ({"file": {"prompt": "stem"}}, "file needs a path"),
        ({"lm_eval": 3}, "must be the name of a task"),
        ({"lm_eval": {"task": "x", "folder": "nowhere"}}, "there is no folder nowhere"),
        ({"file": "a", "dataset": "b"}, "an entry is a file, "),
    ],
)
def test_a_wrong_entry_is_one_line(entry: Any, why: str) -> None:
    with pytest.raises(SelfsownError, match=f"(?s)curate.decontaminate.against.*{why}") as error:
        read_benchmarks([entry])
    assert "\n" not in str(error.value)


def test_a_recipe_takes_entries_of_every_form() -> None:
    against = ["exam.jsonl", {"lm_eval": "gsm8k"}, {"file": {"path": "x.csv", "prompt": "stem"}}]
    assert list(step("curate", "decontaminate", {"against": against}).options["against"]) == against
    with pytest.raises(SelfsownError, match=r"against is 'exam'; it must be a list"):
        step("curate", "decontaminate", {"against": "exam"})


HARNESS_TASK = """
task: lights
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_choice: ["red", "blue"]
doc_to_target: "{{{{gold}}}}"
should_decontaminate: true
doc_to_decontamination_query: question
metric_list: [{{metric: acc}}]
"""


@pytest.mark.slow
def test_the_questions_of_a_harness_task_are_searched_for(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    data = lines(tmp_path / "lights.jsonl")
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "lights.yaml").write_text(HARNESS_TASK.format(data=data), encoding="utf-8")
    entry = {"lm_eval": {"task": "lights", "folder": str(tasks)}}
    assert reason(Row(EXAM[0], "x"), entry) == "decontaminate: same problem as lights:1"
    with pytest.raises(SelfsownError, match="lm_eval cannot read the task shadows"):
        read_benchmarks([{"lm_eval": {"task": "shadows", "folder": str(tasks)}}])
