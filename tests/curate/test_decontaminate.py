"""What is held out never becomes a lesson."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from importlib import import_module

import pytest
from realdata import real_data

from selfsown.curate import decontaminate
from selfsown.holdout import split
from selfsown.records import Row
from selfsown.tasks.programs import Task

WORLD = Task(rows=200)
ROWS = WORLD.pose(0)
HELD_OUT, OTHERS = ROWS[:100], [row for row in ROWS[100:] if row.key not in {each.key for each in ROWS[:100]}]


def test_rows_about_other_problems_stay() -> None:
    assert list(decontaminate.curate(OTHERS, [], HELD_OUT)) == OTHERS


@pytest.mark.parametrize(
    "name", ["addition", "sums_and_facts", "house_rules", "noisy_facts", "constitution_qa", "programs"]
)
def test_problems_of_the_built_in_worlds_are_told_apart(name: str) -> None:
    task = import_module(f"selfsown.tasks.{name}").Task()
    rest, held_out = split(list(task.pose(0)), 0.2, 0, name)
    rows = [*rest, *(other for row in rest for other in task.restate(row))]
    assert not [row for row in decontaminate.curate(rows, [], held_out) if row.status]


def test_rows_about_held_out_problems_are_rejected_by_their_name() -> None:
    out = list(decontaminate.curate(HELD_OUT, [], HELD_OUT))
    assert [row.reason for row in out[:3]] == [
        f"decontaminate: same problem as held-out row {row.id}" for row in HELD_OUT[:3]
    ]
    assert {row.status for row in out} == {"rejected"}


def test_the_same_problem_in_the_other_form_is_a_leak() -> None:
    twins = [twin for row in HELD_OUT for twin in WORLD.restate(row)]
    assert len(twins) == 50
    assert {row.status for row in decontaminate.curate(twins, [], HELD_OUT)} == {"rejected"}


def test_a_held_out_prompt_with_a_wrong_answer_is_a_leak_too() -> None:
    wrong = [replace(row, answer="x", problem="another") for row in HELD_OUT]
    assert {row.status for row in decontaminate.curate(wrong, [], HELD_OUT)} == {"rejected"}


def test_documents_leak_by_their_text() -> None:
    out = decontaminate.curate([Row("", "emma"), Row("", "ava")], [], [Row("", "emma")])
    assert [row.status for row in out] == ["rejected", ""]


def test_two_documents_do_not_leak_only_because_neither_has_a_prompt() -> None:
    assert not next(decontaminate.curate([Row("", "ava")], [], [Row("", "emma"), Row("", "zoe")])).status


EXAM = "A baker sells twelve loaves each hour and works from six in the morning until noon, how many does she sell?"


def leaked(text: str, real: list[Row] | None = None, **knobs: float) -> list[str]:
    """The reasons, for a row that says this as its answer; reworded copies are tested apart."""
    knobs = {"paraphrases": False, **knobs}
    return [
        row.reason
        for row in decontaminate.curate([Row("Write.", text)], real or [], [Row(EXAM, "72")], **knobs)
        if row.status
    ]


def test_a_run_of_words_is_a_leak_wherever_it_stands_and_whatever_its_case_and_commas() -> None:
    thirteen = " ".join(EXAM.upper().replace(",", "").split()[2:15])
    (reason,) = leaked(f"As they say: {thirteen}!")
    assert reason.startswith("decontaminate: shares ")
    assert "sells twelve loaves" in reason
    assert leaked(" ".join(thirteen.split()[:12])) == []
    answer = "she sells the twelve loaves that she has at once and goes home by noon"
    said = f"So {answer}."
    assert not next(decontaminate.curate([Row("Write.", said)], [], [Row(EXAM, answer)])).status, (
        "an answer is no question"
    )
    assert next(decontaminate.curate([Row("Write.", said)], [], [Row(EXAM, answer)], ngram_size=13)).status


@pytest.mark.parametrize(
    "prompt",
    [
        f'"{EXAM}"',
        EXAM.replace("?", "."),
        f"Please answer: {EXAM}",
        unicodedata.normalize("NFD", f"Réfléchis : {EXAM}"),
        EXAM.replace("baker", "ba\u00adker").replace(" and ", "\u00a0and "),
        EXAM.upper(),
        f"Q1) {EXAM}\nQ2) Why?",
        EXAM.replace(" ", "  \n"),
    ],
)
def test_a_held_out_question_is_found_however_it_is_wrapped_in_a_prompt_or_an_answer(prompt: str) -> None:
    rows = [Row(prompt, "72"), Row("Write a problem.", prompt), Row("", prompt)]
    assert {row.status for row in decontaminate.curate(rows, [], [Row(EXAM, "72")])} == {"rejected"}


@pytest.mark.parametrize(
    ("held_out", "prompt"),
    [
        ("Où est né Molière ?", unicodedata.normalize("NFD", "Où est né Molière ?")),
        ("Où est né Molière ?", "où est né molie\u0300re."),
        ("Việt Nam ở đâu?", unicodedata.normalize("NFD", "Việt Nam ở đâu?")),
        ("谁写了红楼梦？", "请回答：谁写了红楼梦？"),
        ("Who wrote Emma?", "“Who wrote Emma?”"),
        ("Who wrote Emma?", "Who wro\u200bte Emma"),
        ("2 + 3 = ?", "2\u00a0+\u20093 = ?"),
    ],
)
def test_short_questions_leak_as_a_whole_in_any_spelling(held_out: str, prompt: str) -> None:
    assert next(decontaminate.curate([Row(prompt, "x")], [], [Row(held_out, "x")])).status == "rejected"


@pytest.mark.parametrize(
    ("held_out", "prompt"),
    [
        ("2 + 3", "12 + 3"),
        ("2 + 3", "2 - 3"),
        ("5!", "5"),
        ("x² = 4", "x2 = 4"),
        ("Who wrote Emma?", "Who wrote Emma and who read it?"),
        ("What is 31 + 52 and 7?", "What is 31 - 52 and 7?"),
        ("emma", "emmanuel"),
    ],
)
def test_other_short_questions_stay(held_out: str, prompt: str) -> None:
    assert not next(decontaminate.curate([Row(prompt, "x")], [], [Row(held_out, "x")])).status


def test_a_header_that_all_prompts_share_is_no_leak() -> None:
    header = "You are given a list of tools and a question; choose the tool that answers it and name it first. "
    question = "How far is star number {} from the sun, in light years, and how long would a letter take?"
    held_out = [Row(f"{header}{question.format(at)}", "…") for at in range(30)]
    assert not next(decontaminate.curate([Row(f"{header}Who discovered radium?", "…")], [], held_out)).status
    assert next(decontaminate.curate([Row(f"Now: {question.format(7)}", "…")], [], held_out)).status


@pytest.mark.parametrize("ngram", [0, 13])
def test_a_run_that_real_rows_have_too_is_no_leak(ngram: int) -> None:
    said = " ".join(EXAM.split()[:13])
    assert leaked(said, ngram_size=ngram)
    assert leaked(said, [Row("", f"Here too: {said}")], ngram_size=ngram) == []


def test_a_text_made_of_many_short_runs_of_the_examination_is_a_leak() -> None:
    words = EXAM.split()
    words[12] = "till"  # no thirteen in a row are left
    assert leaked(" ".join(words), ngram_size=13) == []
    (reason,) = leaked(" ".join(words), ngram_size=13, min_overlap=0.4)
    assert "of its 7-word n-grams with held-out row" in reason
    assert leaked(" ".join(words), ngram_size=13, min_overlap=0.9) == []


def test_real_problems_of_the_same_kind_are_hardly_ever_called_leaks() -> None:
    folder = real_data("gsm8k_test.jsonl").parent
    exam, rows = (
        [
            Row(each["question"], each["answer"])
            for each in map(json.loads, (folder / name).read_text("utf-8").splitlines())
        ]
        for name in ("gsm8k_test.jsonl", "gsm8k_train_1000.jsonl")
    )
    plain = {"paraphrases": False}
    found = [row.reason for row in decontaminate.curate(rows, [], exam, **plain) if row.status]
    assert len(found) <= 0.002 * len(rows), found
    found = [row.reason for row in decontaminate.curate(rows, [], exam) if row.status]
    assert len(found) <= 0.005 * len(rows), found
    overlapping = decontaminate.curate(rows, [], exam, ngram_size=13, min_overlap=0.5, **plain)
    found = [row.reason for row in overlapping if row.status]
    assert len(found) <= 0.005 * len(rows), found
    copied = [replace(row, prompt=f"Now this: {row.prompt}", origin="synthetic") for row in exam]
    assert all(row.status for row in decontaminate.curate(copied, [], exam))
