"""The teacher answers real prompts, each several times."""

from __future__ import annotations

from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import sample
from selfsown.models import Reply
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot

TASK = File("rows.jsonl", prompt="q", answer="a")
REAL = [Row(f"{at}?", str(at), target=str(at), level=1, metadata={"by": "ann"}, sample_index=at) for at in range(20)]


def made_by(rows: list[Row], teacher: Parrot, generation: int = 2, **options: Any) -> list[Row]:
    return recorded("sample", sample.generate(rows, teacher, TASK, 0, **options), teacher, generation)


def echo(prompt: str, at: int) -> str:
    return f"{prompt} {at % 4}"


def test_every_real_prompt_is_answered_n_times_in_order() -> None:
    made = made_by(REAL, Parrot(echo), generation=2, n=4)
    assert [(row.prompt, row.answer) for row in made] == [
        (row.prompt, f"{row.prompt} {draw}") for row in REAL for draw in range(4)
    ]
    assert [row.sample_index for row in made] == list(range(80))


def test_an_answer_names_its_real_row_and_keeps_what_is_known_of_its_prompt() -> None:
    for row in made_by(REAL, Parrot(echo), n=4):
        (asked,) = [real for real in REAL if real.id in row.parents]
        assert (row.prompt, row.target, row.key, row.level) == (asked.prompt, asked.target, asked.key, asked.level)
        assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", "sample", 2)
        assert (row.status, row.grades) == ("", ())


def test_equal_answers_are_still_different_rows() -> None:
    made = made_by(REAL, Parrot(lambda prompt, at: "same"), n=4)
    assert len({row.id for row in made}) == 80


def test_rows_without_a_prompt_are_not_asked() -> None:
    made = made_by([Row("", "emma"), REAL[3]], Parrot(echo), n=1)
    assert [row.prompt for row in made] == ["3?"]


def test_a_reply_that_failed_fails_alone_with_its_reason() -> None:
    teacher = Parrot(lambda prompt, at: Reply(prompt, "wor", failure="cut off") if at == 1 else "word")
    made = made_by(REAL[:1], teacher, n=3)
    assert [(row.answer, row.status, row.reason) for row in made] == [
        ("word", "", ""),
        ("wor", "failed", "cut off"),
        ("word", "", ""),
    ]


def test_the_traits_of_an_answer_are_its_own_so_that_a_bias_can_show() -> None:
    world = Task(rows=40)
    asked = [row for row in world.pose(0) if row.metadata["form"] == "induction" and row.metadata["style"] == "a"]
    sampling = step("generate", "sample", {"n": 1})
    made = list(sampling(rows=asked, teacher=Parrot(lambda prompt, at: "br"), task=world, seed=0))
    assert len(made) == len(asked)
    assert {row.metadata["style"] for row in made} == {"b"}


def test_an_instruction_stands_before_each_prompt_and_in_no_row() -> None:
    made = made_by(REAL[:1], Parrot(echo), n=1, instruction="Be brief.")
    assert [(row.prompt, row.answer) for row in made] == [("0?", "Be brief.\n\n0? 0")]


def test_what_the_teacher_thought_is_kept_beside_its_answer() -> None:
    teacher = Parrot(lambda prompt, at: Reply(prompt, "4", reasoning="2 and 2" if at else ""))
    plain, thought = made_by(REAL[:1], teacher, n=2)
    assert plain.metadata == {"by": "ann"}
    assert thought.metadata == {"by": "ann", "reasoning": "2 and 2"}


def test_with_a_schema_answers_are_json_on_one_line_or_have_failed() -> None:
    said = {"0?": '```json\n{"age": 7,}\n```', "1?": "seven", "2?": '{"age": "é"}'}
    schema = {"type": "object", "properties": {"age": {"type": ["integer", "string"]}}, "required": ["age"]}
    teacher = Parrot(lambda prompt, at: said[prompt[:2]])
    made = made_by(REAL[:3], teacher, n=2, schema=schema)
    assert [(row.prompt, row.answer, row.reason) for row in made[::2]] == [
        ("0?", '{"age":7}', ""),
        ("1?", "seven", "no JSON in the answer"),
        ("2?", '{"age":"é"}', ""),
    ]
    assert [row.status for row in made] == ["", "", "failed", "failed", "", ""]
    assert [row.sample_index for row in made] == list(range(6))


def test_only_rows_with_the_named_traits_are_asked() -> None:
    real = [Row(f"{at}?", "x", metadata={"by": "ann" if at % 3 else "bob", "in": "oslo"}) for at in range(9)]
    for only, asked in (({"by": "bob"}, 3), ({"by": "bob", "in": "rome"}, 0), ({}, 9), (None, 9)):
        if asked:
            assert len(made_by(real, Parrot(echo), generation=2, n=2, where=only)) == 2 * asked
    with pytest.raises(SelfsownError, match="no real row has a prompt"):
        made_by(real, Parrot(echo), generation=2, where={"by": "eve"})
