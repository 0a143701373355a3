"""Generations of more rows than are kept in memory: the same rows, models and scores, from files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import FIRST
from test_loop import contents

from selfsown import loop, run_folder, stages
from selfsown.errors import RecipeError
from selfsown.files import row_sequences
from selfsown.files.row_parquet import StoredRows
from selfsown.files.row_sequences import chained
from selfsown.generation_work import GenerationWork
from selfsown.recipe.inputs import CurateInputs, GradeInputs
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import step
from selfsown.records import EPISODE, TURN, Grade, Mixture, Row
from selfsown.stages import curate_rows, grade_rows
from selfsown.tasks import programs
from selfsown.usage.journal import Journal

CURATORS = "curate=[min_score, dedup, dedup_near, {decontaminate: {near_copies: true}}]"
SMALL = (
    *FIRST,
    "real.programs.rows=300",
    "held_out=100",
    "generations=2",
    "generate.propose.count=160",
    CURATORS,
    "guard=[{monitor: {baseline_models: 2}}, label_precision]",
    "student.tiny.layers=1",
    "train.sft.steps=20",
    "train.sft.early_stopping=0.2",
    "evaluate.diversity.count=60",
    "evaluate.pass_at_k.prompts=10",
)
IN_MEMORY = 20  # rows; fewer than each stage has


@pytest.fixture
def few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (row_sequences, run_folder):
        monkeypatch.setattr(module, "IN_MEMORY", IN_MEMORY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose rows are all in memory."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    loop.run(Recipe.load("first", SMALL), folder)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("few_in_memory")
def test_a_run_from_files_ends_as_one_in_memory(whole: Path, tmp_path: Path) -> None:
    history = loop.run(Recipe.load("first", SMALL), tmp_path / "run")
    assert history[-1].counts["kept"] > IN_MEMORY
    assert contents(tmp_path / "run") == contents(whole)


@pytest.mark.slow
@pytest.mark.usefixtures("few_in_memory")
def test_what_a_stopped_run_left_between_its_stages_is_deleted(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "curate_rows", stop)
        with pytest.raises(KeyboardInterrupt):
            loop.run(Recipe.load("first", SMALL), tmp_path / "run")
    assert list(tmp_path.glob("run/generation-01/working/*.parquet"))
    loop.run(Recipe.load("first", SMALL), tmp_path / "run")
    assert contents(tmp_path / "run") == contents(whole)


REAL = [Row(f"question {number}", "yes", metadata={"place": "north" if number % 4 else "south"}) for number in range(8)]


def made_rows(count: int) -> list[Row]:
    """Rows of few prompts, some alike and some rejected or failed before, as an earlier curator gives them."""
    chance, rows = random.Random(0), list[Row]()
    for number in range(count):
        words = " ".join(chance.choices(["a", "river", "of", "stones", "runs", "north"], k=14))
        metadata = {
            "place": chance.choice(["north", "south"]),
            EPISODE: f"{number // 4}",
            TURN: f"{number % 4 + 1} of 4",
        }
        grades = (Grade(chance.choice([0.0, 0.5, 1.0]), "a reason", "judge"),)
        row = Row(f"prompt {chance.randrange(count // 5)}", words, parents=(f"real {number % 9}",), metadata=metadata)
        row = row.replace_fields(grades=grades, sample_index=number)
        rows.append(chance.choice([row, row, row, row.rejected("min_score: 0"), row.failed("no answer")]))
    return rows


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("dedup_near", {"max_similarity": 0.6}),
        ("balance", {"attributes": ["place"]}),
        ("cap", {"max_per_prompt": 2, "max_per_parent": 9}),
        ("pass_rate_band", {}),
        ("preference_pairs", {}),
        ("whole_episodes", {}),
    ],
)
def test_a_curator_that_rereads_gives_the_same_rows_from_a_file(
    method: str, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, chosen = made_rows(200), step("curate", method, options)
    inputs = CurateInputs(task=programs.Task(), real=REAL, past=rows[:3], seed=7)
    expected = list(curate_rows(chosen, iter(rows), inputs))
    monkeypatch.setattr(row_sequences, "IN_MEMORY", IN_MEMORY)
    held, read = list[bool](), StoredRows.__iter__
    monkeypatch.setattr(StoredRows, "__iter__", lambda stored: [held.append(True), read(stored)][1])
    assert list(curate_rows(chosen, iter(rows), inputs)) == expected
    assert held
    assert {row.status for row in expected} == {"", "rejected", "failed"}
    assert any(row.reason.startswith(method) for row in expected)
    added = {"preference_pairs"} & {row.method for row in expected}
    assert [row.sample_index for row in expected if row.method not in added] == list(range(200))


def test_a_curator_that_loses_a_row_or_gives_one_twice_is_refused() -> None:
    inputs = CurateInputs(task=programs.Task(), real=REAL)
    for curate, said in ((lambda rows: rows[1:], "lost 1 rows"), (lambda rows: [*rows, rows[0]], "gave 1 rows twice")):
        with pytest.raises(RecipeError, match=said):
            list(curate_rows(step("curate", curate), made_rows(20), inputs))


class Writer:
    name = "writer"


def calls(method: str, options: dict[str, int], rows: int, task: str = "programs") -> list[tuple[int, int, int]]:
    """Of each call of a generator: the rows that it is given, the count, and the seed."""
    real = [Row(f"question {number}", "answer") for number in range(rows)]
    recipe = Recipe.load(
        "first", (f"real={task}", "chunk_rows=100", "evaluate=[loss]", "goal=loss", "grade=[]", "curate=[]")
    )
    work = GenerationWork(recipe, real, Journal(Path("none")), number=1, level=1, folder=None)
    chunks = list(work.chunks(step("generate", method, options), real, 7))
    if method == "sample":
        assert [row for chunk in chunks for row in chunk.rows] == real
    return [(len(chunk.rows), int(chunk.call.option("count") or 0), chunk.seed) for chunk in chunks]


def test_a_generators_work_is_cut_into_calls() -> None:
    assert calls("propose", {"count": 100}, 5) == [(0, 100, 7)]
    assert [count for _, count, _ in calls("propose", {"count": 250}, 5)] == [100, 100, 50]
    assert [rows for rows, _, _ in calls("sample", {"n": 2}, 201)] == [100, 100, 1]
    assert [count for _, count, _ in calls("solve", {"count": 150}, 150, "addition")] == [100, 50], "it poses problems"
    assert [rows for rows, _, _ in calls("solve", {"count": 150}, 150)] == [100, 50], "it poses none"
    seeds = [seed for _, _, seed in calls("propose", {"count": 250}, 5)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 3


def test_a_grader_is_given_the_rows_of_a_prompt_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LARGE_CHUNK_ROWS", 4)
    given: list[list[str]] = []

    def grade(rows: list[Row]) -> Iterator[Grade]:
        given.append([row.prompt for row in rows])
        yield from (Grade(len(row.answer) / 2) for row in rows)

    every = [
        Row(prompt, answer).failed("lost") if answer == "x" else Row(prompt, answer)
        for prompt, answer in zip("aabbbbcdee", ["", "a", "x", "bb", "", "b", "x", "dd", "", "e"], strict=True)
    ]
    inputs = GradeInputs(task=programs.Task(), real=[])
    graded = list(grade_rows(step("grade", grade), every, inputs))
    assert [row.replace_fields(grades=()) for row in graded] == every
    assert [row.score for row in graded if not row.status] == [0, 0.5, 1, 0, 0.5, 1, 0, 0.5]
    assert given == [list("aabbb"), list("dee")]
    assert list(grade_rows(step("grade", grade), [], inputs)) == []


def test_a_mixture_from_a_file_measures_what_one_in_memory_does(tmp_path: Path) -> None:
    real = [Row(f"real {number % 7}", "yes") for number in range(20)]
    made = [Row("made", "no" * (number % 3), origin="synthetic") for number in range(30)]
    with run_folder.RowWriter(tmp_path / "made.parquet") as writer:
        for row in made:
            writer.add(row)
    weights = np.linspace(0, 1, 50)
    mixtures = [Mixture(chained(real, rows), weights) for rows in (made, StoredRows(tmp_path / "made.parquet"))]
    here, there = ((mixture.real_share, mixture.epochs(100), mixture.synthetic_share) for mixture in mixtures)
    assert here == there
    assert here[0] == pytest.approx(weights[:20].sum() / weights.sum())
    drawn = 100 * weights[20:].sum() / weights.sum()
    assert here[1] == pytest.approx(max(drawn / 3, 100 * here[0] / 7))
    assert here[2]["rows"] == pytest.approx(0.6)
    assert here[2]["tokens"] == pytest.approx(180 / 360)
