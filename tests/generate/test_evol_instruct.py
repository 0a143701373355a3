"""Real tasks evolve round by round; what did not evolve is eliminated, and the next round starts before it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import evol_instruct
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from testing.echo_model import Parrot

REAL = [
    Row(f"Name {at} rivers.", "Rhine", target="Rhine", metadata={"by": "ann"}, level=3, sample_index=at)
    for at in range(4)
]
MORE = "Give the length and source of each"


def teaching(rewrite: Callable[[str], Any], answer: Any = "Done.") -> Parrot:
    """It rewrites the task that stands between the marks, and answers whatever else it is asked."""

    def say(prompt: str, at: int) -> str | Reply:
        if "JSON schema" not in prompt:
            return answer if isinstance(answer, str | Reply) else answer(prompt)
        found = rewrite(prompt.split("<text-")[1].split("\n")[1])
        return json.dumps({"task": found}) if isinstance(found, str) else found

    return Parrot(say)


def longer(task: str) -> str:
    """As many new words as it takes, whatever the task."""
    more = sum(map(str.isalpha, task))
    return f"{task} And this{more} with that{more} and those{more}."


def made(teacher: Parrot, rows: list[Row] = REAL, seed: int = 0, **knobs: Any) -> list[Row]:
    return recorded("evol_instruct", evol_instruct.generate(rows, teacher, seed, **knobs), teacher)


def test_each_round_goes_on_from_the_one_before_and_its_tasks_are_answered() -> None:
    rows = made(teaching(longer, lambda prompt: f"answer to {prompt}"))
    assert len(rows) == 3 * len(REAL)
    for at, row in enumerate(rows):
        start, before = REAL[at // 3], rows[at - 1] if at % 3 else REAL[at // 3]
        assert row.prompt == longer(before.prompt)
        assert (row.answer, row.status) == (f"answer to {row.prompt}", "")
        assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", "evol_instruct", 2)
        assert (row.parents, row.sample_index, row.level, row.target) == ((start.id,), at, 3, "")
        assert row.metadata == {"by": "ann", "operation": row.metadata["operation"], "round": str(at % 3 + 1)}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("name 0  RIVERS", "it equals the task before it"),
        ("Name 0 rivers, please.", "it adds fewer than 3 new words"),
        (
            "Make sure that it does not look contrived: add ten to twenty words, and make sure that it does not look.",
            "it repeats its instructions",
        ),
        ("I'm sorry, but I can't rewrite that.", "it refuses"),
        (" ", "an empty text"),
        (f"Name 0 rivers. {MORE} " * 300, "14,999 characters; the limit is 8,000"),
        (Reply("", "", failure="refused: no"), "refused: no"),
    ],
)
def test_what_did_not_evolve_is_eliminated_and_the_next_round_starts_before_it(said: Any, reason: str) -> None:
    calls = Counter[str]()

    def rewrite(task: str) -> Any:
        calls[task] += 1
        return said if calls[task] == 1 else longer(task)

    rows = made(teaching(rewrite), REAL[:1], rounds=2, operations=("constrain",))
    assert [row.status for row in rows] == ["failed", ""]
    assert rows[0].reason.startswith(reason)
    assert rows[1].prompt == longer(REAL[0].prompt)
    assert calls == {REAL[0].prompt: 2}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply("", "half", failure="cut off"), "cut off"),
        ("I cannot help with that.", "it refuses"),
        (lambda prompt: prompt.upper(), "it repeats its prompt"),
    ],
)
def test_a_task_that_is_not_answered_is_eliminated_too(answer: Any, reason: str) -> None:
    rows = made(teaching(longer, answer), REAL[:1])
    assert {row.prompt for row in rows} == {longer(REAL[0].prompt)}
    assert all(row.status == "failed" and row.reason.startswith(reason) for row in rows)


def test_in_breadth_a_task_must_be_another_and_may_be_shorter() -> None:
    other = made(teaching(lambda task: "Which seas are salt?"), REAL[:1], rounds=1, operations=("broaden",))
    same = made(teaching(lambda task: "Now name 0 rivers."), REAL[:1], rounds=1, operations=("broaden",))
    assert [row.reason for row in (*other, *same)] == ["", "it paraphrases the task before it"]


def test_the_way_of_a_row_depends_on_seed_and_row_alone_so_chunks_change_nothing() -> None:
    whole = made(teaching(longer), rounds=4)
    parts = [row for real in REAL for row in made(teaching(longer), [real], rounds=4)]
    assert [replace(row, sample_index=0) for row in whole] == [replace(row, sample_index=0) for row in parts]
    assert [row.metadata["operation"] for row in whole] != [
        row.metadata["operation"] for row in made(teaching(longer), seed=1)
    ]
    every = Counter(row.metadata["operation"] for row in made(teaching(longer), rounds=60))
    assert len(every) == 6
    assert min(every.values()) > 20


def test_only_the_ways_that_are_named_are_taken_and_the_user_s_words_are_told() -> None:
    seen: list[str] = []
    teacher = teaching(lambda task: seen.append(task) or longer(task))  # type: ignore[func-returns-value]
    rows = made(teacher, operations=("deepen", "reason"))
    assert {row.metadata["operation"] for row in rows} == {"deepen", "reason"}
    told: list[str] = []
    made(Parrot(lambda prompt, at: told.append(prompt) or ""), instruction="In verse.")  # type: ignore[func-returns-value]
    assert all("In verse." in prompt for prompt in told)


@pytest.mark.parametrize(("rows", "knobs"), [([Row("", "text")], {}), (REAL, {"operations": ()})])
def test_without_a_prompt_or_a_way_it_says_so(rows: list[Row], knobs: dict[str, Any]) -> None:
    with pytest.raises(SelfsownError, match=r"generate\.evol_instruct: (no real row has a prompt|operations is empty)"):
        made(teaching(longer), rows, **knobs)
