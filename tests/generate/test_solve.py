"""New problems of the world, or real ones, are solved; a failed one again with a hint that its row does not show."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from provenance import recorded
from realdata import real_data

from selfsown.generate import solve
from selfsown.models import Reply
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.tasks.addition import Task as Sums
from selfsown.tasks.file import Task as File
from selfsown.tasks.instructions import Task as Instructions
from testing.echo_model import Parrot, knowing
from testing.mock_server import Body, Server

FILE = File("problems.jsonl", prompt="q", answer="a")
SUMS = Sums(rows=60, longer_rows=10, hint_share=0.3)
REAL = [Row(f"What is {at} and {at}?", f"Add.\n#### {2 * at}", target=f"Add.\n#### {2 * at}") for at in range(10)]


def made(task: File | Sums, teacher: Parrot, **knobs: object) -> list[Row]:
    rows = solve.generate(REAL, teacher, task, 4, 0, **knobs)  # type: ignore[arg-type]
    return recorded("solve", rows, teacher)


def test_a_world_that_poses_is_asked_for_new_problems_at_the_level() -> None:
    rows = made(SUMS, Parrot(lambda prompt, at: "?"), count=50, n=2)
    assert len(rows) == 100
    assert [row.prompt for row in rows[::2]] == [row.prompt for row in SUMS.problems(4, 50, 0)]
    assert max(row.level for row in rows) == 4
    assert {(row.answer, row.parents, row.method, row.origin) for row in rows} == {("?", (), "solve", "synthetic")}
    assert len({row.id for row in rows}) == 100


def test_any_other_world_s_real_prompts_are_solved_n_times() -> None:
    rows = made(FILE, knowing(REAL), n=3)
    assert [(row.prompt, row.answer) for row in rows] == [(row.prompt, row.target) for row in REAL for _ in range(3)]
    assert [row.parents for row in rows[::3]] == [(row.id,) for row in REAL]


def test_only_an_unsolved_problem_is_tried_again_and_its_row_shows_no_hint() -> None:
    def say(prompt: str, at: int) -> str:
        hint = "The answer is" in prompt
        return "#### 12" if "6 and 6" in prompt or hint else "I cannot say"

    rows = made(FILE, Parrot(say), n=2, hint=True, instruction="Think.")
    again = [row for row in rows if row.metadata["hint"] == "yes"]
    assert [row.prompt for row in again] == [row.prompt for row in REAL if "6 and 6" not in row.prompt]
    assert len(rows) == 20 + 9
    assert not any("Think" in row.prompt or "The answer is" in row.prompt for row in rows)
    assert len({row.id for row in rows}) == len(rows)


def test_a_hint_gives_the_answer_in_the_end_not_the_way() -> None:
    heard = list[str]()
    made(FILE, Parrot(lambda prompt, at: heard.append(prompt) or "?"), n=1, hint=True, instruction="Think.")
    assert len(heard) == 20
    assert all(prompt.startswith("Think.\n\nWhat is") for prompt in heard)
    assert f"The answer is {2 * 9}." in heard[-1]
    assert not any("Add." in prompt for prompt in heard)


def test_a_world_gives_its_own_hint() -> None:
    known = {SUMS.hinted(row): row.target for row in SUMS.problems(4, 40, 0)}
    rows = made(SUMS, Parrot(lambda prompt, at: known.get(prompt, "")), count=40, hint=True)
    right = [row for row in rows if SUMS.check(row, row.answer).score == 1.0]
    assert len(rows) == 80
    assert [row.metadata["hint"] for row in right] == ["yes"] * 40
    assert all("?" in row.prompt for row in right)
    with pytest.raises(SelfsownError, match="set hint_share"):
        made(replace(SUMS, hint_share=0.0), Parrot(lambda prompt, at: ""), count=1, hint=True)


def test_a_reply_that_failed_fails_alone_and_solves_nothing() -> None:
    def say(prompt: str, at: int) -> Reply:
        return Reply(prompt, "#### 0", failure="" if "answer is" in prompt else "cut off")

    rows = made(FILE, Parrot(say), n=1, hint=True)
    assert [(row.status, row.reason) for row in rows] == [("failed", "cut off")] * 10 + [("", "")] * 10
    assert {row.metadata["hint"] for row in rows[10:]} == {"yes"}


def test_without_prompts_and_problems_there_is_nothing_to_solve() -> None:
    with pytest.raises(SelfsownError, match="no real row has a prompt"):
        list(solve.generate([Row("", "emma")], Parrot(lambda prompt, at: ""), FILE, 0, 0))


def test_of_real_problems_a_third_of_whose_answers_are_wrong_only_right_ones_are_kept(tmp_path: Path) -> None:
    path = real_data("gsm8k_train_1000.jsonl")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:200]]
    known = {record["question"]: record["answer"] for record in records}
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")

    def say(prompt: str, body: Body) -> str:
        way, _, end = next(known[question] for question in known if question in prompt).rpartition("#### ")
        chance = random.Random(repr((prompt, body.get("seed"))))
        off = chance.choice([1, 3, 10]) if chance.random() < 0.4 else 0
        return f"{way}So it is, at try {chance.randrange(10**6)}.\n#### {int(end.replace(',', '')) + off}"

    with Server(say=say, faults={"busy": 0.05, "malformed": 0.02}, wait="0.01") as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
        make(Recipe.load("star-text", [f"real={tmp_path / 'real.jsonl'}", teacher]), tmp_path / "made")
    rows = RunFolder(tmp_path / "made").rows("rows") or []

    def right(row: Row) -> bool:
        ends = [each.rpartition("#### ")[2].replace(",", "") for each in (row.answer, known[row.prompt])]
        return float(ends[0]) == float(ends[1])

    kept = [row for row in rows if row.status == "kept"]
    good = [row for row in rows if row.status != "failed" and right(row)]
    assert 0.5 < len(good) / len(rows) < 0.7
    assert all(right(row) for row in kept)
    assert len(kept) >= 0.95 * len(good)
    assert any(row.metadata["hint"] == "yes" for row in kept)
    assert {row.prompt for row in kept} <= set(known)


@pytest.fixture
def instructions(tmp_path: Path) -> tuple[Instructions, list[Row]]:
    """A task that poses from rows, with its real rows."""
    path = tmp_path / "prompts.jsonl"
    path.write_text(
        "".join(json.dumps({"prompt": f"Describe hill {at}."}) + "\n" for at in range(20)), encoding="utf-8"
    )
    task = Instructions(str(path), kinds=("lowercase", "no_digits"), held_out_rows=10)
    return task, list(task.pose(0))


def shouting(prompt: str, at: int) -> str:
    """Right where a demonstration is in the prompt."""
    shown = prompt.startswith("user:") and "assistant:" in prompt
    return "a green slope above town" if shown else "A 3 m SLOPE"


@pytest.mark.parametrize(("hint", "hinted"), [("never", 0), ("half", 10), ("always", 20)])
def test_a_demonstration_is_shown_in_all_n_tries_and_left_out_of_the_row(
    hint: str, hinted: int, instructions: tuple[Instructions, list[Row]]
) -> None:
    task, real = instructions
    options = {"count": 20, "n": 3, "hint": hint}
    rows = recorded("solve", solve.generate(real, Parrot(shouting), task, 1, 0, **options), Parrot(shouting))
    assert len(rows) == 60
    assert sum(row.metadata.get("hint") == "yes" for row in rows) == 3 * hinted
    for row in rows:
        assert task.check(row, row.answer).score == float(row.metadata.get("hint") == "yes"), row.answer
        assert "assistant" not in str(row.full_prompt)
        assert row.parents[0] in {parent.id for parent in real}
    assert ("hint" in rows[0].metadata) == (hint != "never")
    assert [row.prompt for row in rows[::3]] == [row.prompt for row in task.problems_from(real, 1, 20, 0)]


def test_unsolved_problems_are_tried_n_times_more_without_a_known_answer(
    instructions: tuple[Instructions, list[Row]],
) -> None:
    task, real = instructions

    def say(prompt: str, at: int) -> str:
        return "a calm meadow" if "hill 1" in prompt.rpartition("user:")[2] else shouting(prompt, at)

    rows = list(solve.generate(real, Parrot(say), task, 1, 0, count=20, n=2, hint="unsolved"))
    again = [row for row in rows if row.metadata["hint"] == "yes"]
    assert 0 < len(again) == 2 * sum("hill 1" not in row.prompt for row in rows if row.metadata["hint"] == "no") / 2
    assert not any("hill 1" in row.prompt for row in again)
    once = list(solve.generate(real, Parrot(say), task, 1, 0, count=20, n=2, hint=True))
    assert not any(row.metadata["hint"] == "yes" for row in once)  # true needs a known answer


def test_half_of_real_problems_are_hinted_by_their_known_answers() -> None:
    rows = list(solve.generate(REAL, Parrot(lambda prompt, at: "?"), FILE, 0, 0, n=2, hint="half"))
    assert sum(row.metadata["hint"] == "yes" for row in rows) == len(REAL)
    bare = [replace(row, target="") for row in REAL]
    rows = list(solve.generate(bare, Parrot(lambda prompt, at: "?"), FILE, 0, 0, n=2, hint="always"))
    assert {row.metadata["hint"] for row in rows} == {"no"}
