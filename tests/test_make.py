"""`make`: rows from real rows and a paid teacher, at a judge's pace, counted to the last, and paid once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command import run_in_process

from selfsown import parallel, stages
from selfsown.callbacks import Tally
from selfsown.cost import read_cost
from selfsown.files import row_sequences
from selfsown.pipeline import MIN_ROWS_FOR_RATE, make, preview
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.terminal.lineage import story
from selfsown.usage.ledger import total, usage_entries
from testing.mock_server import Server

ASKED = 150


def prompts(folder: Path, count: int = ASKED, named: str = "prompts.jsonl") -> Path:
    path = folder / named
    path.write_text("".join(json.dumps({"prompt": f"what of {at}?", "answer": ""}) + "\n" for at in range(count)))
    return path


def recipe(folder: Path, server: Server, **changes: Any) -> Recipe:
    """Two answers to each prompt, judged by a vote of three at another model's place."""
    there = {"url": server.url, "max_in_flight": 32, "retries": 4}
    tree: dict[str, Any] = {
        "real": str(folder / "prompts.jsonl"),
        "teacher": {"endpoint": {**there, "model": "m"}},
        "judge": {"endpoint": {**there, "model": "judge"}},
        "generate": [{"sample": {"n": 2}}],
        "grade": [{"self_consistency": {"samples": 3}}],
        "curate": ["min_score", "dedup"],
    }
    return Recipe.of({**tree, **changes})


def say(prompt: str, body: dict[str, Any]) -> str:
    """Always the same to some prompts, which votes agree on, and something else each time to the others."""
    return "yes" if int(prompt[8:-1]) % 3 else f"perhaps {body['seed']}"


def serving(**given: Any) -> Server:
    return Server(models=("m", "judge"), **{"say": say, "latency": 0.001, **given})


def rows(folder: Path) -> list[Row]:
    return RunFolder(folder).rows("rows") or []


def sent(server: Server) -> int:
    return len(server.bodies)


def adds_up(tally: Tally, found: list[Row]) -> bool:
    ends = {"kept", "rejected", "failed"}
    return tally.made == len(found) == len({row.id for row in found}) and set(tally.counts) <= ends


def test_many_rows_are_in_files_of_the_folder_until_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts(tmp_path)
    curators: dict[str, Any] = {"curate": ["min_score", "dedup_near", {"cap": {"max_per_prompt": 1}}]}
    with serving() as server:
        make(recipe(tmp_path, server, **curators), tmp_path / "out")
        from_memory = rows(tmp_path / "out")
        left = tmp_path / "out" / ".working" / "selfsown-killed" / "rows.parquet"
        left.parent.mkdir(parents=True)
        left.touch()
        monkeypatch.setattr(row_sequences, "IN_MEMORY", 20)
        gathered = list[tuple[Path, int]]()

        def spooled(made: Iterable[Row], path: Path) -> Sequence[Row]:
            sequence = row_sequences.spooled(made, path)
            gathered.append((path.parent.parent, len(sequence)))
            return sequence

        monkeypatch.setattr(stages, "spooled", spooled)
        make(recipe(tmp_path, server, **curators), tmp_path / "out")
    assert rows(tmp_path / "out") == from_memory
    assert {path for path, count in gathered if count == 2 * ASKED} == {tmp_path / "out" / ".working"}
    assert not (tmp_path / "out" / ".working").exists()


def test_every_real_prompt_becomes_rows_and_every_row_has_its_end(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        tally = make(recipe(tmp_path, server), tmp_path / "out")
    found = rows(tmp_path / "out")
    assert adds_up(tally, found)
    assert tally.counts == {"kept": 100, "rejected": 200}
    assert tally.reasons == {"rejected: self_consistency": 100, "rejected: dedup": 100}
    assert [row.prompt for row in found] == [f"what of {at}?" for at in range(ASKED) for _ in range(2)]
    assert [row.sample_index for row in found] == list(range(2 * ASKED))
    assert {(row.origin, row.generation, row.source, row.method) for row in found} == {("synthetic", 1, "m", "sample")}
    real = {row.id for row in RunFolder(tmp_path / "out").rows("real") or []}
    assert all(set(row.parents) <= real for row in found)


def test_done_again_it_asks_nobody_and_writes_the_same_bytes(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        make(recipe(tmp_path, server), tmp_path / "out")
        before, first = sent(server), (tmp_path / "out" / "rows.parquet").read_bytes()
        make(recipe(tmp_path, server), tmp_path / "out")
        assert sent(server) == before
    assert (tmp_path / "out" / "rows.parquet").read_bytes() == first


def test_only_what_is_new_is_asked_and_a_changed_threshold_asks_nobody(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        make(recipe(tmp_path, server), tmp_path / "out")
        before, old = sent(server), [row.id for row in rows(tmp_path / "out")]
        tally = make(recipe(tmp_path, server, curate=[{"min_score": {"min_score": 0.0}}]), tmp_path / "out")
        assert (sent(server), tally.counts["kept"]) == (before, 300)
        tally = make(recipe(tmp_path, server, grade=[]), tmp_path / "out")
        assert sent(server) == before
        prompts(tmp_path, ASKED + 20)
        tally = make(recipe(tmp_path, server), tmp_path / "out")
        assert sent(server) == before + 20 * (2 + 3)
        assert adds_up(tally, rows(tmp_path / "out"))
    assert [row.id for row in rows(tmp_path / "out")][: 2 * ASKED] == old


def test_a_slow_judge_and_a_fast_one_give_the_same_bytes(tmp_path: Path) -> None:
    prompts(tmp_path)
    found = []
    for latency in (0.0, 0.02):
        with serving(latency=latency) as server:
            make(recipe(tmp_path, server), tmp_path / f"out{latency}")
        found.append((tmp_path / f"out{latency}" / "rows.parquet").read_bytes())
    assert found[0] == found[1]


def test_failed_rows_are_asked_for_again_and_the_others_are_not(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving(forbidden="1?") as server:
        tally = make(recipe(tmp_path, server, grade=[]), tmp_path / "out")
        assert tally.counts["failed"] == 2 * 15
        assert all("may not be asked" in row.reason for row in rows(tmp_path / "out") if row.status == "failed")
        before, server.forbidden = sent(server), ""
        assert make(recipe(tmp_path, server, grade=[]), tmp_path / "out").counts["failed"] == 0
        assert sent(server) == before + 2 * 15


def test_a_stage_that_fails_too_many_rows_stops_and_says_why(tmp_path: Path) -> None:
    prompts(tmp_path, 3 * MIN_ROWS_FOR_RATE)
    with serving(faults={"empty": 0.8}) as server:
        with pytest.raises(SelfsownError, match=r"generate\.sample: \d+ of \d+ rows failed.*an empty answer"):
            make(recipe(tmp_path, server, grade=[]), tmp_path / "out")
        assert not (tmp_path / "out" / "rows.parquet").exists()
        tally = make(recipe(tmp_path, server, grade=[], max_failure_rate=1.0), tmp_path / "out")
        assert adds_up(tally, rows(tmp_path / "out"))


def test_a_preview_is_of_the_first_rows_and_is_not_paid_again(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        few = preview(recipe(tmp_path, server), tmp_path / "out", 5)
        assert sent(server) == 5 * (2 + 3)
        assert not (tmp_path / "out" / "rows.parquet").exists()
        make(recipe(tmp_path, server), tmp_path / "out")
        assert sent(server) == ASKED * (2 + 3)
    assert [row.id for row in few] == [row.id for row in rows(tmp_path / "out")][:10]


def test_progress_moves_with_every_few_replies_not_with_chunks_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "TICK_SECONDS", 0.01)
    prompts(tmp_path, 64)
    seen: list[float] = []
    with Server(latency=0.01) as server:
        there = {"endpoint": {"url": server.url, "model": "m", "max_in_flight": 4}}
        mine = recipe(tmp_path, server, teacher=there, judge=None, generate=["sample"], grade=[], curate=[])
        tally = make(mine, tmp_path / "out", lambda tally: seen.append(tally.making.count))
    assert tally.making.count == tally.total == 64, "one chunk"
    assert seen == sorted(seen)
    assert len({*seen}) > 10, seen
    assert max(after - before for before, after in pairwise(seen)) < 20


def test_a_way_that_needs_all_real_rows_makes_as_many_as_its_count_says(tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text("".join(f'{{"text": "line {at}"}}\n' for at in range(20)))
    there = {"system": "write a line"}
    with serving(say=lambda prompt, body: f"line {body['seed']}") as server:
        base = recipe(tmp_path, server)
        teacher = {"endpoint": {**dict(base.teacher.options if base.teacher else {}), **there}}
        changes = {"teacher": teacher, "generate": [{"propose": {"count": 150}}], "grade": ["rules", "novelty"]}
        tally = make(recipe(tmp_path, server, **changes), tmp_path / "out")
        assert (tally.made, sent(server)) == (150, 150)
        changes["generate"] = [{"propose": {"count": 180}}]
        make(recipe(tmp_path, server, **changes), tmp_path / "out")
        assert sent(server) == 180


def test_a_count_of_0_makes_nothing(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        made = recipe(tmp_path, server, generate=[{"persona": {"count": 0}}, {"self_instruct": {"count": 0}}], grade=[])
        assert make(made, tmp_path / "made").made == sent(server) == 0


def test_a_folder_is_of_one_kind_and_make_needs_a_teacher(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        with pytest.raises(SelfsownError, match="teacher is missing"):
            make(recipe(tmp_path, server, teacher=None), tmp_path / "out")
        assert not (tmp_path / "out").exists()
        make(recipe(tmp_path, server), tmp_path / "out")
        with (
            pytest.raises(SelfsownError, match="a folder of `make`"),
            RunFolder.locked(tmp_path / "out", {}, []),
        ):
            pass


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grade": [{"rules": {"pattern": "("}}]}, "is not a valid regular expression"),
        ({"curate": ["min_score", {"self_reference": {"patterns": ["("]}}]}, "is not a valid regular expression"),
        ({"grade": [{"panel": {"samples": 3}}]}, "temperature"),
        ({"grade": ["./mine.py"]}, "rejects 0 of 50 wrong answers"),
    ],
)
def test_what_does_not_fit_is_found_before_anything_is_asked(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    lines_of = [json.dumps({"prompt": f"{at} + 7 = ?", "answer": f"{at + 7}"}) for at in range(60)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines_of), encoding="utf-8")
    grader = "from selfsown.records import Grade\ndef grade(rows):\n"
    grader += "    for row in rows: yield Grade(1.0, evidence='oracle')\n"
    (tmp_path / "mine.py").write_text(grader, encoding="utf-8")
    with serving() as server:
        tree = recipe(tmp_path, server).dump() | changes
        with pytest.raises(SelfsownError, match=words):
            make(Recipe.of(tree, tmp_path), tmp_path / "made")
        (tmp_path / "tree.yaml").write_text(json.dumps(tree), encoding="utf-8")
        done = run_in_process(tmp_path, "check", "tree.yaml")
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
        assert sent(server) == 0
    assert not (tmp_path / "made").exists()


def test_the_server_dies_and_the_same_command_goes_on(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving(latency=0.02) as server:

        def change_the_key() -> None:
            while sum(server.paid.values()) < 20:
                time.sleep(0.005)
            server.key = "changed"

        stop = threading.Thread(target=change_the_key)
        stop.start()
        with pytest.raises(SelfsownError, match="does not accept the API key"):
            make(recipe(tmp_path, server), tmp_path / "out")
        stop.join()
        server.key, done = "", sum(server.paid.values())
        tally = make(recipe(tmp_path, server), tmp_path / "out")
        assert done > 0
        assert adds_up(tally, rows(tmp_path / "out"))
        assert sum(server.paid.values()) <= ASKED * (2 + 3) + 64


def test_the_command_says_what_became_of_the_rows(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe(tmp_path, server, name="mine").dump()))
        done = run_in_process(tmp_path, "make", "mine.yaml")
    assert done.returncode == 0, done.stderr
    assert "300 rows made = 100 kept + 200 rejected + 0 failed" in done.stdout
    assert f"{sent(server)} requests" in done.stdout
    assert (tmp_path / "made" / "mine" / "rows.parquet").exists()


@pytest.mark.parametrize("busy", [0.0, 0.1])
def test_a_budget_stops_it_and_a_larger_one_goes_on_to_the_same_bytes(busy: float, tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving(faults={"busy": busy}, wait="0.01") as server:
        make(recipe(tmp_path, server), tmp_path / "whole")
        whole = sum(server.paid.values())
        for share in (0.2, 0.7):
            before, most = sum(server.asked.values()), int(share * whole)
            with pytest.raises(SelfsownError, match="the budget") as caught:
                make(recipe(tmp_path, server, budget={"requests": most}), tmp_path / "out")
            assert caught.value.code == 3
            assert total(usage_entries(tmp_path / "out" / "replies.sqlite")).requests == most
            assert sum(server.asked.values()) - before <= most
        make(recipe(tmp_path, server, budget={"requests": 2 * whole}), tmp_path / "out")
        assert sum(server.paid.values()) == 2 * whole, "no reply was paid twice"
    assert (tmp_path / "out" / "rows.parquet").read_bytes() == (tmp_path / "whole" / "rows.parquet").read_bytes()
    found = read_cost(tmp_path / "out")
    assert found
    assert found.kept == 100
    assert {(line.stage, line.role, line.answered) for line in found.usage_entries} == {
        ("generate.sample", "teacher", 2 * ASKED),
        ("grade.self_consistency", "judge", 3 * ASKED),
    }


def test_a_budget_of_money_wants_prices_before_the_folder_is_touched(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server, pytest.raises(SelfsownError, match="is not known; give it in dollars"):
        make(recipe(tmp_path, server, budget={"usd": 1}), tmp_path / "out")
    assert not server.asked
    assert not (tmp_path / "out").exists()


def test_a_row_s_story_is_told(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        make(recipe(tmp_path, server), tmp_path / "out")
    lost = next(row for row in rows(tmp_path / "out") if row.status == "rejected")
    told = story(tmp_path / "out", lost.id)
    assert f"status: rejected: {lost.reason}" in told
    assert f"real row {lost.parents[0]}" in told


def test_one_that_ends_does_not_end_another_in_the_same_process(tmp_path: Path) -> None:
    prompts(tmp_path)
    found: list[Tally] = []
    with serving(latency=0.1) as slow, serving() as fast:
        other = threading.Thread(target=lambda: found.append(make(recipe(tmp_path, slow), tmp_path / "slow")))
        other.start()
        while not sent(slow):
            time.sleep(0.01)
        make(recipe(tmp_path, fast), tmp_path / "fast")
        gone = {"endpoint": {"url": fast.url, "model": "gone"}}
        with pytest.raises(SelfsownError, match="has no model"):
            make(recipe(tmp_path, fast, teacher=gone), tmp_path / "gone")
        assert not found, "it was done before the others were"
        other.join()
    assert found[0].counts == {"kept": 100, "rejected": 200}
