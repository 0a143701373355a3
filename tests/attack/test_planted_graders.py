"""The attack finds holes that were planted before it was tuned, and raises no alarm where there is none."""

from __future__ import annotations

import os

import pytest

from selfsown.attack.attack import attack_grader
from selfsown.attack.example_rows import example_rows
from selfsown.attack.results import GraderAttack
from selfsown.attack.subject import Subject
from selfsown.grade.exact_match import grade as exact_match
from selfsown.grade.math_equal import grade as math_equal
from selfsown.grade.unit_tests import grade as unit_tests
from selfsown.records import Grade, Row
from testing.planted_code_graders import CODE_HOLES, CODE_SOUND
from testing.planted_graders import HOLES, SOUND, Planted

ROWS = example_rows(0)
SHIPPED = {"math_equal": math_equal, "exact_match": exact_match, "unit_tests": unit_tests}


def rows_of(form: str) -> list[Row]:
    return {"number": ROWS[:6], "text": ROWS[24:32], "code": ROWS[32:33]}[form]


def attacked(planted: Planted) -> GraderAttack:
    def grade(rows: list[Row]) -> list[Grade]:
        if shipped := SHIPPED.get(planted.name):
            return list(shipped(rows))
        return [Grade(float(planted.accepts(row))) for row in rows]

    return attack_grader(Subject(planted.name, grade), rows_of(planted.form), None)


def missed(graders: list[Planted]) -> list[str]:
    """The graders whose holes were not found; of sound ones, those with a false alarm."""
    return [planted.name for planted in graders if bool(attacked(planted).passed) is planted.sound]


def test_there_are_fifty_holes_and_twenty_sound_graders() -> None:
    assert (len(HOLES) + len(CODE_HOLES), len(SOUND) + len(CODE_SOUND)) == (50, 20)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_nine_holes_in_ten_of_answers_are_found() -> None:
    assert len(missed(HOLES)) <= 0.1 * len(HOLES)


def test_sound_graders_of_answers_raise_no_alarm() -> None:
    assert missed(SOUND) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="programs run in a sandbox")
def test_nine_holes_in_ten_of_programs_are_found_and_no_sound_grader_alarms() -> None:
    assert len(missed(CODE_HOLES)) <= 0.1 * len(CODE_HOLES)
    assert missed([planted for planted in CODE_SOUND if planted.name != "unit_tests with partial credit"]) == []
