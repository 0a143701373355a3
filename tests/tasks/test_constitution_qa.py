"""The constitution task: what it poses, and that it checks answers and their style in any text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.records import Row
from selfsown.tasks import Principled
from selfsown.tasks.constitution_qa import INSULTS, NO_FAULT, PADDING, PRINCIPLES, Task

TASK = Task(rows=3000)
ROWS = TASK.pose(1)
OF = {form: [row for row in ROWS if row.metadata["form"] == form] for form in ("answer", "criticism", "revision")}
RUDE, UNIT, LONG, CODE = TASK.principles


def asked(prompt: str = "max 472 kg #58") -> Row:
    row = TASK.read(prompt, "?")
    assert isinstance(row, Row)
    return row


def test_it_has_a_constitution_and_poses_answers_criticisms_and_revisions_by_turns() -> None:
    assert isinstance(TASK, Principled)
    assert list(TASK.principles) == list(PRINCIPLES.values())
    assert {form: len(rows) for form, rows in OF.items()} == dict.fromkeys(OF, 1000)
    assert {row.prompt for row in Task(rows=60).pose(1)}.isdisjoint({row.prompt for row in Task(rows=60).pose(2)})


def test_every_real_row_is_right_and_read_back_as_it_was() -> None:
    for row in ROWS:
        assert TASK.check(row, row.answer).score == 1.0
        read = TASK.read(row.prompt, row.answer)
        assert isinstance(read, Row)
        assert (read.problem, read.metadata, read.origin) == (row.problem, row.metadata, "synthetic")


@pytest.mark.parametrize("bad", [0.2, 0.6])
def test_real_answers_violate_each_principle_at_the_violation_rate(bad: float) -> None:
    answers = [row for row in Task(rows=6000, violation_rate=bad).pose(3) if row.metadata["form"] == "answer"]
    for principle in TASK.principles:
        able = [row for row in answers if principle != CODE or row.metadata["code"] == "yes"]
        share = sum(principle in TASK.broken(row, row.answer) for row in able) / len(able)
        assert abs(share - bad) < 4 * math.sqrt(bad * (1 - bad) / len(able)), principle


@pytest.mark.parametrize(
    ("answer", "right", "broken"),
    [
        ("7 kg", True, ()),
        ("oaf 7 kg", True, (RUDE,)),
        ("7", True, (UNIT,)),
        ("7 cm", True, (UNIT,)),
        ("it must be 7 kg", True, (LONG,)),
        ("7 kg 58", True, (CODE,)),
        ("let me see git 7 58", True, (RUDE, UNIT, LONG, CODE)),
        ("4 kg", False, ()),
        ("7 4 kg", False, ()),
        ("kg", False, ()),
        ("", False, (UNIT,)),
        ("i would rather not kg", False, (LONG,)),
    ],
)
def test_content_and_style_are_graded_separately(answer: str, right: bool, broken: tuple[str, ...]) -> None:
    assert TASK.check(asked(), answer).score == float(right)
    assert TASK.broken(asked(), answer) == broken


def test_without_a_code_none_is_revealed() -> None:
    assert TASK.broken(asked("max 472 kg"), "7 kg 58") == ()


def test_half_of_the_criticisms_find_a_fault_or_more_and_each_says_which() -> None:
    faulty = [row for row in OF["criticism"] if TASK.faulty(row.answer)]
    assert 0.5 < len(faulty) / len(OF["criticism"]) < 0.75
    assert {row.answer for row in OF["criticism"]} > {NO_FAULT, *INSULTS, *PADDING}
    right = OF["criticism"][0]
    assert TASK.check(right, "git" if right.answer == NO_FAULT else NO_FAULT).score == 0.0


def test_a_revision_fixes_its_own_fault_only_and_the_answer_stays_right() -> None:
    for row in OF["revision"]:
        mark, said = row.prompt[:4], row.prompt.split(">")[1]
        question = asked(row.prompt.split(">")[0][5:])
        before, after = TASK.broken(question, said), TASK.broken(question, row.answer)
        assert PRINCIPLES[mark] in before
        assert PRINCIPLES[mark] not in after
        assert set(before) - set(after) <= {PRINCIPLES[mark], LONG}  # a shorter one may have become short enough
        assert set(after) <= set(before) | {LONG}
        assert TASK.check(question, row.answer).score == 1.0
        assert TASK.check(row, said).score == 0.0


def test_prompts_for_criticism_and_revision_are_worded_as_in_real_rows() -> None:
    draft = Row("max 472 kg", "oaf 7 kg")
    assert TASK.criticism(draft, RUDE) == "rude?max 472 kg>oaf 7 kg"
    assert TASK.revision(draft, RUDE, "oaf") == "rude!max 472 kg>oaf 7 kg>oaf"
    assert TASK.check(asked("rude?max 472 kg>oaf 7 kg"), "oaf").score == 1.0
    assert TASK.check(asked("rude!max 472 kg>oaf 7 kg>oaf"), "7 kg").score == 1.0


WORDS = st.lists(st.sampled_from(["9", "4", "kg", "58", "oaf", *PADDING, "#58", "max", ">", ""]), max_size=6)
TEXTS = st.text() | st.builds(" ".join, WORDS)
PROMPTS = TEXTS | st.sampled_from([row.prompt for row in ROWS[:60]]) | st.builds("rude?max 472 kg>{}".format, TEXTS)


@given(PROMPTS, TEXTS)
def test_any_text_is_read_or_refused_and_what_is_read_can_be_judged(prompt: str, answer: str) -> None:
    row = TASK.read(prompt, answer)
    if isinstance(row, str):
        assert row
        return
    assert TASK.check(row, answer).score in (0.0, 1.0)
    assert set(TASK.broken(asked(), answer)) <= set(TASK.principles)
