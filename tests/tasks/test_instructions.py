"""A file of prompts becomes posed prompts: held out by prompt, new ones from the others alone, with demonstrations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from realdata import real_data

from selfsown.curate import decontaminate
from selfsown.holdout import split, split_stream
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Row, SelfsownError
from selfsown.tasks import ChecksSome, Posing, PosingFromRows, checkable, measurable
from selfsown.tasks.file import Task as File
from selfsown.tasks.instructions import Task
from selfsown.text.chat import Conversation
from selfsown.text.constraints.constraint import read_constraints
from selfsown.text.constraints.kinds import KINDS, kind_names

SEEDS = "self_instruct_seed_tasks.jsonl"
UNSEEN = ("no_comma", "title", "postscript")


def write(path: Path, records: Sequence[Any]) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def names(row: Row) -> list[str]:
    """The kinds of a row, besides the limit of words."""
    return [item.name for item in read_constraints(row.metadata["constraints"]) if item.name != "max_words"]


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(str(real_data(SEEDS)), prompt="instruction", held_out_kinds=UNSEEN, max_words=20, levels=3)


@pytest.fixture(scope="module")
def rows(task: Task) -> list[Row]:
    return list(task.pose(3))


@pytest.fixture(scope="module")
def sides(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    return split(rows, 0.1, 3, "the file")


@pytest.fixture
def small(tmp_path: Path) -> str:
    records = [{"prompt": f"Describe animal number {at}.", "answer": f"It is grey {at}."} for at in range(30)]
    return write(tmp_path / "small.jsonl", records[:20] + [{"prompt": record["prompt"]} for record in records[20:]])


def test_it_is_verifiable_and_poses_from_rows(task: Task) -> None:
    assert isinstance(task, PosingFromRows)
    assert isinstance(task, ChecksSome)
    assert not isinstance(task, Posing)
    assert task.verifiable
    assert task.top_level == 3


def test_its_rows_are_demonstrations_the_file_s_rows_and_posed_prompts(task: Task, rows: list[Row]) -> None:
    assert rows == list(task.pose(3)) != list(task.pose(4))
    assert len({row.id for row in rows}) == len(rows)
    shown = [row for row in rows if "demonstration" in row.metadata]
    plain = [row for row in rows if not task.checks(row)]
    posed = [row for row in rows if task.checks(row) and row not in shown]
    file_rows = list(File(task.path, prompt="instruction").pose(3))
    assert [(row.prompt, row.answer) for row in plain] == [(row.prompt, row.answer) for row in file_rows]
    assert all(task.check(row, row.answer).score == 1.0 for row in shown)
    assert {row.metadata["demonstration"] for row in shown} == {"hand-written"}
    assert TRAINING_ONLY.items() <= shown[0].metadata.items()
    seen = [row for row in posed if row.metadata["kind_seen"] == "yes"]
    unseen = [row for row in posed if row.metadata["kind_seen"] == "no"]
    assert (len(seen), len(unseen)) == (300, 100)
    assert all(EVALUATION_ONLY.items() <= row.metadata.items() and not row.answered for row in posed)


def test_kinds_and_levels_take_turns_and_unseen_kinds_are_posed_apart(task: Task, rows: list[Row]) -> None:
    posed = [row for row in rows if row.level]
    assert all(row.level == len(names(row)) for row in posed)
    assert {row.level for row in posed} == {1, 2, 3}
    for row in rows:
        if task.checks(row):
            assert (row.metadata["kind_seen"] == "no") == bool(set(names(row)) & set(UNSEEN))
            assert row.metadata["kind"] == (names(row)[0] if len(names(row)) == 1 else "several")
    single = [row for row in replace(task, levels=1).pose(3) if row.level and row.metadata["kind_seen"] == "yes"]
    counts = Counter(row.metadata["kind"] for row in single)
    assert max(counts.values()) - min(counts.values()) <= 3
    assert {"min_words", "words_between", "repeat_request"}.isdisjoint(counts)  # no room beside 20 words


def test_every_prompt_states_its_constraints_below_the_user_s_words(rows: list[Row]) -> None:
    for row in rows:
        if row.level:
            request, _, posed = row.prompt.rpartition("\n\n")
            assert request == row.problem
            constraints = read_constraints(row.metadata["constraints"])
            assert all(any(text in posed for text in item.sentences()) for item in constraints)
            assert len({item.name for item in constraints}) == len(constraints)


def test_no_prompt_is_on_both_sides_and_demonstrations_are_never_held_out(
    task: Task, rows: list[Row], sides: tuple[list[Row], list[Row]]
) -> None:
    real, held_out = sides
    assert not {row.key for row in real} & {row.key for row in held_out}
    assert all("demonstration" in row.metadata for row in real if task.checks(row))
    assert not any("demonstration" in row.metadata for row in held_out)
    plain = [row for row in rows if not task.checks(row)]
    held = [row for row in plain if row in held_out]
    assert len(held) == pytest.approx(0.4 * len(plain), abs=2)
    for is_held_out, row in split_stream(lambda: task.pose(3), 0.5, 3, "the file"):
        assert not is_held_out or "demonstration" not in row.metadata


@pytest.mark.parametrize("held_out", [0.1, 0.85])
def test_new_problems_are_about_prompts_to_learn_from_alone(task: Task, rows: list[Row], held_out: float) -> None:
    real, out = split(rows, held_out, 3, "the file")
    problems = list(task.problems_from(real, 3, 200, 7))
    assert problems == list(task.problems_from(real, 3, 200, 7)) != list(task.problems_from(real, 3, 200, 8))
    assert len(problems) == 200
    assert len({(row.key, row.metadata["constraints"]) for row in problems}) == 200
    assert not {row.key for row in problems} & {row.key for row in out}
    assert {row.key for row in problems} <= {row.key for row in real}
    assert not any(set(names(row)) & set(UNSEEN) for row in problems)
    assert {row.metadata["kind_seen"] for row in problems} == {"yes"}
    assert {parent for row in problems for parent in row.parents} <= {row.id for row in real}
    assert {row.level for row in problems} == {1, 2, 3}
    assert {row.level for row in task.problems_from(real, 1, 50, 7)} == {1}
    with pytest.raises(SelfsownError, match="leaves no prompt to learn from"):
        list(task.problems_from([row for row in out if EVALUATION_ONLY.items() <= row.metadata.items()], 3, 5, 7))


def test_a_hint_is_a_demonstration_of_each_kind_as_an_earlier_turn(
    task: Task, sides: tuple[list[Row], list[Row]]
) -> None:
    for row in task.problems_from(sides[0], 2, 40, 1):
        hinted = task.hinted(row)
        assert isinstance(hinted, Conversation)
        messages = hinted.messages
        assert [message["role"] for message in messages] == ["user", "assistant"] * row.level + ["user"]
        assert messages[-1]["content"] == row.prompt
        kinds = [item for item in read_constraints(row.metadata["constraints"]) if item.name != "max_words"]
        for answer in messages[1::2]:
            assert any(not item.violation(answer["content"]) or item.parameters for item in kinds)
        assert "messages" not in row.metadata


def test_a_row_is_checked_by_all_its_constraints(task: Task, sides: tuple[list[Row], list[Row]]) -> None:
    row = next(row for row in task.problems_from(sides[0], 1, 80, 1) if row.metadata["kind"] == "lowercase")
    assert task.check(row, "a short and quite careful reply.").score == 1.0
    wrong = task.check(row, "A short and quite careful reply.")
    assert (wrong.score, wrong.evidence, wrong.failed) == (0.0, "rule", False)
    assert wrong.reason.startswith("lowercase: it has 1 capital letters")
    long = " ".join(f"stone{number}" for number in range(25))
    assert task.check(row, long).reason == "max_words: it has 25 words, not at most 20"
    assert "gamed" in task.check(row, row.prompt.lower()).reason
    (shown,) = (each for each in task.pose(3) if each.metadata.get("kind") == "lowercase" and each.answered)
    assert "copied" in task.check(row, shown.answer).reason
    assert task.check(shown, shown.answer).score == 1.0
    assert task.check(replace(row, metadata={}), "a reply").failed
    assert task.check(replace(row, metadata={"constraints": "?"}), "a reply").failed


def test_rows_to_measure_are_answered_ones_and_posed_ones(task: Task, sides: tuple[list[Row], list[Row]]) -> None:
    held_out = sides[1]
    assert [row for row in held_out if row.answered or row.level] == measurable(held_out, task)
    assert [row for row in held_out if row.level] == checkable(held_out, task)
    file = File(task.path, prompt="instruction")
    assert measurable(held_out, file) == [row for row in held_out if row.answered]
    assert checkable(held_out, file) == held_out


def test_answers_of_the_file_are_real_rows_to_learn_from(small: str) -> None:
    task = Task(small, kinds=("lowercase", "bullets"), held_out_rows=12)
    rows = list(task.pose(0))
    real, held_out = split(rows, 5, 0, "small")
    assert Counter(row.answered for row in rows if not task.checks(row)) == {True: 20, False: 10}
    assert sum(row.level > 0 for row in held_out) == 12
    assert {row.metadata["kind"] for row in rows if task.checks(row)} == {"lowercase", "bullets"}
    assert sum("demonstration" in row.metadata for row in real) == 2
    assert not any("max_words" in row.metadata.get("constraints", "") for row in rows)


def test_a_column_of_constraints_is_the_row_s_own(tmp_path: Path) -> None:
    own = [{"kind": "bullets", "count": 2}, {"kind": "no_comma"}]
    records = [{"prompt": f"List two things number {at}. No commas.", "constraints": own} for at in range(4)]
    task = Task(write(tmp_path / "own.jsonl", records), held_out_kinds=("no_comma",))
    rows = [row for row in task.pose(0) if "demonstration" not in row.metadata]
    assert len(rows) == 4
    for row in rows:
        assert (row.metadata["kind"], row.metadata["kind_seen"]) == ("several", "no")
        assert EVALUATION_ONLY.items() <= row.metadata.items()
        assert task.check(row, "* warm bread\n* cold soup").score == 1.0
        assert task.check(row, "* warm bread, cold soup").reason.startswith("bullets")
    records[2]["constraints"] = [{"kind": "bullet", "count": 2}]
    wrong = Task(write(tmp_path / "wrong.jsonl", records))
    with pytest.raises(SelfsownError, match=r"wrong.jsonl:3: there is no kind of constraint 'bullet'; did you mean"):
        list(wrong.pose(0))


def test_a_chat_keeps_its_system_message_and_turns(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello!"},
        {"role": "assistant", "content": "Hi."},
    ]
    records = [{"messages": [*turns, {"role": "user", "content": f"Name river {at}."}]} for at in range(10)]
    task = Task(write(tmp_path / "chats.jsonl", records), kinds=("no_digits", "uppercase"), held_out_rows=6)
    rows = list(task.pose(0))
    for row in (row for row in rows if row.level):
        asked_with = row.full_prompt
        assert isinstance(asked_with, Conversation)
        assert [message["role"] for message in asked_with.messages] == ["system", "user", "assistant", "user"]
        request, _, posed = asked_with.messages[-1]["content"].partition("\n\n")
        assert request.startswith("Name river")
        assert posed
        hinted = task.hinted(row)
        assert isinstance(hinted, Conversation)
        roles = ["system", "user", "assistant", "user", "assistant", "user"]
        assert [message["role"] for message in hinted.messages] == roles


def test_demonstrations_of_one_s_own_must_keep_their_constraint(small: str, tmp_path: Path) -> None:
    good = {"prompt": "Name a bird.", "answer": "a small grey sparrow.", "constraints": [{"kind": "lowercase"}]}
    path = write(tmp_path / "shown.jsonl", [good])
    task = Task(small, kinds=("lowercase", "bullets"), demonstrations=path, held_out_rows=4)
    shown = [row for row in task.pose(0) if "demonstration" in row.metadata]
    assert [(row.answer, row.metadata["demonstration"], row.source) for row in shown] == [
        ("a small grey sparrow.", "yes", "shown.jsonl")
    ]
    problems = list(task.problems_from(list(task.pose(0)), 1, 6, 0))
    assert {isinstance(task.hinted(row), str) for row in problems if row.metadata["kind"] == "bullets"} == {True}
    assert {isinstance(task.hinted(row), str) for row in problems if row.metadata["kind"] == "lowercase"} == {False}
    for change, message in (
        ({"answer": "A Small sparrow."}, "does not keep its constraint: lowercase"),
        ({"constraints": [{"kind": "lower"}]}, "no kind of constraint"),
        ({"constraints": [{"kind": "lowercase"}, {"kind": "no_comma"}]}, "has 2 constraints"),
        ({"answer": None}, "no demonstration"),
    ):
        bad = write(tmp_path / "bad.jsonl", [good, {**good, **change}])
        with pytest.raises(SelfsownError, match=f"bad.jsonl:2.*{message}"):
            list(Task(small, demonstrations=bad).pose(0))


def test_a_demonstration_s_prompt_is_never_a_held_out_prompt(tmp_path: Path) -> None:
    task = Task(write(tmp_path / "p.jsonl", [{"prompt": "How do I make tea?"}, {"prompt": "Why?"}]), held_out_prompts=1)
    held = {row.key for row in task.pose(0) if EVALUATION_ONLY.items() <= row.metadata.items()}
    assert held == {"why?"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("bulets",)}, "kinds: there is no kind of constraint 'bulets'; did you mean 'bullets'"),
        ({"held_out_kinds": ("x",)}, "held_out_kinds: there is no kind of constraint 'x'"),
        ({"held_out_kinds": tuple(kind_names())}, "no kind is left to learn from"),
        ({"kinds": ("bullets",), "held_out_kinds": ("bullets",)}, "no kind is left to learn from"),
    ],
)
def test_kinds_that_do_not_exist_or_are_all_held_out_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SelfsownError, match=message):
        Task("prompts.jsonl", **options)


def test_the_page_lists_every_kind_with_its_parameters() -> None:
    page = (Path(__file__).parents[2] / "docs/instructions.md").read_text(encoding="utf-8")
    table = page.partition("## Kinds")[2].partition("\n\nEach has")[0]
    for kind in KINDS:
        row = next(line for line in table.splitlines() if line.startswith(f"| {kind.family} |"))
        entry = row.partition(f"`{kind.name}`")[2].partition("`")[0]
        assert f"`{kind.name}`" in row
        assert all(name in entry for name in kind.parameters), kind.name
    assert f"{len(KINDS)} kinds" in (Path(__file__).parents[2] / "docs/methods.md").read_text(encoding="utf-8")


def test_sentences_that_pose_constraints_are_no_leak_but_a_held_out_request_is(
    task: Task, sides: tuple[list[Row], list[Row]]
) -> None:
    real, held_out = sides
    posed = list(task.problems_from(real, 3, 150, 5))
    leak = next(row for row in held_out if len(row.problem.split()) > 8)
    leaking = replace(posed[0], prompt=f"Look: {leak.problem} {posed[0].prompt}", problem="another")
    made = [
        replace(row, answer=f"grey heron {at}", origin="synthetic", sample_index=at) for at, row in enumerate(posed)
    ]
    rejected = [
        row for row in decontaminate.curate([*made, replace(leaking, answer="x")], real, held_out) if row.status
    ]
    assert rejected[-1].prompt == leaking.prompt
    assert len(rejected) <= 1 + len(posed) // 20
    for row in rejected:
        assert "with the prompt of held-out row" in row.reason
