"""The world of additions: what it poses, that adding tells right from wrong, and what it cannot read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.holdout import split
from selfsown.records import EVALUATION_ONLY, Row, SelfsownError
from selfsown.tasks import Posing
from selfsown.tasks.addition import Task

WORLD = Task(rows=300, longer_rows=50, max_train_digits=3, max_digits=6)
HINTING = replace(WORLD, hint_share=0.5)
ROWS = WORLD.pose(1)


def row(prompt: str, world: Task = WORLD) -> Row:
    found = world.read(prompt, "")
    assert isinstance(found, Row), found
    return found


def test_the_columns_stand_from_the_units_up_and_the_carries_are_written_out() -> None:
    found = row(".." + "7548" + "......")  # 47 + 85 = 132
    assert (found.level, found.problem) == (2, "47+85")
    assert WORLD.check(found, "..2131").score == 1.0
    assert WORLD.check(row("7548........"), "2131").score == 1.0


def test_there_are_short_rows_to_learn_from_and_longer_ones_to_be_examined_on() -> None:
    levels = Counter(found.level for found in ROWS)
    assert len(ROWS) == 300 + 3 * 50
    assert [levels[size] for size in (4, 5, 6)] == [50] * 3
    assert levels[1] < levels[2], "there are few of one column, and none is posed twice"
    assert len({found.key for found in ROWS}) == len(ROWS)
    real, held_out = split(ROWS, 170, 0, "sums")
    assert {found.level for found in real} == {1, 2, 3}
    assert sum(found.level > 3 for found in held_out) == 150
    assert Counter(found.metadata["long"] for found in held_out) == {"yes": 150, "no": 20}


@pytest.mark.parametrize("world", [WORLD, HINTING], ids=["plain", "hints"])
def test_every_posed_row_is_right_and_read_back(world: Task) -> None:
    for found in world.pose(2):
        assert world.check(found, found.answer).score == 1.0
        again = world.read(found.prompt, found.answer)
        assert isinstance(again, Row)
        assert (again.prompt, again.problem, again.level) == (found.prompt, found.problem, found.level)


def test_each_wrong_digit_of_the_sum_is_seen_and_repaired() -> None:
    for found in ROWS[:60] + ROWS[-60:]:
        start = found.answer.rindex("..") + 2 if ".." in found.answer else 0
        for at in [*range(start, len(found.answer), 2), len(found.answer) - 1]:
            digit = str(1 - int(found.answer[at])) if at % 2 else str((int(found.answer[at]) + 1) % 10)
            grade = WORLD.check(found, found.answer[:at] + digit + found.answer[at + 1 :])
            assert grade.score == 0.0
            assert grade.correction == (found.prompt, found.answer)
            assert "not" in grade.reason


def test_a_carry_on_the_way_is_the_writer_s_own() -> None:
    assert WORLD.check(row("7548........"), "2031").score == 1.0, "132 is the sum, whatever was carried"


@pytest.mark.parametrize("answer", ["", "2131..", "..2131", "21", "213100", "2a31", "2131 ", "1321", "٢131"])
def test_an_answer_that_does_not_stand_under_its_columns_is_wrong(answer: str) -> None:
    assert WORLD.check(row("7548........"), answer).score == 0.0


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("", "frame"),
        ("7548", "frame"),
        ("............", "no addition"),
        ("75..48......", "stand"),
        ("754x........", "no addition"),
        ("7400........", "nought"),
    ],
)
def test_what_cannot_be_read_says_why(prompt: str, reason: str) -> None:
    found = WORLD.read(prompt, "2131")
    assert isinstance(found, str)
    assert reason in found
    assert WORLD.check(Row(prompt, "2131"), "2131").score == 0.0


def test_new_problems_are_of_the_level_and_below_half_of_them_at_the_top_and_show_no_answer() -> None:
    assert isinstance(WORLD, Posing)
    new = list(WORLD.problems(5, 400, 3))
    levels = Counter(found.level for found in new)
    assert sum(levels.values()) == 400
    assert set(levels) == {1, 2, 3, 4, 5}
    assert 0.5 <= levels[5] / 400 <= 0.7
    for found in new:
        assert found.answer == ""
        assert WORLD.check(found, found.target).score == 1.0
        assert not EVALUATION_ONLY.items() <= found.metadata.items()
    assert new == list(WORLD.problems(5, 400, 3)) != list(WORLD.problems(5, 400, 4))


def test_a_hint_is_the_sum_under_its_columns_and_nothing_else_changes() -> None:
    found = row("75?48?............", HINTING)
    assert HINTING.hinted(found) == "752483............"
    assert row(HINTING.hinted(found), HINTING).key == found.key
    with_hint = sum("?" not in each.prompt for each in HINTING.pose(0) if each.level <= 3)
    assert 110 <= with_hint <= 190
    assert all("?" in each.prompt for each in HINTING.pose(0) if each.level > 3), "an examination gives none"
    with pytest.raises(SelfsownError, match="set hints"):
        WORLD.hinted(ROWS[0])


@given(st.text("0123456789.?", max_size=14), st.text("0123456789.", max_size=14))
def test_any_text_is_read_or_refused_and_what_is_read_can_be_checked(prompt: str, answer: str) -> None:
    found = WORLD.read(prompt, answer)
    if isinstance(found, str):
        assert found
        return
    grade = WORLD.check(found, answer)
    assert (grade.score == 0.0) == (grade.correction is not None)
    if grade.correction:
        assert WORLD.check(found, grade.correction[1]).score == 1.0


def test_more_rows_than_there_are_is_refused() -> None:
    with pytest.raises(SelfsownError, match="ask for fewer"):
        Task(rows=200, max_train_digits=1).pose(0)
