"""Tasksets of the package verifiers: their prompts are real rows, their rewards verify replies."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from selfsown.errors import RecipeError
from selfsown.recipe.steps import step
from selfsown.records import Row
from selfsown.tasks import checkable, is_right, measurable, verifiers
from selfsown.tasks.verifiers import Task

OWN = '''
"""Tasksets."""
import verifiers.v1 as vf

class Data(vf.TaskData):
    known: str

class Sum(vf.Task[Data]):
    @vf.reward(weight=1.0)
    async def right(self, trace) -> float:
        return float(trace.last_reply == self.data.known)

    @vf.reward(weight=0.5)
    async def short(self, trace) -> float:
        assert trace.last_reply != "raise"
        return float(len(trace.last_reply) < 4)

class Boxed(Sum):
    NEEDS_CONTAINER = True

class Running(vf.Task[Data]):
    @vf.reward(weight=1.0)
    async def ran(self, trace, runtime) -> float:
        return 1.0

class Config(vf.TasksetConfig):
    count: int = 12

class Sums(vf.Taskset[Sum, Config]):
    def load(self):
        for n in range(self.config.count):
            yield Sum(Data(prompt=f"{n} + 1?", known=str(n + 1), system_prompt="Be brief."))

class Endless(Sums):
    INFINITE = True

class Boxes(Sums):
    def load(self):
        yield Boxed(Data(prompt="1 + 1?", known="2"))

class Runs(Sums):
    def load(self):
        yield Running(Data(prompt="1 + 1?", known="2"))
'''


@pytest.fixture
def own(tmp_path: Path) -> str:
    pytest.importorskip("verifiers")
    (tmp_path / "own.py").write_text(OWN)
    return f"{tmp_path}/own.py"


def posed(options: dict[str, Any]) -> tuple[Task, list[Row]]:
    task = step("tasks", "verifiers", options)()
    assert isinstance(task, Task)
    return task, list(task.pose(0))


def test_without_the_package_one_line_says_what_to_install() -> None:
    with (
        mock.patch.object(verifiers, "find_spec", return_value=None),
        pytest.raises(RecipeError, match=r"pip install verifiers$"),
    ):
        list(Task("own.py:Sums").pose(0))


def test_prompts_are_rows_and_rewards_verify_replies(own: str) -> None:
    task, rows = posed({"taskset": f"{own}:Sums", "high": 1.5})
    assert [row.prompt for row in rows] == [f"{n} + 1?" for n in range(12)]
    assert not rows[0].answered
    assert rows[0].metadata["system"] == "Be brief."
    assert measurable(rows, task) == checkable(rows, task) == rows
    scores = {reply: task.check(rows[2], reply) for reply in ("3", "4", "three", "raise")}
    assert [scores[reply].score for reply in ("3", "4", "three")] == [1.0, pytest.approx(1 / 3), 0.0]
    assert scores["4"].reason in ("right 0, short 0.5", "short 0.5, right 0")
    assert scores["raise"].failed
    assert is_right(task, rows[2], "3")
    assert not is_right(task, rows[2], "4")
    assert task.check(Row("2 + 1?", "3"), "3").failed


def test_a_field_of_its_data_is_the_known_answer(own: str) -> None:
    task, rows = posed({"taskset": f"{own}:Sums", "answer": "known", "config": {"count": 3}})
    assert [(row.answer, row.target) for row in rows] == [("1", "1"), ("2", "2"), ("3", "3")]
    assert task.check(rows[0], "2").correction == ("0 + 1?", "1")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Sums", {"answer": "gold"}, "its data have no field 'gold'; its own: known"),
        ("Sums", {"config": {"sums": 3}}, "Sums cannot be created: ValidationError"),
        ("Summs", {}, "has no function 'Summs'; did you mean 'Sums'"),
        ("Endless", {}, "has tasks without end; set rows"),
        ("Boxes", {}, "needs a container"),
    ],
)
def test_what_does_not_fit_is_one_line(own: str, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message) as error:
        posed({"taskset": f"{own}:{name}", **options})
    assert "\n" not in str(error.value)


def test_rewards_that_need_a_runtime_grade_nothing(own: str) -> None:
    task, rows = posed({"taskset": f"{own}:Runs"})
    assert task.check(rows[0], "2").failed
