"""The measure counts prompts whose constraints are all kept, and apart: constraints, length, honesty, kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfsown.evaluate import accuracy, instructions, loss, pass_at_k
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.tasks.instructions import Task
from testing.echo_model import Parrot

TASK = Task("prompts.jsonl", max_words=5)
LIMIT = {"kind": "max_words", "words": 5}


def posed(number: int, *constraints: dict[str, Any], seen: str = "yes") -> Row:
    metadata = {"constraints": json.dumps(constraints), "kind": constraints[-1]["kind"], "kind_seen": seen}
    return Row(f"Question {number}?", "", problem=f"Question {number}?", metadata=metadata)


ROWS = [
    posed(0, LIMIT, {"kind": "lowercase"}),
    posed(1, LIMIT, {"kind": "lowercase"}),
    posed(2, LIMIT, {"kind": "no_comma"}, seen="no"),
    posed(3, LIMIT, {"kind": "no_comma"}, seen="no"),
    Row("A human one?", "Answered."),
]
REPLIES = ["small grey cats", "Small grey cats", "grey cats and dogs run far away", "commas, in three words"]


def say(prompt: str, at: int) -> Reply:
    number = int(prompt.split()[1].rstrip("?"))
    return Reply(prompt, REPLIES[number])


def values(scores: Any) -> dict[str, tuple[float, int]]:
    return {score.key: (score.value, score.n) for score in scores}


def test_all_kept_and_each_part_apart() -> None:
    scores = list(instructions.evaluate(Parrot(say), ROWS))
    assert values(scores) == {
        "instructions": (0.25, 4),
        "instructions[constraint]": (0.5, 4),
        "instructions[length]": (0.75, 4),
        "instructions[honest]": (1.0, 4),
        "instructions[kind=lowercase]": (0.5, 2),
        "instructions[kind=no_comma]": (0.5, 2),
        "instructions[kind=max_words]": (0.75, 4),
        "instructions[kind_seen=yes]": (0.5, 2),
        "instructions[kind_seen=no]": (0.0, 2),
    }
    assert all(score.low - 1e-9 <= score.value <= score.high + 1e-9 for score in scores)


def test_a_reply_that_failed_or_games_keeps_nothing() -> None:
    failing = values(
        instructions.evaluate(Parrot(lambda prompt, at: Reply(prompt, "grey cats", failure="cut off")), ROWS[:2])
    )
    assert {value for value, _ in failing.values()} == {0.0}
    copying = values(instructions.evaluate(Parrot(lambda prompt, at: "question 0?"), ROWS[:1]))
    assert (copying["instructions"], copying["instructions[honest]"]) == ((0.0, 1), (0.0, 1))
    assert copying["instructions[constraint]"] == (1.0, 1)


def test_rows_without_constraints_and_unreadable_ones_are_refused() -> None:
    with pytest.raises(SelfsownError, match="no held-out row has constraints"):
        list(instructions.evaluate(Parrot(say), ROWS[4:]))
    with pytest.raises(SelfsownError, match="there is no kind"):
        list(instructions.evaluate(Parrot(say), [posed(0, {"kind": "x"})]))


def test_accuracy_asks_only_prompts_that_the_task_can_check() -> None:
    scores = values(accuracy.evaluate(Parrot(say), ROWS, TASK, by=("kind", "kind_seen")))
    assert scores["accuracy"] == (0.25, 4)
    assert scores["accuracy[kind=lowercase]"] == (0.5, 2)
    assert scores["accuracy[kind_seen=no]"] == (0.0, 2)
    assert values(pass_at_k.evaluate(Parrot(say), ROWS, TASK, 0, k=1, n=2))["pass@1"] == (0.25, 4)


def test_loss_leaves_out_prompts_without_an_answer() -> None:
    model = Parrot(say)
    (score,) = loss.evaluate(model, ROWS)
    assert (score.n, score) == (1, *loss.evaluate(model, ROWS[4:]))
    with pytest.raises(SelfsownError, match="no held-out row has an answer"):
        list(loss.evaluate(model, ROWS[:4]))
