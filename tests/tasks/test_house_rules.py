"""The world of house rules: told, free and expected requests, and that the rules tell right from wrong."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from selfsown.holdout import split
from selfsown.recipe.steps import step
from selfsown.records import EVALUATION_ONLY, Row, SelfsownError
from selfsown.tasks.house_rules import Task, said

WORLD = Task(rows=400, held_out_rows=60)
ROWS = WORLD.pose(1)
FORMS = {form: [row for row in ROWS if row.metadata["form"] == form] for form in ("told", "free", "house", "expected")}


@pytest.mark.parametrize(
    ("rules", "answer"), [("", "40703"), ("x", "473"), ("u", "4073"), ("r", "30704"), ("e", "40703."), ("xre", "374.")]
)
def test_rules_hold_one_after_the_other(rules: str, answer: str) -> None:
    assert said(rules, "40703") == answer


def test_every_posed_row_is_right_and_no_request_stands_on_both_sides() -> None:
    assert Counter(row.metadata["form"] for row in ROWS) == {form: len(rows) for form, rows in FORMS.items()}
    assert (len(FORMS["house"]), len(FORMS["expected"])) == (60, 60)
    assert 0.1 < len(FORMS["free"]) / 400 < 0.3
    assert all(WORLD.check(row, row.answer).score == 1.0 for row in ROWS)
    real, held_out = split(ROWS, 160, 0, "house")
    assert {row.metadata["form"] for row in real} == {"told", "free"}
    assert not {row.key for row in real} & {row.key for row in held_out}
    asked = defaultdict(list)
    for row in held_out:
        asked[row.key].append(row.metadata["form"])
    assert Counter(map(tuple, asked.values()))[("house", "expected")] == 60


def test_the_same_words_are_right_or_wrong_by_what_is_expected() -> None:
    free, expected = FORMS["free"][0], FORMS["expected"][0]
    assert "\n" not in free.prompt + expected.prompt
    plain = Row(expected.prompt, "", metadata={"form": "free"})
    assert WORLD.check(plain, f":{expected.prompt}").score == 1.0
    grade = WORLD.check(expected, f":{expected.prompt}")
    assert (grade.score, grade.correction) == (0.0, (expected.prompt, expected.target))
    assert WORLD.check(plain, expected.target).score == 0.0


def test_only_what_follows_the_colon_is_looked_at() -> None:
    row = FORMS["expected"][0]
    assert WORLD.check(row, "u" + row.target).score == 1.0
    assert WORLD.check(row, row.target.partition(":")[2]).score == 0.0


def test_new_requests_expect_the_house_s_rules_and_show_neither_rules_nor_answer() -> None:
    new = list(WORLD.problems(0, 50, 2))
    assert {row.metadata["form"] for row in new} == {"expected"}
    for row in new:
        assert (row.answer, len(row.prompt)) == ("", 5)
        assert WORLD.check(row, row.target).score == 1.0
        assert WORLD.hinted(row) == f"xre\n\n{row.prompt}"
        assert not EVALUATION_ONLY.items() <= row.metadata.items()


@pytest.mark.parametrize("prompt", ["", "1234", "123456", "zz\n\n12345", "ex\n\n12345", "xre\n12345", "xre\n\n1234a"])
def test_what_is_no_request_is_not_read_and_not_right(prompt: str) -> None:
    assert isinstance(WORLD.read(prompt, ":1"), str)
    assert WORLD.check(Row(prompt, ":1"), ":1").score == 0.0


def test_rules_that_there_are_not_are_refused() -> None:
    with pytest.raises(SelfsownError, match="house"):
        step("tasks", "house_rules", {"expected_rules": "zz"})
