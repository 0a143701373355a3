"""`make` against a server at its worst, and killed at any moment: no row lost, none doubled, none paid twice."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from forked import begun, finish
from test_make import adds_up, prompts, recipe, rows, serving

from selfsown.pipeline import make
from testing.mock_server import Server

FAULTS = {"busy": 0.10, "error": 0.05, "reset": 0.02, "hang": 0.02, "malformed": 0.02}
KILLS = 15
IN_FLIGHT = 8


@pytest.mark.slow
def test_in_a_storm_of_faults_every_row_that_can_be_answered_is_and_the_others_say_why(tmp_path: Path) -> None:
    prompts(tmp_path, 400)
    with serving(faults=FAULTS, forbidden="77?", seed=1) as server:
        teacher = {"endpoint": {"url": server.url, "model": "m", "timeout": 1.5, "max_in_flight": 64}}
        changes: dict[str, Any] = {"teacher": teacher, "judge": None, "grade": [], "curate": []}
        tally = make(recipe(tmp_path, server, **changes, generate=["sample"]), tmp_path / "out")
    found = rows(tmp_path / "out")
    assert adds_up(tally, found)
    assert tally.counts == {"kept": 4 * 396, "failed": 4 * 4}
    for row in found:
        forbidden = "77?" in row.prompt
        assert (row.status == "failed") == forbidden == ("may not be asked" in row.reason)
    assert all(count == 4 for prompt, count in server.asked.items() if "77?" in prompt)  # no permanent one again
    assert sum(server.asked.values()) > 4 * 400 * 1.1


@pytest.mark.slow
def test_killed_many_times_it_ends_with_the_same_bytes_and_pays_twice_for_no_more_than_was_out(
    tmp_path: Path,
) -> None:
    prompts(tmp_path, 300)

    def written(server: Server) -> None:
        there = {"url": server.url, "max_in_flight": IN_FLIGHT}
        roles = {
            role: {"endpoint": {**there, "model": model}} for role, model in (("teacher", "m"), ("judge", "judge"))
        }
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe(tmp_path, server, **roles, name="mine").dump()))

    with serving() as server:
        written(server)
        finish(tmp_path, "make", "mine.yaml", "whole")
        wanted, whole = (tmp_path / "whole" / "rows.parquet").read_bytes(), len(server.bodies)
        assert repeated(server) == 0
    rng = random.Random(0)
    with serving(latency=0.04) as server:
        written(server)
        for _ in range(KILLS):
            before, doubled = len(server.bodies), repeated(server)
            process = begun(tmp_path, "make", "mine.yaml", "killed")
            while process.is_alive() and len(server.bodies) == before:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            time.sleep(0.05)  # what was under way reaches the server
            assert repeated(server) - doubled <= 2 * IN_FLIGHT
        assert len(server.bodies) - repeated(server) < whole, "it was done before it was killed so often"
        finish(tmp_path, "make", "mine.yaml", "killed")
        assert len(server.bodies) - repeated(server) == whole
        assert repeated(server) <= KILLS * 2 * IN_FLIGHT
    assert (tmp_path / "killed" / "rows.parquet").read_bytes() == wanted


def repeated(server: Server) -> int:
    """How many requests the server got that it had had before."""
    counts = Counter(json.dumps(body, sort_keys=True) for body in list(server.bodies))
    return sum(counts.values()) - len(counts)
