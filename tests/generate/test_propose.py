"""The teacher writes new problems; what cannot be read is kept as a failed row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from provenance import recorded

from selfsown.generate import propose
from selfsown.models import DEFAULT_PARAMS, Reply
from selfsown.records import Row
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot, replaying

TASK = Task(rows=400, levels=3)
ROWS = TASK.pose(0)
ASKED = ROWS[:10]


def made_by(teacher: Parrot, level: int, *, generation: int = 1, **options: int) -> list[Row]:
    return recorded("propose", propose.generate(ASKED, teacher, TASK, level, 0, **options), teacher, generation)


def test_what_the_teacher_wrote_is_read_into_rows() -> None:
    made = made_by(replaying(ROWS), 3, generation=2, count=300)
    assert [(row.prompt, row.answer) for row in made] == [(row.prompt, row.answer) for row in ROWS[:300]]
    for row, real in zip(made, ROWS, strict=False):
        assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", "propose", 2)
        assert (row.level, row.metadata, row.key) == (real.level, real.metadata, real.key)
        assert (row.target, row.parents, row.status) == ("", (), "")
    assert [row.sample_index for row in made] == list(range(300))


def test_equal_proposals_are_still_different_rows() -> None:
    made = made_by(replaying(ROWS[:1]), 1, generation=1, count=50)
    assert len({row.id for row in made}) == 50


def test_openings_are_spread_evenly_over_the_levels_up_to_this_one() -> None:
    opened = Counter[str]()

    def say(prompt: str, at: int) -> str:
        opened[prompt] += 1
        return ""

    made_by(Parrot(say), 2, generation=1, count=1000)
    assert set(opened) == {"1", "2"}
    assert 420 < opened["1"] < 580


def test_what_cannot_be_read_is_a_failed_row_with_the_words_and_the_reason() -> None:
    made = made_by(Parrot(lambda prompt, at: Reply("9abc", "12")), 1, generation=1, count=3)
    assert {(row.prompt, row.answer, row.status) for row in made} == {("9abc", "12", "failed")}
    assert {row.reason for row in made} == {"it is neither a deduction nor an induction"}
    assert {(row.source, row.method, row.generation, row.origin) for row in made} == {
        ("parrot", "propose", 1, "synthetic")
    }


def test_a_reply_that_failed_fails_alone_with_its_reason() -> None:
    good = ROWS[0]
    teacher = Parrot(
        lambda prompt, at: Reply(good.prompt, good.answer, failure="no end within the context" if at == 1 else "")
    )
    made = made_by(teacher, 1, generation=1, count=3)
    assert [row.status for row in made] == ["", "failed", ""]
    assert made[1].reason == "no end within the context"


def test_documents_are_proposed_from_nothing(tmp_path: Path) -> None:
    prompts: list[str] = []

    def say(prompt: str, at: int) -> str:
        prompts.append(prompt)
        return f"name{at}" if at else ""

    made = list(propose.generate([], Parrot(say), File(str(tmp_path / "names.txt")), 0, 0, count=3))
    assert prompts == ["", "", ""]
    assert [(row.prompt, row.answer, row.status) for row in made] == [
        ("", "", "failed"),
        ("", "name1", ""),
        ("", "name2", ""),
    ]


def test_each_prompt_that_can_be_read_is_answered_n_times() -> None:
    asked: list[list[str]] = []

    class Teacher(Parrot):
        def complete(self, prompts, params=DEFAULT_PARAMS):  # type: ignore[no-untyped-def]
            asked.append([*prompts, str(params.n)])
            return super().complete(prompts, params)

    odd = [Reply("?", "unread"), *(Reply(row.prompt, row.answer) for row in ROWS[:3])]
    teacher = Teacher(lambda prompt, at: odd[at % 4] if len(prompt) == 1 else f"{at}")
    made = made_by(teacher, 3, generation=2, count=4, n=3)
    assert asked[1] == [*(row.prompt for row in ROWS[:3]), "2"]
    by_prompt = Counter(row.prompt for row in made)
    assert by_prompt == Counter({"?": 1} | {row.prompt: 3 for row in ROWS[:3]})
    assert len({row.id for row in made}) == len(made) == 10
