"""`run` with an engine: the files of a run without one, whoever is lost meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from small import FIRST, TINIEST
from test_loop import Files, contents
from test_ray import cluster as cluster
from test_ray import own_workers

from selfsown.errors import ModelError, RecipeError
from selfsown.generation_work import GenerationWork
from selfsown.loop import run
from selfsown.models.hf.server import stop
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.usage.journal import Journal
from testing.mock_server import Server
from testing.tiny_checkpoint import write_checkpoint

CHUNKED = (*FIRST, *TINIEST, "generations=2", "chunk_rows=8")
IN_FLIGHT = 4
SERVER = f"{sys.executable} -m testing.serve_checkpoint {{folder}} --port {{port}}"
SLOW_GRADER = """import time
from selfsown.records import Grade

def grade(rows):
    for row in rows:
        time.sleep(0.05)
        yield Grade(float(len(row.answer) % 5 > 0), "", "slow")
"""


def results(folder: Path) -> Files:
    """The files of a run, but for the recipe, which names the engine, and the journal, which keeps times."""
    files = contents(folder)
    return {name: files[name] for name in files if name not in {"recipe.yaml", "replies.sqlite"}}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What a run without an engine leaves."""
    folder = tmp_path_factory.mktemp("here") / "run"
    run(Recipe.load("first", CHUNKED), folder)
    return results(folder)


def test_a_run_on_threads_is_that_without_an_engine(here: Files, tmp_path: Path) -> None:
    run(Recipe.load("first", (*CHUNKED, "engine=threads")), tmp_path / "run")
    assert results(tmp_path / "run") == here


def test_another_number_of_rows_a_chunk_is_another_draw(here: Files, tmp_path: Path) -> None:
    run(Recipe.load("first", (*CHUNKED, "chunk_rows=7")), tmp_path / "run")
    assert results(tmp_path / "run") != here


@pytest.mark.slow
def test_a_run_on_a_cluster_is_that_without_an_engine(cluster: str, here: Files, tmp_path: Path) -> None:
    """The student samples on the workers, and they verify what it wrote."""
    run(Recipe.load("first", (*CHUNKED, "engine={ray: {partition_rows: 8}}")), tmp_path / "run")
    assert results(tmp_path / "run") == here


def served(folder: Path, server: Server, **changes: Any) -> Recipe:
    """A recipe whose rows a teacher behind a server writes, and a grader grades that takes its time."""
    lines = [{"prompt": f"question {number}", "answer": f"the answer {number}"} for number in range(80)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "slow.py").write_text(SLOW_GRADER, encoding="utf-8")
    tree: dict[str, Any] = {
        "real": {"file": {"path": str(folder / "rows.jsonl")}},
        "held_out": 20,
        "student": {"tiny": {"layers": 1, "width": 16}},
        "teacher": {"endpoint": {"url": server.url, "model": "m", "max_in_flight": IN_FLIGHT, "retries": 4}},
        "generations": 1,
        "chunk_rows": 16,
        "generate": [{"sample": {"n": 2}}],
        "grade": ["./slow.py"],
        "curate": ["min_score", "dedup"],
        "mix": "accumulate",
        "train": {"sft": {"steps": 2}},
        "evaluate": ["loss"],
        "goal": "loss",
    }
    return Recipe.of(tree | changes, folder)


def say(prompt: str, body: dict[str, Any]) -> str:
    return f"{prompt} has answer {body.get('seed', 0) % 7 * 'o'}"


@pytest.mark.slow
def test_workers_that_are_killed_lose_and_double_nothing(cluster: str, tmp_path: Path) -> None:
    with Server(say=say) as server:
        run(served(tmp_path, server), tmp_path / "here")
        before = server.asked.total()
        server.latency, chance, killed, over = 0.1, random.Random(0), list[str](), threading.Event()

        def kill() -> None:
            log = tmp_path / "there" / "log.jsonl"
            while not over.wait(0.5):
                stage = "grade" if log.exists() and '"generate"' in log.read_text(encoding="utf-8") else "generate"
                if killed.count(stage) < 2 and (workers := own_workers()):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                    killed.append(stage)

        killer = threading.Thread(target=kill)
        killer.start()
        run(served(tmp_path, server, engine={"ray": {"partition_rows": 16}}), tmp_path / "there")
        over.set()
        killer.join()
    assert set(killed) == {"generate", "grade"}
    assert results(tmp_path / "there") == results(tmp_path / "here")
    assert before == 120
    assert before <= server.asked.total() - before <= before + len(killed) * IN_FLIGHT
    assert len(RunFolder(tmp_path / "there").journal.unpaid_replies()) == 0


def servers_of(folder: Path) -> list[int]:
    running = psutil.process_iter(["cmdline"])
    return [process.pid for process in running if str(folder) in " ".join(process.info["cmdline"] or [])]


@pytest.mark.slow
def test_a_worker_that_does_not_fit_is_refused_before_anything_is_trained(cluster: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="the cluster has 2 cores and 0 GPUs in all"):
        run(Recipe.load("first", (*CHUNKED, "engine={ray: {gpus: 1}}")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_server_of_a_model_of_your_own_runs_on_each_worker(cluster: str, tmp_path: Path) -> None:
    model = {"model": str(write_checkpoint(tmp_path / "small")), "max_new_tokens": 8, "sampler": SERVER}
    real = [Row(f"say {number}", f"{number} yes") for number in range(24)]
    made = list[list[Row]]()
    for engine in (None, {"ray": {"partition_rows": 8}}):
        with Server() as server:
            recipe = served(tmp_path, server, student={"hf": model}, base_train="none", teacher=None, engine=engine)
        journal = Journal(tmp_path / f"{len(made)}.sqlite")
        work = GenerationWork(recipe, real, journal, number=1, level=1, folder=tmp_path / "small")
        made.append(list(work.generated(recipe.generate[0], real, 7)))
        stop()
    assert made[0] == made[1]
    assert len(made[0]) == 48
    time.sleep(2)
    assert not servers_of(tmp_path / "small"), "they end with their workers"


def test_several_chunks_at_once_are_for_servers_not_for_the_student(tmp_path: Path) -> None:
    """Which would be asked by several threads."""
    with Server(say=say) as server:
        recipes = [served(tmp_path, server, grade=grade) for grade in ([], ["./slow.py"], ["judge"])]
        recipes.append(served(tmp_path, server, generate_with="student"))
        journal = Journal(tmp_path / "replies.sqlite")
        works = [GenerationWork(recipe, [], journal, number=1, level=1, folder=None) for recipe in recipes]
        assert [work.threads for work in works] == [2, 2, 1, 1]


def test_a_machine_that_does_not_see_the_student_says_so(tmp_path: Path) -> None:
    recipe, journal = Recipe.load("first", CHUNKED), Journal(tmp_path / "replies.sqlite")
    work = GenerationWork(recipe, [Row("q", "a")], journal, number=1, level=1, folder=tmp_path / "model")
    with pytest.raises(ModelError, match=r"does not see the student's folder .*/model; run in a folder on a file sys"):
        _ = work.student
