"""Sums can be reckoned by anybody; of facts only a real row's answer is known, and none comes out of the world."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from selfsown.grade import verify
from selfsown.holdout import split
from selfsown.recipe.inputs import GradeInputs
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.stages import grade_rows
from selfsown.tasks.sums_and_facts import Task

WORLD = Task(sums=300, facts=40, wordings=5)
ROWS = WORLD.pose(0)
FACTS = [row for row in ROWS if row.metadata["kind"] == "fact"]


def test_there_are_as_many_sums_and_facts_as_asked_for_and_no_problem_twice() -> None:
    assert len(ROWS) - len(FACTS) == 300
    assert len(FACTS) == 200
    assert len({row.key for row in ROWS}) == 500


def test_a_fact_has_one_answer_in_all_its_wordings_and_the_split_parts_wordings() -> None:
    answers = defaultdict(set)
    for row in FACTS:
        answers[row.prompt[3:]].add(row.answer)
    assert len(answers) == 40
    assert all(len(each) == 1 for each in answers.values())
    real, held_out = split(ROWS, 200, 0, "almanac")
    sides = [{row.prompt[3:] for row in side if row.prompt[0] == "?"} for side in (real, held_out)]
    assert len(sides[1]) > 30
    assert sides[1] <= sides[0], "each fact that is asked for was told in another wording"


@pytest.mark.parametrize(("prompt", "answer"), [("+47+85", "231"), ("+05+04", "900"), ("+99+99", "891")])
def test_a_sum_is_written_units_first_and_a_wrong_one_is_repaired(prompt: str, answer: str) -> None:
    row = WORLD.read(prompt, answer)
    assert isinstance(row, Row)
    assert (row.target, row.origin) == ("", "synthetic")
    assert WORLD.check(row, answer).score == 1.0
    wrong = WORLD.check(row, answer[::-1] + "0")
    assert (wrong.score, wrong.correction) == (0.0, (prompt, answer))


def test_nobody_can_say_whether_a_model_s_fact_is_true_not_even_where_it_is() -> None:
    fact = FACTS[0]
    for said in (fact.answer, "000"):
        row = WORLD.read(fact.prompt, said)
        assert isinstance(row, Row)
        grade = WORLD.check(row, said)
        assert (grade.failed, grade.score, grade.correction) == (True, 0.0, None)
        assert fact.answer not in grade.reason
        (made,) = grade_rows(step("grade", "verify", {"correct": True}), [row], GradeInputs(task=WORLD, real=[]))
        assert made.status == "failed"
    assert WORLD.check(fact, fact.answer).score == 1.0
    assert WORLD.check(fact, "x").score == 0.0
    assert next(verify.grade([replace(fact, origin="synthetic")], WORLD)).score == 1.0, "asked by a real row"


@pytest.mark.parametrize(
    ("prompt", "answer"), [("47+85", "231"), ("+4+85", "98"), ("?z lomak", "1"), ("+47+85", "2x1"), ("", "231")]
)
def test_what_is_neither_is_not_read(prompt: str, answer: str) -> None:
    assert isinstance(WORLD.read(prompt, answer), str)


def test_more_than_there_is_cannot_be_had() -> None:
    with pytest.raises(SelfsownError, match="ask for fewer"):
        Task(sums=60, digits=1).pose(0)
    with pytest.raises(SelfsownError, match="ask for fewer facts"):
        Task(facts=100_000).pose(0)
