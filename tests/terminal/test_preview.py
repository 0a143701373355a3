"""`preview`: the first rows for real, safe to look at, and not paid again by `make`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import run_in_process, written

from selfsown.terminal.preview import MAX_CHARS_SHOWN, readable
from testing.mock_server import Server


def say(prompt: str, body: dict[str, Any]) -> str:
    if "response_format" in body:
        return '{"reason": "because \\u001b[31m it is", "score": 4}'
    return "<think>let me see</think>" + "\x1b[2J[bold]well[/bold] " + "long " * 1000 + "the end"


def mine(folder: Path, server: Server, **changes: Any) -> None:
    rows = "".join(json.dumps({"prompt": f"what of {at}?", "answer": ""}) + "\n" for at in range(20))
    (folder / "prompts.jsonl").write_text(rows)
    there = {"endpoint": {"url": server.url, "model": "m"}}
    tree = {"real": "prompts.jsonl", "teacher": there, "generate": [{"sample": {"n": 1}}], "grade": ["judge"]}
    (folder / "mine.yaml").write_text(json.dumps({**tree, **changes}))


def test_preview_shows_rows_and_grades_and_make_does_not_pay_again(tmp_path: Path) -> None:
    with Server(say=say) as server:
        mine(tmp_path, server, curate=[{"min_score": {"min_score": 0.9}}])
        done = run_in_process(tmp_path, "preview", "mine.yaml", "--rows", "2")
        assert len(server.bodies) == 4
        again = run_in_process(tmp_path, "preview", "mine.yaml", "--rows", "2")
        assert len(server.bodies) == 4
        made = run_in_process(tmp_path, "make", "mine.yaml")
        assert (made.returncode, len(server.bodies)) == (4, 40), "none is good enough for this recipe"
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for part in (
        "what of 0?",
        "what of 1?",
        "let me see",
        "[bold]well[/bold]",
        "the end",
        "judge 0.75: 4 of 5: because",
    ):
        assert part in said
    assert "\x1b" not in done.stdout
    assert "characters are left out here" in said
    assert "rejected: " in said
    assert "4 requests" in said
    assert "20 real rows, none set aside 2 rows made from the first 2 real rows row 1 of 2 rejected" in said
    assert said.count("cost unknown") == 1
    assert "does not pay for them again" in said
    assert "No request was sent" in again.stdout


def test_preview_of_a_training_recipe_needs_a_teacher(tmp_path: Path) -> None:
    written(tmp_path, generate=[{"sample": {"n": 1}}], real={"programs": {"rows": 30, "levels": 1}}, held_out=10)
    without = run_in_process(tmp_path, "preview", "mine.yaml")
    assert (without.returncode, without.stderr.count("\n")) == (2, 1)
    assert "teacher is missing" in without.stderr
    with Server() as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m}}}}"
        done = run_in_process(tmp_path, "preview", "mine.yaml", "--set", teacher)
    assert done.returncode == 0, done.stderr
    assert "row 1 of" in done.stdout


@pytest.mark.parametrize("text", ["\x1b[31mred", "\x07", "a\rb", "\u202eback", "\u200bnothing", "\udc80", "\x9b31m"])
def test_control_characters_are_escaped(text: str) -> None:
    assert readable(text).isprintable()


def test_long_text_is_shortened_in_the_middle() -> None:
    text = "".join(f"{at:05}" for at in range(1000))
    shown = readable(text)
    assert shown.startswith("00000")
    assert shown.endswith("00999")
    assert f"{5000 - MAX_CHARS_SHOWN:,} characters" in shown
    assert readable("e" * MAX_CHARS_SHOWN + "\n") != readable("e" * MAX_CHARS_SHOWN) == "e" * MAX_CHARS_SHOWN
