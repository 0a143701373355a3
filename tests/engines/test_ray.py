"""`engine: ray`: the rows of the local engine, whoever is lost meanwhile, and each reply paid once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from command import refused, run_in_process

from selfsown.callbacks import Tally
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.usage.ledger import total, usage_entries
from testing.mock_server import Server
from testing.tiny_checkpoint import write_checkpoint

ray = pytest.importorskip("ray")

PROMPTS = 60
OWN_GRADER = """from selfsown.records import Grade

def grade(rows):
    for row in rows:
        yield Grade(float(len(row.answer) % 5 > 0), "", "own")
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster on this machine, for all tests of the file: its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    context = ray.init(
        "local", num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False
    )
    yield context.address_info["address"]
    ray.shutdown()


@pytest.fixture(scope="module")
def teacher() -> Iterator[Server]:
    """One server for all tests: a folder that was made with it may be made again."""
    with Server(say=say) as server:
        yield server


@pytest.fixture
def server(teacher: Server) -> Server:
    """The server, which has been asked nothing yet."""
    teacher.latency = 0.0
    teacher.asked.clear()
    return teacher


@dataclass(frozen=True)
class Made:
    folder: Path
    tally: Tally
    asked: dict[str, int]


@pytest.fixture(scope="module")
def here(teacher: Server, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What the local engine makes of the recipe. Its 120 programs take seconds to run."""
    folder = tmp_path_factory.mktemp("local")
    teacher.latency = 0.0
    teacher.asked.clear()
    tally = make(recipe(folder, teacher), folder / "made")
    return Made(folder / "made", tally, dict(teacher.asked))


def say(prompt: str, body: dict[str, Any]) -> str:
    """A program, of which every third is wrong; some are the same."""
    number = int(prompt.split()[-1])
    wrong = number % 3 == 0 and body.get("seed", 0) % 2
    return f"```python\ndef f(x):\n    return x + {number % 25 + wrong}\n```"


def recipe(folder: Path, server: Server, **changes: Any) -> Recipe:
    lines = [
        {"prompt": f"Write f, which adds {at}", "answer": "", "tests": f"assert f(1) == {at % 25 + 1}"}
        for at in range(PROMPTS)
    ]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    tree: dict[str, Any] = {
        "real": {"file": {"path": str(folder / "prompts.jsonl"), "metadata": ["tests"]}},
        "teacher": {"endpoint": {"url": server.url, "model": "m", "max_in_flight": 8, "retries": 4}},
        "generate": [{"sample": {"n": 2}}],
        "grade": ["unit_tests"],
        "curate": ["min_score", "dedup", {"dedup_near": {}}],
    }
    return Recipe.of({**tree, **changes})


def write(recipe: Recipe, folder: Path) -> None:
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe.dump()), encoding="utf-8")


def own_workers() -> list[int]:
    """Workers of this process's own cluster: another test may have one, too."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ray::Worker" in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


def rows(folder: Path) -> list[Row]:
    return RunFolder(folder).rows("rows") or []


def test_rows_and_ledger_are_those_of_the_local_engine(
    tmp_path: Path, cluster: str, here: Made, server: Server
) -> None:
    there = make(recipe(tmp_path, server, engine={"ray": {"partition_rows": 32}}), tmp_path / "there")
    assert rows(tmp_path / "there") == rows(here.folder)
    assert there.counts == here.tally.counts
    assert 0 < there.counts["kept"] < there.made == 2 * PROMPTS
    assert server.asked == here.asked
    books = [total(usage_entries(folder / "replies.sqlite")) for folder in (here.folder, tmp_path / "there")]
    assert (books[0].requests, books[0].output_tokens) == (books[1].requests, books[1].output_tokens)
    assert there.making.done == pytest.approx(PROMPTS)


@pytest.mark.slow
def test_what_is_in_the_journal_is_not_asked_again(tmp_path: Path, cluster: str, here: Made, server: Server) -> None:
    shutil.copytree(here.folder, tmp_path / "made")
    make(recipe(tmp_path, server, engine={"ray": {"workers": 2}}), tmp_path / "made")
    assert server.asked.total() == 0
    assert rows(tmp_path / "made") == rows(here.folder)


@pytest.mark.slow
def test_workers_that_are_killed_lose_and_double_nothing(
    tmp_path: Path, cluster: str, here: Made, server: Server
) -> None:
    engine = {"ray": {"partition_rows": 16, "workers": 2}}
    chance, killed = random.Random(0), []
    server.latency = 0.05
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.7) and len(killed) < 4:
            if found := own_workers():
                os.kill(chance.choice(found), signal.SIGKILL)
                killed.append(time.monotonic())

    killer = threading.Thread(target=kill)
    killer.start()
    make(recipe(tmp_path, server, engine=engine), tmp_path / "there")
    over.set()
    killer.join()
    assert killed
    assert rows(tmp_path / "there") == rows(here.folder)
    paid_twice = sum(count - 2 for count in server.asked.values())
    assert 0 <= paid_twice <= len(killed) * 8
    assert len(RunFolder(tmp_path / "there").journal.unpaid_replies()) == 0


@pytest.mark.slow
def test_a_driver_that_is_killed_goes_on_without_a_cluster(tmp_path: Path, here: Made, server: Server) -> None:
    server.latency = 0.05
    write(recipe(tmp_path, server), tmp_path)
    command = [sys.executable, "-m", "selfsown", "make", "mine.yaml", "made", "--no-report", "--engine", "ray"]
    driver = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL)
    while server.asked.total() < PROMPTS // 2:
        assert driver.poll() is None
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    before = server.asked.total()
    time.sleep(2)  # its workers end with it
    assert server.asked.total() <= before + 8
    make(recipe(tmp_path, server), tmp_path / "made")
    assert server.asked.total() <= 2 * PROMPTS + 16
    assert rows(tmp_path / "made") == rows(here.folder)


@pytest.mark.slow
def test_a_budget_holds_over_all_workers(tmp_path: Path, cluster: str, server: Server) -> None:
    """Of requests, so no program is run here."""
    changes: dict[str, Any] = {"engine": {"ray": {"workers": 2, "partition_rows": 16}}, "grade": [], "curate": []}
    with pytest.raises(SelfsownError, match="the budget does not cover the next request") as refusal:
        make(recipe(tmp_path, server, **changes, budget={"requests": 50}), tmp_path / "made")
    assert refusal.value.code == 3
    assert server.asked.total() == 50
    made = make(recipe(tmp_path, server, **changes, budget={"requests": 200}), tmp_path / "made")
    assert server.asked.total() == 2 * PROMPTS == made.made


@pytest.mark.slow
def test_a_graders_own_file_goes_to_the_workers(tmp_path: Path, cluster: str, server: Server) -> None:
    (tmp_path / "own.py").write_text(OWN_GRADER, encoding="utf-8")
    tree = recipe(tmp_path, server).dump() | {"grade": ["./own.py"], "engine": "ray"}
    made = make(Recipe.of(tree, tmp_path), tmp_path / "made")
    here = make(Recipe.of(tree | {"engine": None}, tmp_path), tmp_path / "here")
    assert made.counts == here.counts
    assert rows(tmp_path / "made") == rows(tmp_path / "here")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--engine", "127.0.0.1:1"), "engine: nothing answers at 127.0.0.1:1"),
        (("--engine", "ray://127.0.0.1:10001"), "engine: ray://127.0.0.1:10001 is an address of Ray's client"),
        (("--engine", "rae"), "engines: there is no method 'rae'; available: ray, threads"),
        (("--set", "engine={ray: {address: somewhere}}"), "engine: address is 'somewhere'; it must be HOST:PORT"),
        (("--set", "engine={ray: {cores: 0}}"), "engine.ray.cores"),
        (("--set", "engine=ray", "--set", "teacher.endpoint.batch=5"), "leave out batch, or engine"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    with Server(say=say) as server:
        write(recipe(tmp_path, server), tmp_path)
        assert reason in refused(run_in_process(tmp_path, "make", "mine.yaml", "made", *arguments))
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_a_worker_that_does_not_fit_is_refused(tmp_path: Path, cluster: str) -> None:
    with Server(say=say) as server, pytest.raises(SelfsownError, match="cluster has 2 cores and 0 GPUs in all"):
        make(recipe(tmp_path, server, engine={"ray": {"gpus": 1}}), tmp_path / "made")


@pytest.mark.slow
def test_a_function_from_python_is_refused_with_what_to_do(tmp_path: Path, cluster: str) -> None:
    with Server(say=say) as server, pytest.raises(SelfsownError, match=r"save it as \./own_grader\.py"):
        make(recipe(tmp_path, server, grade=[own_grader], engine="ray"), tmp_path / "made")


def own_grader(rows: list[Row]) -> Iterator[Grade]:
    yield from (Grade(1.0, "", "own") for _ in rows)


@pytest.mark.slow
def test_a_local_model_samples_on_workers_as_it_does_here(tmp_path: Path, cluster: str) -> None:
    model = {"hf": {"model": str(write_checkpoint(tmp_path / "model")), "max_new_tokens": 6}}
    with Server() as server:
        tree = recipe(tmp_path, server).dump() | {"teacher": model, "grade": [], "curate": ["dedup"]}
        tree["max_failure_rate"] = 1
        make(Recipe.of(tree), tmp_path / "here")
        make(Recipe.of(tree | {"engine": {"ray": {"workers": 2}}}), tmp_path / "there")
    assert rows(tmp_path / "there") == rows(tmp_path / "here")
    assert len(rows(tmp_path / "here")) == 2 * PROMPTS


@pytest.mark.slow
def test_a_token_of_ray_is_used_whoever_imported_ray_first(tmp_path: Path) -> None:
    """Ray writes one into the home folder when a cluster starts; processes that it starts check it from then on."""
    settings = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"} | {"HOME": str(tmp_path)}
    work = "with connected(''): print(ray.get(ray.remote(lambda: 4).remote()))"
    for first in ("", "import ray; "):  # the first writes the token, the second is not the one that read it
        program = f"{first}from selfsown.cluster.cluster import connected; import ray\n{work}"
        order = [sys.executable, "-c", program]
        done = subprocess.run(order, env=settings, capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout.strip() == "4"
        assert (tmp_path / ".ray" / "auth_token").exists()
