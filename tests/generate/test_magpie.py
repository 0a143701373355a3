"""The model writes the user's turn, then answers it."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import magpie
from selfsown.models import Reply
from selfsown.models.endpoint.endpoint import create
from selfsown.recipe.steps import step
from selfsown.records import Row, SelfsownError
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot
from testing.mock_server import Server

FILE = File("x")
USER, END, ASSISTANT = "<|im_start|>user\n", "<|im_end|>\n", "<|im_start|>assistant\n"
TEMPLATE = {"user_prefix": USER, "turn_end": END, "assistant_prefix": ASSISTANT}


def said(turn: Any, answer: Any = "4") -> Parrot:
    return Parrot(lambda prompt, at: turn if prompt == USER else answer)


def made(teacher: Any, **knobs: Any) -> list[Row]:
    return recorded("magpie", magpie.generate(teacher, FILE, 0, 0, **{"count": 3, **TEMPLATE, **knobs}), teacher)


def test_the_turn_is_written_after_the_template_and_answered_within_it() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return f"What is {at}+{at}?" if prompt == USER else "4"

    teacher = Parrot(say)
    rows = made(teacher)
    assert seen == [USER] * 3 + [f"{USER}What is {at}+{at}?{END}{ASSISTANT}" for at in range(3)]
    assert teacher.temperatures == [1.0, 0.0]
    assert [(row.prompt, row.answer, row.status) for row in rows] == [
        (f"What is {at}+{at}?", "4", "") for at in range(3)
    ]
    for at, row in enumerate(rows):
        assert (row.origin, row.source, row.method, row.generation, row.sample_index) == (
            "synthetic",
            "parrot",
            "magpie",
            2,
            at,
        )
        assert row.parents == ()


def test_what_follows_the_end_of_a_turn_is_no_part_of_it() -> None:
    (row, *_) = made(said(f" 2+2? {END}{ASSISTANT}4{END}", f"\n4 {END}{USER}3+3?"))
    assert (row.prompt, row.answer) == ("2+2?", "4")


@pytest.mark.parametrize(
    ("turn", "answer", "reason"),
    [
        (" ", "4", "an empty text"),
        (f"{END}2+2?", "4", "an empty text"),
        ("w" * 8001, "4", "8,001 characters; the limit is 8,000"),
        (Reply(USER, "2+", failure="cut off"), "4", "cut off"),
        ("2+2?", "", "an empty text"),
        ("2+2?", "I'm sorry, I can't answer that.", "it refuses"),
        ("2+2?", " 2+2?", "it repeats its prompt"),
        ("2+2?", Reply("", "4 is", failure="cut off"), "cut off"),
    ],
)
def test_a_turn_or_an_answer_that_is_no_good_has_failed_with_its_reason(turn: Any, answer: Any, reason: str) -> None:
    rows = made(said(turn, answer))
    assert [row.status for row in rows] == ["failed"] * 3
    assert all(row.reason.startswith(reason) for row in rows)
    assert len({row.id for row in rows}) == 3


def test_without_a_template_the_model_goes_on_from_its_world_s_opening_and_the_world_reads_what_it_wrote() -> None:
    world = Task(rows=200, levels=3)
    real, opened, rng = world.pose(0), Counter[str](), random.Random(0)

    def say(prompt: str, at: int) -> Reply:
        if len(prompt) > 1:
            return Reply(prompt, next(row.answer for row in real if row.prompt == prompt))
        opened[prompt] += 1
        return Reply(rng.choice(real).prompt, "whatever it thinks at first")

    rows = list(magpie.generate(Parrot(say), world, 2, 0, count=200))
    assert set(opened) == {"1", "2"}
    assert 70 < opened["1"] < 130
    known = {(row.prompt, row.answer): row for row in real}
    for row in rows:
        assert row.status == ""
        assert (row.level, row.key) == (known[row.prompt, row.answer].level, known[row.prompt, row.answer].key)
    bad = list(magpie.generate(Parrot(lambda prompt, at: Reply("9abc", "12")), world, 2, 0, count=1))
    assert [(row.prompt, row.answer, row.reason) for row in bad] == [
        ("9abc", "12", "it is neither a deduction nor an induction")
    ]


def test_the_embedded_model_writes_both(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    world = Task(rows=100, levels=1)
    rows = list(world.pose(0))
    model = step("models", "tiny", {"layers": 1, "width": 16, "heads": 2})(rows=rows, seed=0)
    made, again = (recorded("magpie", magpie.generate(model, world, 1, 5, count=20), model) for _ in range(2))
    assert made == again
    assert len(made) == len({row.id for row in made}) == 20
    assert all(row.reason for row in made), "its weights are random"


@pytest.mark.parametrize("knobs", [{}, {"style": "completions"}])
def test_a_served_model_needs_style_completions_and_its_template(knobs: dict[str, str]) -> None:
    with Server() as server:
        teacher = create([], 0, url=server.url, model="m", **knobs)  # type: ignore[arg-type]
        with pytest.raises(SelfsownError, match=r"generate\.magpie: m must continue.*set style: completions"):
            made(teacher, **(TEMPLATE if not knobs else {"user_prefix": ""}))
        assert not server.asked
