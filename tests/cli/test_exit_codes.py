"""Where no row came out of a command, its exit code says so: scripts must not take it for success."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from arms import compare_in_process
from command import Finished, run_in_process, selfsown, written

from testing.mock_server import Server

TOP = "from selfsown.records import Grade, Verdict\n"
GRADERS = {
    "fails": 'def grade(rows):\n    return [Grade(0.0, "no idea", failed=True) for row in rows]\n',
    "rejects": 'def grade(rows):\n    return [Grade(0.0, "wrong") for row in rows]\n',
    "raises": 'def grade(rows):\n    raise RuntimeError("out of order")\n',
    "raises later": "def grade(rows):\n    if any(row.generation for row in rows):\n"
    '        raise RuntimeError("out of order")\n    return [Grade(1.0) for row in rows]\n',
    "says too little": "def grade(rows):\n    return []\n",
    "is no number": 'def grade(rows):\n    return [Grade(float("nan")) for row in rows]\n',
    "dies": "import os\ndef grade(rows):\n    if any(row.generation for row in rows):\n        os._exit(7)\n"
    "    return [Grade(1.0) for row in rows]\n",
}
CLAIMS = ("it got better", "synthetic rows helped", "the gain rests on", "each later one learns from rows that")
NONE_KEPT = "no row was kept"


def failed(done: Finished, code: int) -> str:
    """The last line of the error stream; no claim and no traceback stand anywhere."""
    assert done.returncode == code, done
    assert "Traceback" not in done.stdout + done.stderr
    assert not any(words in done.stdout.lower() for words in CLAIMS)
    return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""


def mine(folder: Path, **changes: Any) -> None:
    """A recipe of the user's own with a grader and a guard beside it."""
    written(folder, **changes)
    (folder / "own.py").write_text(f'"""Grade."""\n{TOP}{GRADERS["rejects"]}')
    never = 'def guard(history):\n    return Verdict(False, "no")\n'
    (folder / "never.py").write_text(f'"""Refuse."""\n{TOP}{never}')


@pytest.mark.parametrize(
    ("grader", "code", "said"),
    [
        ("fails", 4, f"{NONE_KEPT} of 30 made"),
        ("rejects", 4, f"{NONE_KEPT} of 30 made"),
        ("raises", 2, "RuntimeError: out of order"),
        ("raises later", 2, "RuntimeError: out of order"),
        ("says too little", 2, "own.py"),
        ("is no number", 2, "own.py"),
        ("dies", 7, ""),
    ],
)
def test_a_run_whose_grader_passes_nothing(grader: str, code: int, said: str, tmp_path: Path) -> None:
    mine(tmp_path, grade="./own.py", curate="min_score")
    (tmp_path / "own.py").write_text(f'"""Grade."""\n{TOP}{GRADERS[grader]}')
    command = selfsown if grader in ("fails", "dies") else run_in_process  # codes of a process
    assert said in failed(command(tmp_path, "run", "mine.yaml", "--no-report"), code)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({}, 0, ""),
        ({"generate": []}, 0, ""),
        ({"guard": ["./never.py"]}, 4, "every generation was rolled back; best/ is the model of generation 0"),
        ({"guard": ["./never.py"], "rollback": False}, 0, ""),
        ({"held_out": 0}, 2, "held_out is 0"),
        ({"real": "same.jsonl", "held_out": 15, "grade": []}, 2, "fewer than two different problems"),
        ({"real": "one.jsonl", "held_out": 15, "grade": []}, 2, "about 1 different problems"),
    ],
    ids=str,
)
def test_other_ends_of_a_run(changes: dict[str, Any], code: int, said: str, tmp_path: Path) -> None:
    mine(tmp_path, **changes)
    for name, problems in (("same", "AB"), ("one", "A")):
        rows = [{"prompt": f"{problems[at % len(problems)]}?", "answer": str(at)} for at in range(30)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = {path.name for path in tmp_path.iterdir()}
    assert said in failed(run_in_process(tmp_path, "run", "mine.yaml", "out", "--no-report"), code)
    assert (code != 2) == ("out" in {path.name for path in tmp_path.iterdir()} - before)


def test_a_folder_without_kept_rows_is_reported_as_such_and_not_exported(tmp_path: Path) -> None:
    mine(tmp_path, grade="./own.py", generations=2)
    assert NONE_KEPT in failed(run_in_process(tmp_path, "run", "mine.yaml"), 4)
    failed(run_in_process(tmp_path, "report", "runs/mine"), 0)
    page = (tmp_path / "runs/mine/report.html").read_text(encoding="utf-8")
    assert "No model was trained on synthetic rows." in page
    assert not any(words in page.lower() for words in CLAIMS)
    assert NONE_KEPT in failed(run_in_process(tmp_path, "export", "runs/mine", "out"), 2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("fault", "commands", "code", "said"),
    [
        ("refused", ("preview", "estimate", "make"), 4, f"{NONE_KEPT}: 0 rejected and "),
        ("empty", ("make",), 4, f"{NONE_KEPT}: 0 rejected and 12 failed; most frequent reason: "),
        ("error", ("make",), 2, "the server returned 500"),
    ],
)
def test_commands_whose_server_gives_nothing(
    fault: str, commands: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    with Server(faults={fault: 1.0}) as server:
        rows = "".join(json.dumps({"prompt": f"what of {at}?", "answer": ""}) + "\n" for at in range(12))
        (tmp_path / "prompts.jsonl").write_text(rows)
        there = {"endpoint": {"url": server.url, "model": "m", "retries": 1}}
        tree = {"real": "prompts.jsonl", "teacher": there, "generate": [{"sample": {"n": 1}}], "grade": ["judge"]}
        (tmp_path / "mine.yaml").write_text(json.dumps(tree))
        for command in commands:
            assert said in failed(run_in_process(tmp_path, command, "mine.yaml"), code)
        assert server.asked
    assert not (tmp_path / "made/mine/dataset").exists()


def test_a_calibration_of_a_judge_who_answers_nothing(tmp_path: Path) -> None:
    rows = [{"prompt": f"what of {at}?", "answer": "this", "label": "good" if at % 2 else "bad"} for at in range(10)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Server(faults={"refused": 1.0}) as server:
        there = {"endpoint": {"url": server.url, "model": "m", "retries": 1}}
        tree = {"real": "rows.jsonl", "teacher": there, "generate": [{"sample": {"n": 1}}], "grade": ["judge"]}
        (tmp_path / "mine.yaml").write_text(json.dumps(tree))
        done = run_in_process(tmp_path, "calibrate", "mine.yaml", "--labels", "rows.jsonl")
    assert "grade.judge graded none of 10 rows" in failed(done, 4)


@pytest.mark.slow
def test_a_comparison_and_a_proof_whose_rows_were_all_rejected(tmp_path: Path) -> None:
    mine(tmp_path, grade="./own.py")
    done = compare_in_process(tmp_path, "compare", "mine.yaml", "--arms", "graded", "--seeds", "2")
    assert "graded kept none of its 60 generated rows: nothing was compared" in failed(done, 4)
    done = compare_in_process(tmp_path, "prove", "mine.yaml", "p", "--seeds", "3")
    failed(done, 5)
    assert "no synthetic rows reached training" in done.stdout
    before = json.loads((tmp_path / "p/compare.json").read_text())["proof"]
    for arm in ("real", "graded/seed-1"):
        for path in sorted((tmp_path / "p" / arm).rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        failed(compare_in_process(tmp_path, "prove", "mine.yaml", "p", "--seeds", "3"), 5)
        assert json.loads((tmp_path / "p/compare.json").read_text())["proof"] == before, "what was missing ran again"
