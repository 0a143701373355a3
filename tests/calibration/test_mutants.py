"""Wrong rows made of right ones: each is wrong, and each kind has its turn."""

from __future__ import annotations

from collections import Counter

import pytest

from selfsown.calibration.mutants import MUTANT_KINDS, mutants
from selfsown.records import Row
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task as Programs
from selfsown.text.final_answer import stated_answer

TEXT = File("sums.csv")
SUMS = [Row(f"{at} + 5 = ?", f"It is {at + 5}.", target=f"It is {at + 5}.", sample_index=at) for at in range(99)]


def test_one_wrong_row_each_kinds_in_turn_and_reproducible() -> None:
    made = list(mutants(SUMS, TEXT, 0))
    assert [row.parents for row in made] == [(row.id,) for row in SUMS]
    assert all(row.answer != row.target for row in made)
    assert Counter(row.metadata["mutant"] for row in made) == dict.fromkeys(MUTANT_KINDS, 33)
    assert made == list(mutants(SUMS, TEXT, 0)) != list(mutants(SUMS, TEXT, 1))


def test_changed_numbers_keep_words_and_changed_characters_keep_the_shape() -> None:
    for row in mutants(SUMS, TEXT, 0):
        if row.metadata["mutant"] == MUTANT_KINDS[1]:
            assert row.answer.strip("0123456789.") == "It is "
        if row.metadata["mutant"] == MUTANT_KINDS[2]:
            assert [each.isalnum() for each in row.answer] == [each.isalnum() for each in row.target]


def test_the_final_answer_of_a_worked_answer_is_changed() -> None:
    told = [f"There are {at} of them here, and she brings five more, so {at} + 5 = {at + 5}." for at in range(99)]
    worked = [Row(row.prompt, f"{words}\n#### {at + 5}", target=f"{words}\n#### {at + 5}", sample_index=at)
              for at, (row, words) in enumerate(zip(SUMS, told, strict=True))]  # fmt: skip
    made = list(mutants(worked, TEXT, 0))
    assert len(made) == 99
    assert not any(row.answer.rpartition("####")[2] == row.target.rpartition("####")[2] for row in made)


def test_what_the_world_would_accept_is_no_mutant() -> None:
    world = Programs(rows=400)
    rows = world.pose(0)
    made = list(mutants(rows, world, 0))
    assert len(made) > 0.95 * len(rows)
    assert {world.check(row, row.answer).score for row in made} == {0.0}


def test_another_s_text_is_no_wrong_document_and_what_cannot_be_made_wrong_is_left_out() -> None:
    names = [Row("", f"emma{at}", target=f"emma{at}") for at in range(30)]
    assert {row.metadata["mutant"] for row in mutants(names, TEXT, 0)} == {MUTANT_KINDS[1], MUTANT_KINDS[2]}
    assert list(mutants([Row("q", "!", target="!"), Row("r", "!", target="!")], TEXT, 0)) == []


def test_answers_of_any_script_are_no_trouble() -> None:
    rows = [
        Row(prompt, word, target=word) for prompt in ("", "q") for word in ("日本", "Größe", "٤٢", "x² = 4", "٤٢ a")
    ]
    made = list(mutants(rows, TEXT, 0))
    assert len(made) == 8  # in documents nothing is known to change in what is neither a to z nor 0 to 9
    assert all(row.answer != row.target for row in made)


@pytest.mark.parametrize(
    "answer",
    [
        "abc\n---",
        "5\n...",
        "yes\n```",
        "a #### ",
        "a \\boxed{}",
        "…",
        "abc\n—\n",
        "12\n####",
        "\n",
        "日本\n。",
        "a\u200b",
    ],
)
def test_an_answer_that_ends_without_a_letter_is_made_wrong_elsewhere_or_left_out(answer: str) -> None:
    rows = [Row(f"q{at}", answer, target=answer, sample_index=at) for at in range(9)]
    for row in mutants(rows, TEXT, 0):
        assert row.answer != row.target


def test_a_long_answer_is_read_once_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(text: str) -> str:
        nonlocal read
        read += len(text)
        return stated_answer(text)

    def work(length: int) -> int:
        nonlocal read
        read = 0
        assert list(mutants([Row("", "word " * length, target="word " * length)], TEXT, 0))
        return read

    monkeypatch.setattr("selfsown.calibration.mutants.stated_answer", counted)
    assert work(8000) <= 5 * work(2000)
