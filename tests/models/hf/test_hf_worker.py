"""The process that trains a transformers student: killed, resumed, out of memory, on two ranks, and its failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("trl")

from hf_training import PAIRS, ROWS, bits, in_process, letters, mixed, progress_lines, quiet, student, weight_hash

from selfsown import progress
from selfsown.errors import ModelError, RunFolderError
from selfsown.models.hf import HF, process, training
from selfsown.models.hf.checkpoints import newest
from selfsown.models.hf.objectives import distill, dpo, grpo, sft
from selfsown.models.hf.reporting import ProgressFile
from selfsown.records import Row
from testing.tiny_checkpoint import write_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore")
__all__ = ["in_process"]
LONG = {"steps": 120, "epochs": 0.0, "batch_size": 4, "learning_rate": 3e-3, "save_steps": 5, "average_last": 0.9}
RUN = """
import sys
from pathlib import Path
from hf_training import *
from selfsown.models.hf.objectives import sft
folder = Path(sys.argv[1])
sft.train(mixed(ROWS), student(folder), 1, quiet, folder / "work", **{options})
"""


def train(folder: Path, work: str = "work", parent: HF | None = None, **options: object) -> HF:
    parent = parent or student(folder)
    return sft.train(mixed(ROWS), parent, 1, quiet, folder / work, **(LONG | options))  # type: ignore[arg-type]


def wait_until(reached: Callable[[], object], seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def checkpoints(folder: Path) -> list[Path]:
    return [path.parent for path in folder.glob("checkpoints/checkpoint-*/complete")]


def worker_of(folder: Path) -> int:
    """The process id of the worker that trains in this folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"selfsown.models.hf.worker" in words and str(folder).encode() in words:
            return int(path.parent.name)
    return 0


@pytest.fixture
def uninterrupted(tmp_path: Path, in_process: None) -> str:
    """The hash of the weights that training without a kill ends with."""
    return weight_hash(train(tmp_path, "uninterrupted").folder)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes in /proc")
def test_killed_and_resumed_equals_uninterrupted(
    tmp_path: Path, uninterrupted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is killed, then the worker of the next; a half-written checkpoint lies about, too."""
    work, script = tmp_path / "work", RUN.replace("{options}", repr(LONG))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script, str(tmp_path)], env=environment)
    wait_until(lambda: checkpoints(work))
    worker = worker_of(work)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    wait_until(lambda: not worker_of(work), 10)
    assert worker
    assert not (work / "model").exists()
    half = work / "checkpoints" / "checkpoint-119"
    half.mkdir()
    (half / "trainer_state.json").write_text("{")

    first = newest(work / "checkpoints")
    assert first is not None
    with monkeypatch.context() as patch, ThreadPoolExecutor() as pool:
        patch.setattr(training, "run_worker", process.run_worker)
        again = pool.submit(train, tmp_path)
        wait_until(lambda: again.done() or checkpoints(work) not in ([], [first]))
        worker = worker_of(work)
        assert worker, "it ended before it could be killed"  # 0 would be this process and its group
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(ModelError, match="killed by the system, most likely for want of memory; set micro_batch"):
            again.result(60)

    train(tmp_path)
    assert int(str(progress_lines(work)[0]["step"])) > 5  # it went on, and did not begin again
    assert weight_hash(work / "model") == uninterrupted


def test_early_stopping_resumes_with_what_it_knew(
    tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"steps": 12, "save_steps": 7, "early_stopping": 0.4, "average_last": 0.0, "learning_rate": 0.03}
    expected = weight_hash(train(tmp_path, "whole", **options).folder)
    from selfsown.models.hf.averages import StopEarly

    original = StopEarly.on_step_end

    def fail_once(self: StopEarly, args: object, state: object, control: object, **rest: object) -> None:
        if state.global_step == 9:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        original(self, args, state, control, **rest)

    monkeypatch.setattr(StopEarly, "on_step_end", fail_once)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, **options)
    monkeypatch.setattr(StopEarly, "on_step_end", original)
    assert [path.name for path in checkpoints(tmp_path / "work")] == ["checkpoint-7"]
    assert weight_hash(train(tmp_path, **options).folder) == expected


def run_objective(objective: str, folder: Path, work: str) -> str:
    """Train on all weights for six steps, with a checkpoint after every second; the hash of the result."""
    options = {"steps": 6, "batch_size": 4, "learning_rate": 3e-3, "save_steps": 2, "average_last": 0.6}
    parent, path = student(folder), folder / work
    if objective == "grpo":
        child = grpo.train(mixed(ROWS), parent, 1, path, letters_of_all, group_size=4, updates_per_group=2, **options)  # type: ignore[arg-type]
    elif objective == "dpo":
        child = dpo.train(mixed(PAIRS), parent, 1, quiet, path, **options)  # type: ignore[arg-type]
    else:
        write_checkpoint(folder / "teacher", seed=5)
        child = distill.train(mixed(ROWS), parent, 1, path, student(folder, "teacher"), **options)  # type: ignore[arg-type]
    return weight_hash(child.folder)


def letters_of_all(rows: Sequence[Row]) -> list[Row]:
    return letters([replace(row, status="", reason="") for row in rows])


@pytest.mark.parametrize("objective", ["dpo", "grpo", "distill"])
def test_interrupted_objectives_end_with_the_same_weights(
    tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch, objective: str
) -> None:
    expected, original = run_objective(objective, tmp_path, "whole"), ProgressFile.on_log

    def fail_once(self: ProgressFile, args: object, state: object, control: object, **rest: object) -> None:
        if state.global_step == 5:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        original(self, args, state, control, **rest)

    monkeypatch.setattr(ProgressFile, "on_log", fail_once)
    with pytest.raises(KeyboardInterrupt):
        run_objective(objective, tmp_path, "work")
    monkeypatch.setattr(ProgressFile, "on_log", original)
    assert [path.name for path in checkpoints(tmp_path / "work")] == ["checkpoint-4"]
    assert run_objective(objective, tmp_path, "work") == expected
    assert progress_lines(tmp_path / "work")[0]["step"] == 5


def test_a_worker_asks_the_graders_of_the_run_and_shows_its_progress(tmp_path: Path) -> None:
    names = set[str]()

    def grader(rows: object) -> object:
        names.update(step.name for step in root.chain)
        return letters(rows)  # type: ignore[arg-type]

    with progress.watched() as root:
        child = grpo.train(
            mixed(ROWS[:4]), student(tmp_path), 1, tmp_path / "work", grader, steps=3, batch_size=2, group_size=4
        )  # type: ignore[arg-type]
    assert (child.folder / "model.safetensors").exists()
    assert any(name.startswith("training, reward 0.") and name.endswith("tokens/s") for name in names)


def test_an_error_of_a_grader_ends_the_worker(tmp_path: Path) -> None:
    def grader(rows: object) -> object:
        raise ModelError("the judge's budget is spent")

    with pytest.raises(ModelError, match="budget is spent"):
        grpo.train(mixed(ROWS), student(tmp_path), 1, tmp_path / "work", grader, steps=3, batch_size=2, group_size=4)  # type: ignore[arg-type]
    wait_until(lambda: not worker_of(tmp_path / "work"), 10)


def test_two_ranks_train_one_model(tmp_path: Path) -> None:
    launch = (
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--cpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
    )
    parent = student(tmp_path, launch=(*launch, "--mixed_precision", "no", "--main_process_port", "0"))
    child = train(tmp_path, parent=parent, steps=4, save_steps=3)
    assert bits(child, ROWS) < bits(parent, ROWS)
    assert [line["step"] for line in progress_lines(tmp_path / "work")] == [1, 2, 3, 4]  # of one rank alone
    log = (tmp_path / "work" / "worker.log").read_text()
    assert "Error" not in log, log


FAILURES = {
    "torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')": "ran out of memory .*micro_batch: 1",
    "MemoryError()": "ran out of memory .*train_weights: lora",
    "RuntimeError('DefaultCPUAllocator: can\\'t allocate memory: you tried')": "ran out of memory",
    "OSError(28, 'No space left on device')": "free disk space and run the same command again",
    "ValueError('something odd')": "training failed: something odd; all of it is in .*worker.log",
}


@pytest.mark.parametrize(("error", "message"), FAILURES.items())
def test_a_failure_of_the_worker_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, message: str
) -> None:
    """Planted into a real process, in place of the training."""
    code = (
        "import sys, torch; from pathlib import Path; from selfsown.models.hf import worker\n"
        f"def fail(*_): raise {error}\n"
        "worker._train = fail\nworker.read_job = lambda folder: None\nsys.exit(worker.main(Path(sys.argv[1])))"
    )
    monkeypatch.setattr(training, "_command", lambda parent, folder: [sys.executable, "-c", code, str(folder)])
    with pytest.raises((ModelError, RunFolderError), match=message) as raised:
        train(tmp_path)
    assert "\n" not in str(raised.value)
    assert (tmp_path / "work" / "job.json").exists()


def test_an_interpreter_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="/nowhere/python cannot be started: No such file or directory"):
        train(tmp_path, parent=student(tmp_path, python="/nowhere/python"))


def test_only_whole_lines_of_progress_are_read(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    lines = process._Lines(path)
    assert lines.new() == []
    path.write_text('{"step": 1}\n{"st')
    assert lines.new() == [{"step": 1}]
    path.write_text('{"step": 1}\n{"step": 2}\n')
    assert lines.new() == [{"step": 2}]
    assert lines.new() == []


@pytest.mark.slow
@pytest.mark.skipif("SELFSOWN_HF_MODEL" not in os.environ, reason="SELFSOWN_HF_MODEL names no folder of a model")
def test_a_real_model_learns(tmp_path: Path) -> None:
    folder = Path(os.environ["SELFSOWN_HF_MODEL"])
    parent = student(folder.parent, folder.name, max_new_tokens=32)
    child = sft.train(mixed(ROWS[:8]), parent, 1, quiet, tmp_path / "work", steps=4, epochs=0.0, batch_size=4)
    assert bits(child, ROWS[:8]) < bits(parent, ROWS[:8])
    assert json.loads((tmp_path / "work" / "result.json").read_text())["steps"] == 4
