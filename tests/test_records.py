"""What travels: a row's identity, its score and its end, and how much of a mixture is real."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.records import Generation, Grade, Mixture, Row, Score, Verdict

ROW = Row("2 + 2?", "4", problem="2+2", target="4", level=1, metadata={"by": "ann"})


def test_the_same_in_everything_is_the_same_row() -> None:
    assert ROW.id == replace(ROW).id
    assert replace(ROW) == ROW


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "2 + 3?"},
        {"answer": "5"},
        {"sample_index": 1},
        {"generation": 1},
        {"origin": "synthetic"},
        {"method": "sample"},
        {"parents": ("0123456789abcdef",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_row_says_and_where_it_comes_from_make_its_id(change: dict[str, object]) -> None:
    assert replace(ROW, **change).id != ROW.id  # type: ignore[arg-type]


def test_equal_texts_of_different_draws_are_different_rows() -> None:
    ids = {replace(ROW, sample_index=draw).id for draw in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids)


def test_grades_and_ends_leave_the_id_as_it_was() -> None:
    assert {row.id for row in (ROW.graded(Grade(0.5)), ROW.kept(), ROW.rejected("no"), ROW.failed("no"))} == {ROW.id}


@given(st.text(), st.text(), st.text(), st.text())
def test_prompt_and_answer_are_not_confused(prompt: str, answer: str, other: str, another: str) -> None:
    same = (prompt, answer) == (other, another)
    assert (Row(prompt, answer).id == Row(other, another).id) == same


def test_a_stage_only_adds() -> None:
    graded = ROW.graded(Grade(0.75, "well")).graded(Grade(0.25, "badly"))
    assert [grade.score for grade in graded.grades] == [0.75, 0.25]
    assert (graded.rejected("badly").status, graded.rejected("badly").reason) == ("rejected", "badly")
    assert (graded.failed("cut off").status, graded.failed("cut off").reason) == ("failed", "cut off")
    assert (graded.kept().status, graded.kept().reason) == ("kept", "")
    assert ROW.grades == ()
    with pytest.raises(FrozenInstanceError):
        ROW.answer = "5"  # type: ignore[misc]


def test_the_score_is_the_lowest_grade_and_one_where_nobody_graded() -> None:
    assert ROW.score == 1.0
    assert ROW.graded(Grade(0.75)).graded(Grade(0.25)).graded(Grade(0.5)).score == 0.25


def test_the_key_is_the_problem_or_else_the_prompt_or_else_the_text() -> None:
    assert [ROW.key, Row("2 + 2?", "4").key, Row("", "emma").key] == ["2+2", "2 + 2?", "emma"]


def test_the_real_share_is_that_of_the_draws() -> None:
    rows = [Row("", "a"), Row("", "b", origin="synthetic"), Row("", "c", origin="synthetic")]
    assert Mixture(rows, np.array([2.0, 1.0, 1.0])).real_share == 0.5
    assert Mixture(rows, np.array([0.0, 1.0, 1.0])).real_share == 0.0
    assert Mixture(rows[:1], np.ones(1)).real_share == 1.0


def test_the_synthetic_share_is_counted_in_rows_in_tokens_and_in_tokens_drawn() -> None:
    rows = [Row("1234", "56"), Row("12", "", origin="synthetic"), Row("1", "1", origin="synthetic")]
    found = Mixture(rows, np.array([2.0, 1.0, 5.0])).synthetic_share
    assert found == {"rows": 2 / 3, "tokens": 4 / 10, "drawn": 12 / 24}
    assert set(Mixture(rows[:1], np.ones(1)).synthetic_share.values()) == {0.0}
    assert set(Mixture(rows[1:], np.ones(2)).synthetic_share.values()) == {1.0}


def test_a_score_names_its_group_and_knows_which_way_is_up() -> None:
    low, high = Score("accuracy", 0.2, 9, 0.0, 0.5, "level=2"), Score("accuracy", 0.6, 9, 0.3, 0.9)
    assert (low.key, high.key) == ("accuracy[level=2]", "accuracy")
    assert high.exceeds(low)
    assert not low.exceeds(high)
    assert replace(low, direction="lower").exceeds(replace(high, direction="lower"))
    assert not high.exceeds(high)


def test_a_generation_stands_if_no_guard_refuses_it() -> None:
    score = Score("loss", 2.0, 9, 1.9, 2.1)
    found = Generation(1, 0, 1, {}, 1.0, (score,))
    assert found.accepted
    assert replace(found, verdicts=(Verdict(True), Verdict(True))).accepted
    refused = replace(found, verdicts=(Verdict(True), Verdict(False)))
    assert not refused.accepted
    assert refused.rejections == [Verdict(False)]
    assert replace(refused, rollback_enabled=False).accepted, "an alarm and no more"
    assert found.score("loss") == score
    assert found.score("accuracy") is None
