"""New tasks after real ones: unlike all before them, and done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import self_instruct
from selfsown.generate.self_instruct import FIRST_BATCH
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import fenced
from testing.echo_model import Parrot

REAL = [Row(f"seed {at} is about thing{at} of kind{at}", f"done {at}", sample_index=at) for at in range(30)]


def saying(at: int, **changes: str) -> str:
    fields = {"instruction": f"new{at} word{at} other{at}", "input": "", "output": f"result {at}"}
    return json.dumps(fields | changes)


def made(say: Any, real: list[Row] = REAL, seed: int = 0, **knobs: Any) -> list[Row]:
    teacher = Parrot(say)
    return recorded("self_instruct", self_instruct.generate(real, teacher, seed, **{"count": 5, **knobs}), teacher)


def test_each_task_is_a_row_that_names_the_real_rows_it_was_written_after() -> None:
    rows = made(lambda prompt, at: saying(at, input="the cat" if at else ""))
    assert [(row.prompt, row.answer, row.status) for row in rows[:2]] == [
        ("new0 word0 other0", "result 0", ""),
        ("new1 word1 other1\n\nthe cat", "result 1", ""),
    ]
    for row in rows:
        assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", "self_instruct", 2)
        assert len(set(row.parents)) == 8
        assert set(row.parents) <= {real.id for real in REAL}
    assert [row.sample_index for row in rows] == list(range(5))


def test_later_prompts_show_tasks_of_the_call_s_own_and_earlier_ones_real_rows_alone() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return saying(len(seen))

    rows = made(say, count=3 * FIRST_BATCH, shots=4, generated_shots=1)
    assert len(rows) == len(seen) == 3 * FIRST_BATCH
    assert all(prompt.count("Task:") == 4 for prompt in seen)
    shown = ["result" in prompt for prompt in seen]
    assert shown == [False] * FIRST_BATCH + [True] * 2 * FIRST_BATCH
    assert [len(row.parents) for row in rows] == [4] * FIRST_BATCH + [3] * 2 * FIRST_BATCH


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("I know none.", "no JSON in the answer"),
        (saying(0, instruction=" "), "an empty instruction"),
        (saying(0, output=""), "an empty output"),
        (saying(0, output="I'm sorry, I can't help with that."), "it refuses"),
        (saying(0, output="New0 word0  other0"), "it repeats its prompt"),
        (saying(0, output="word " * 2000), "9,999 characters; the limit is 8,000"),
        (saying(0, instruction="Think of one more task, of another kind and about it."), "it repeats its instructions"),
        (saying(0, instruction=REAL[3].prompt.upper()), "too similar to an earlier task, ROUGE-L 1.00: 'seed 3"),
        (saying(0, instruction="seed 3 is about thing3 or kind3"), "too similar to an earlier task, ROUGE-L 0.86"),
        (Reply("", "", failure="refused: no"), "refused: no"),
    ],
)
def test_a_task_that_is_no_good_fails_alone_with_its_reason(said: Any, reason: str) -> None:
    rows = made(lambda prompt, at: saying(at) if at % 5 else said)
    assert [row.status for row in rows] == ["failed", "", "", "", ""]
    assert rows[0].reason.startswith(reason)


def test_a_task_like_one_made_earlier_in_the_call_has_failed_and_none_is_if_all_may_be_alike() -> None:
    rows = made(lambda prompt, at: saying(7), count=2 * FIRST_BATCH)
    assert [row.status for row in rows] == [""] + ["failed"] * (2 * FIRST_BATCH - 1)
    assert {
        row.status for row in made(lambda prompt, at: saying(at // 2, instruction=f"go {at}"), max_similarity=1.0)
    } == {""}


def test_the_seed_decides_which_examples_are_shown() -> None:
    parents = [[row.parents for row in made(lambda prompt, at: saying(at), seed=seed)] for seed in (0, 0, 1)]
    assert parents[0] == parents[1] != parents[2]


def test_only_so_many_seeds_are_drawn_and_words_of_the_user_s_own_are_told() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return saying(at)

    long = "w" * 2000
    rows = made(say, [*REAL, Row(long, "a")], count=20, seed_rows=3, generated_shots=0, instruction="In verse.")
    (shown,) = made(say, [Row(long, "a")], count=1)
    assert fenced(f"Task:\n{'w' * 600} …\n\nSolution:\na") in seen.pop()
    assert shown.status == ""
    assert len({parent for row in rows for parent in row.parents}) == 3
    assert all("In verse." in prompt for prompt in seen)


def test_without_a_real_prompt_there_is_nothing_to_go_by() -> None:
    with pytest.raises(SelfsownError, match="no real row has a prompt"):
        made(lambda prompt, at: saying(at), [Row("", "a document")])
