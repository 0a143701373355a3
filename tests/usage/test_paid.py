"""A run whose teacher and judge are paid: killed anywhere, it loses no reply and pays for none twice."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command import run_in_process, written
from forked import begun
from test_loop import contents

from testing.mock_batches import BatchServer
from testing.mock_server import Server

SECRET = "sk-very-secret-0123456789"
IN_FLIGHT = 8
CHANGES = {
    "generate": [{"sample": {"n": 2}}],
    "grade": [{"self_consistency": {"samples": 3}}, "verify"],
    "generations": 2,
}


def say(prompt: str, body: dict[str, Any]) -> str:
    """Digits turned round, which is right now and then, and one of two answers for each seed."""
    return prompt.rpartition(":")[2][:: 1 - 2 * (body["seed"] % 2)]


def sets(server: Server, batch: int = 0) -> list[str]:
    """Options that set teacher and judge to this server."""
    options = f"max_in_flight: {IN_FLIGHT}, batch: {batch}"
    named = f"{{endpoint: {{url: '{server.url}', model: m, api_key: PAID_KEY, {options}}}}}"
    return ["--set", f"teacher={named}", "--set", f"judge={named}"]


def repeated(server: Server) -> int:
    """How many requests the server got that it had had before."""
    counts = Counter(json.dumps(body, sort_keys=True) for body in server.bodies)
    return sum(counts.values()) - len(counts)


def comparable(folder: Path) -> dict[str, bytes]:
    """All but the recipe, in which the server's port stands, and the journal."""
    return {name: data for name, data in contents(folder).items() if name not in ("recipe.yaml", "replies.sqlite")}


def test_a_rehearsal_asks_no_paid_model_but_says_what_is_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, **CHANGES)
    with Server() as server:
        said = run_in_process(tmp_path, "check", "mine.yaml", *sets(server))
        assert "api_key: PAID_KEY names neither a set environment variable" in said.stderr
        monkeypatch.setenv("PAID_KEY", SECRET)
        assert run_in_process(tmp_path, "check", "mine.yaml", *sets(server)).returncode == 0
        assert not server.asked


@pytest.mark.parametrize("model", ["endpoint: {url: 'http://localhost/v1', model: m}", "anthropic: {model: m}"])
def test_a_paid_model_is_no_student(model: str, tmp_path: Path) -> None:
    written(tmp_path)
    said = run_in_process(tmp_path, "run", "mine.yaml", "--set", f"student={{{model}}}")
    assert (said.returncode, "cannot be trained" in said.stderr) == (2, True)
    said = run_in_process(tmp_path, "run", "mine.yaml", "--set", f"teacher={model.split(':')[0]}")
    assert "needs " in said.stderr


def test_a_server_that_stops_stops_the_run_in_words_and_the_run_goes_on_with_a_better_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAID_KEY", SECRET)
    written(tmp_path, **CHANGES)
    with Server(say=say, key="sk-another-0123456789") as server:
        said = run_in_process(tmp_path, "run", "mine.yaml", "run", *sets(server))
        assert (said.returncode, "does not accept the API key" in said.stderr) == (2, True)
        assert SECRET not in said.stderr + said.stdout
        assert sum(server.asked.values()) <= IN_FLIGHT
        server.key = SECRET
        assert run_in_process(tmp_path, "run", "mine.yaml", "run", *sets(server)).returncode == 0
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


@pytest.mark.slow
def test_killed_and_begun_again_it_pays_for_nothing_twice_but_what_was_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAID_KEY", SECRET)
    written(tmp_path, **CHANGES)
    with Server(say=say) as server:
        assert run_in_process(tmp_path, "run", "mine.yaml", "whole", *sets(server)).returncode == 0
        wanted, whole = comparable(tmp_path / "whole"), len(server.bodies)
        assert repeated(server) == 0
    with Server(say=say, latency=0.02) as server:
        for kill in range(1, 4):
            process = begun(tmp_path, "run", "mine.yaml", "killed", *sets(server))
            until = time.monotonic() + 60
            while len(server.bodies) < kill * whole / 4 and time.monotonic() < until:
                time.sleep(0.005)
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            assert repeated(server) <= (kill - 1) * IN_FLIGHT
        assert run_in_process(tmp_path, "run", "mine.yaml", "killed", *sets(server)).returncode == 0
        assert repeated(server) <= 3 * IN_FLIGHT
        assert len(server.bodies) - repeated(server) == whole
    assert comparable(tmp_path / "killed") == wanted


@pytest.mark.slow
def test_in_batches_a_run_makes_the_same_rows_and_says_how_far_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAID_KEY", SECRET)
    written(tmp_path, **CHANGES)
    with BatchServer(say=say, key=SECRET) as server:
        assert run_in_process(tmp_path, "run", "mine.yaml", "one", *sets(server)).returncode == 0
        alone = len(server.bodies)
        said = run_in_process(tmp_path, "run", "mine.yaml", "batches", *sets(server, batch=1000))
        assert said.returncode == 0
        assert "requests sent" in said.stderr
        assert len(server.sent) == 4, "each generation's teacher and judge"
        assert len(server.bodies) == 2 * alone
    assert comparable(tmp_path / "one") == comparable(tmp_path / "batches")
