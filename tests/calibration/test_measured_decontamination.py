"""Decontamination is measured in the folder by planted copies, which never enter the rows."""

from __future__ import annotations

import json
from pathlib import Path

import folders
import pytest
import yaml

from selfsown.calibration.decontamination import Decontamination, Rate, measure_decontamination
from selfsown.html import decontamination as page
from selfsown.recipe.inputs import CurateInputs
from selfsown.recipe.steps import step
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.tasks.addition import Task

PLACES = ["Oslo", "Rome", "Lima", "Cairo", "Quito", "Delhi", "Paris", "Kyoto", "Accra", "Sofia", "Minsk", "Hanoi"]
THINGS = ["lantern", "violin", "carpet", "kettle", "saddle", "mirror", "anchor", "basket", "hammer", "candle"]


def questions(first: int, count: int) -> list[Row]:
    """Questions that have little in common."""
    rows = []
    for number in range(first, first + count):
        place, thing = PLACES[number % 12], THINGS[number * 7 % 10]
        told = (
            f"In {place} a trader{number} buys {100 + 3 * number} {thing}s from maker{number} and sells {number + 20}"
        )
        rows.append(Row(f"{told} at market{number} during harvest{number}. How many {thing}s remain unsold?", "x"))
    return rows


@pytest.fixture
def store(tmp_path: Path) -> RunFolder:
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"name": "x"}), encoding="utf-8")
    return RunFolder(tmp_path)


def measured(
    store: RunFolder, real: list[Row], held_out: list[Row], rows: list[Row], **options: object
) -> Decontamination:
    inputs = CurateInputs(task=Task(), real=real, held_out=held_out)
    result = measure_decontamination([step("curate", "decontaminate", options)], inputs, store, rows, 0)
    assert result
    return result


def test_recall_by_kind_false_positives_and_a_sample_are_in_the_folder(store: RunFolder) -> None:
    held_out, real = questions(0, 40), questions(100, 60)
    copy = Row(held_out[3].prompt, "x", origin="synthetic").rejected(
        f"decontaminate: same problem as held-out row {held_out[3].id}"
    )
    rows = [copy, *(row.kept() for row in questions(200, 9)), Row("?", "x").rejected("min_score: 0")]
    result = measured(store, real, held_out, rows)
    assert result == Decontamination.of(store)
    assert result.recall["verbatim"] == result.recall["wrapped"] == Rate(40, 40)
    assert result.recall["edited"].hits >= 30
    assert 0 < result.recall["paraphrased"].hits <= 40
    assert result.clean.n == 30
    assert result.clean.hits <= 1
    assert result.removed == Rate(1, 10)
    (example,) = result.removed_examples
    assert example.question == held_out[3].prompt
    assert "of planted copies it finds verbatim 100 % (91 to 100 %)" in result.sentence()
    assert measured(store, real, held_out, rows) == result


def test_it_is_the_step_with_its_options_that_is_measured(store: RunFolder) -> None:
    held_out, real = questions(0, 40), questions(100, 60)
    plain = measured(store, real, held_out, [], paraphrases=False)
    assert plain.recall["verbatim"].hits == 40
    assert plain.recall["paraphrased"].hits < measured(store, real, held_out, []).recall["paraphrased"].hits


def test_questions_of_a_benchmark_are_planted_too(store: RunFolder, tmp_path: Path) -> None:
    exam = tmp_path / "exam.jsonl"
    exam.write_text("\n".join(json.dumps({"question": row.prompt}) for row in questions(0, 20)), encoding="utf-8")
    result = measured(store, questions(100, 60), [], [], against=(str(exam),))
    assert result.questions == {"exam.jsonl": 20}
    assert result.recall["verbatim"] == Rate(20, 20)


def test_real_rows_that_have_a_question_are_shown(store: RunFolder) -> None:
    held_out = questions(0, 40)
    result = measured(store, [*questions(100, 20), *held_out[:20]], held_out, [])
    assert result.clean.hits > 0
    assert result.clean_examples[0].question in {row.prompt for row in held_out}
    section = page.section(store.folder)
    assert section
    assert section.clean
    assert "the most that it rejects by mistake" in section.sentences[-1]


def test_documents_are_planted_as_answers_and_verbatim_only(store: RunFolder) -> None:
    result = measured(store, [], [Row("", row.prompt) for row in questions(0, 12)], [])
    assert result.recall == {"verbatim": Rate(12, 12)}
    assert result.clean.n == 0


def test_nothing_is_measured_without_a_step_that_decontaminates(store: RunFolder) -> None:
    inputs = CurateInputs(task=Task(), real=[], held_out=questions(0, 12))
    assert measure_decontamination([step("curate", "min_score")], inputs, store, [], 0) is None
    assert Decontamination.of(store) is None
    assert page.section(store.folder) is None


def test_a_run_measures_it_and_no_planted_row_is_among_its_rows(tmp_path: Path) -> None:
    folder = folders.run(tmp_path / "run")
    result = Decontamination.of(RunFolder(folder))
    assert result
    assert result.recall["verbatim"].hits == result.recall["verbatim"].n > 0
    rows = [row for number in (1, 2) for row in RunFolder(folder).rows(f"generation-{number:02d}/rows") or []]
    assert rows
    assert {row.method for row in rows}.isdisjoint({"planted", "clean"})
    assert result.removed.n == sum(row.status == "kept" or row.reason.startswith("decontaminate:") for row in rows)
