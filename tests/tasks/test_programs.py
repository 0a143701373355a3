"""The task of programs: what it poses, that running them tells right from wrong, and what it cannot read."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.tasks import programs
from selfsown.tasks.programs import OPERATIONS, RARE, Task, run

TASK = Task(rows=2000, levels=3)
ROWS = TASK.pose(1)
DEDUCTIONS = [row for row in ROWS if row.metadata["form"] == "deduction"]
INDUCTIONS = [row for row in ROWS if row.metadata["form"] == "induction"]


def program(row: Row) -> str:
    return row.prompt[1:].split(":")[0] if row.metadata["form"] == "deduction" else row.answer


def near(hits: int, n: int, expected: float) -> bool:
    """Whether a share of n is where chance would have it, within four standard errors."""
    return abs(hits / n - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_the_same_seed_poses_the_same_rows() -> None:
    small = Task(rows=50)
    assert small.pose(7) == small.pose(7)


def test_another_seed_poses_other_rows() -> None:
    small = Task(rows=50)
    assert {row.prompt for row in small.pose(7)}.isdisjoint({row.prompt for row in small.pose(8)})


def test_there_are_as_many_rows_as_were_asked_for() -> None:
    assert len(ROWS) == 2000
    assert len({row.id for row in ROWS}) == 2000


def test_no_problem_is_posed_twice() -> None:
    repeated = [key for key, count in Counter(row.key for row in ROWS).items() if count > 1]
    assert not repeated


def test_the_two_forms_come_by_turns() -> None:
    assert [row.metadata["form"] for row in ROWS] == ["deduction", "induction"] * 1000


def test_a_deduction_asks_for_the_output_and_an_induction_for_the_program() -> None:
    assert run("arp", "1234") == "4790"
    deduction, induction = TASK.read("2arp:1234", "4790"), TASK.read("|1234>4790", "arp")
    assert isinstance(deduction, Row)
    assert isinstance(induction, Row)
    assert (deduction.metadata["form"], deduction.level) == ("deduction", 2)
    assert (induction.metadata["form"], induction.level) == ("induction", 2)


@pytest.mark.parametrize("row", ROWS[:40], ids=lambda row: row.prompt)
def test_reading_a_real_row_gives_it_back(row: Row) -> None:
    read = TASK.read(row.prompt, row.answer)
    assert isinstance(read, Row)
    assert (read.prompt, read.answer, read.problem) == (row.prompt, row.answer, row.problem)
    assert (read.level, read.metadata, read.origin) == (row.level, row.metadata, "synthetic")


def test_every_real_row_checks_as_right() -> None:
    for row in ROWS:
        grade = TASK.check(row, row.answer)
        assert (grade.score, grade.evidence, grade.correction) == (1.0, "execution", None)
        assert row.target == row.answer
        assert row.origin == "real"


def test_a_changed_output_checks_as_wrong_and_its_repair_is_the_output_as_it_should_be() -> None:
    for at, row in enumerate(DEDUCTIONS):
        place = at % 4
        changed = row.answer[:place] + str((int(row.answer[place]) + 1 + at % 9) % 10) + row.answer[place + 1 :]
        assert changed != row.answer
        grade = TASK.check(row, changed)
        assert grade.score == 0.0
        assert grade.correction == (row.prompt, row.answer)


def test_a_program_with_another_effect_checks_as_wrong_and_its_repair_checks_as_right() -> None:
    wrong = 0
    for row, other in itertools.pairwise(INDUCTIONS):
        digits, wanted = row.prompt[1:].split(">")
        if run(other.answer, digits) == wanted:
            continue
        wrong += 1
        grade = TASK.check(row, other.answer)
        assert grade.score == 0.0
        assert grade.correction == (f"|{digits}>{run(other.answer, digits)}", other.answer)
        repaired = TASK.read(*grade.correction)
        assert isinstance(repaired, Row)
        assert TASK.check(repaired, repaired.answer).score == 1.0
    assert wrong > 900


@pytest.mark.parametrize("answer", ["as", "bs", "ass", "att", "bsts"])
def test_any_program_with_the_same_effect_answers_an_induction(answer: str) -> None:
    asked = TASK.read("|2121>1122" if answer != "att" else "|1221>2112", "as")
    assert isinstance(asked, Row)
    assert TASK.check(asked, answer).score == 1.0


@pytest.mark.parametrize("answer", ["", "a", "hello", "1122", "asss s", "assss", "as\n"])
def test_what_is_no_program_answers_nothing_and_cannot_be_repaired(answer: str) -> None:
    asked = TASK.read("|2121>1122", "as")
    assert isinstance(asked, Row)
    grade = TASK.check(asked, answer)
    assert (grade.score, grade.correction) == (0.0, None)
    assert repr(answer) in grade.reason


def test_operations_are_long_tailed() -> None:
    counts = Counter("".join(program(row)[1:] for row in ROWS))
    total, weights = counts.total(), [1 / (at + 1) for at in range(len(OPERATIONS))]
    for operation, weight in zip(OPERATIONS, weights, strict=True):
        assert near(counts[operation], total, weight / sum(weights)), operation
    assert near(sum(counts[operation] for operation in RARE), total, 1 / 6)


def test_a_row_is_rare_if_one_of_its_operations_is() -> None:
    for row in ROWS:
        assert (row.metadata["rare"] == "yes") == bool(RARE & set(program(row)[1:]))


def test_seven_in_ten_have_style_a() -> None:
    assert near(sum(row.metadata["style"] == "a" for row in ROWS), len(ROWS), 0.7)
    assert all(row.metadata["style"] == program(row)[0] for row in ROWS)


def test_levels_run_from_one_to_the_top_and_say_how_long_the_program_is() -> None:
    assert {row.level for row in ROWS} == {1, 2, 3}
    assert all(row.level == len(program(row)) - 1 for row in ROWS)
    assert all(row.prompt.startswith(TASK.opening(row.level)) for row in DEDUCTIONS)


@pytest.mark.parametrize(
    ("prompt", "answer", "reason"),
    [
        ("", "", "neither a deduction"),
        ("2arp1234", "4790", "neither a deduction"),
        ("|1234", "arp", "neither a deduction"),
        ("2arp:12a4", "4790", "neither a deduction"),
        ("|1234>٤٧٩٠", "arp", "neither a deduction"),
        ("2crp:1234", "4790", "not a program"),
        ("2azz:1234", "4790", "not a program"),
        ("0a:1234", "1234", "not a program"),
        ("4arrrr:1234", "1234", "of 1 to 3 operations"),
        ("|1234>4790", "", "not a program"),
        ("|1234>4790", "arp\n", "not a program"),
        ("1arp:1234", "4790", "2 operations has the level 1"),
        ("2arp:12345", "4790", "not 4 digits"),
        ("|123>321", "ar", "not 4 digits"),
    ],
)
def test_an_unreadable_program_has_a_reason(prompt: str, answer: str, reason: str) -> None:
    read = TASK.read(prompt, answer)
    assert isinstance(read, str)
    assert reason in read


TEXTS = st.text() | st.text("0123abrsx|>:", max_size=12)
DIGITS, PROGRAMS = st.text("0123456789", min_size=3, max_size=5), st.text("abrtiswdmhfp", min_size=1, max_size=5)
ASKED = TEXTS | st.builds("|{}>{}".format, DIGITS, DIGITS) | st.builds("{}{}:{}".format, DIGITS, PROGRAMS, DIGITS)
ASKED |= st.builds(lambda code, digits: f"{len(code) - 1}{code}:{digits}", PROGRAMS, DIGITS)


@given(ASKED, TEXTS | DIGITS | PROGRAMS)
def test_any_text_is_read_or_refused_and_what_is_read_can_be_checked(prompt: str, answer: str) -> None:
    row = TASK.read(prompt, answer)
    if isinstance(row, str):
        assert row
        return
    grade = TASK.check(row, row.answer)
    assert grade.score in (0.0, 1.0)
    assert (grade.score == 0.0) == (grade.correction is not None)
    if grade.correction:
        repaired = TASK.read(*grade.correction)
        assert isinstance(repaired, Row)
        assert TASK.check(repaired, repaired.answer).score == 1.0


def test_a_deduction_restated_is_an_induction_of_the_same_problem_that_checks_as_right() -> None:
    for row in DEDUCTIONS:
        (restated,) = TASK.restate(row)
        assert restated.metadata == {**row.metadata, "form": "induction"}
        assert restated.key == row.key
        assert restated.level == row.level
        assert TASK.check(restated, restated.answer).score == 1.0


def test_an_induction_is_not_restated() -> None:
    assert not [twin for row in INDUCTIONS for twin in TASK.restate(row)]


def test_every_program_with_the_same_effect_is_about_the_same_problem() -> None:
    forms = [("1ar:1234", "4321"), ("2brr:1234", "1234"), ("|1234>4321", "ar"), ("|1234>4321", "brtr")]
    keys = [row.key for said in forms if isinstance(row := TASK.read(*said), Row)]
    assert keys[0] == keys[2] == keys[3] != keys[1]


@pytest.mark.parametrize("knobs", [{"levels": 0}, {"levels": -1}, {"levels": 12}, {"length": 0}, {"length": 1}])
def test_a_world_that_cannot_be_is_refused(knobs: dict[str, int]) -> None:
    with pytest.raises(SelfsownError, match=next(iter(knobs))):
        step("tasks", "programs", knobs)


def test_more_rows_than_there_are_problems_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MAX_TRIES", 3)  # for each row: there are fewer problems than rows, however many
    with pytest.raises(SelfsownError, match=r"cannot generate .* lower rows"):
        Task(rows=2000, levels=1, length=2).pose(0)
