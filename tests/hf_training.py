"""What the tests of training a transformers model share: a tiny checkpoint, rows, and training in this process."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from selfsown.models.hf import HF, create, training, worker
from selfsown.models.hf.grading import GradingServer
from selfsown.models.hf.job import PROGRESS, read_job
from selfsown.records import Grade, JsonObject, Mixture, Row
from testing.tiny_checkpoint import write_checkpoint

ROWS = [Row(prompt=f"say {number}", answer=f"{number} yes") for number in range(40)]
PAIRS = [replace(row, metadata={"rejected": row.answer.replace("yes", "no")}) for row in ROWS]


def quiet(done: int, total: int) -> None: ...


def mixed(rows: Sequence[Row], weights: Sequence[float] = ()) -> Mixture:
    return Mixture(rows, np.array(weights or [1] * len(rows), dtype=float))


def student(folder: Path, name: str = "base", **options: object) -> HF:
    if not (folder / name).exists():
        write_checkpoint(folder / name)
    return create([], 0, **({"model": str(folder / name), "device": "cpu", "max_new_tokens": 8} | options))  # type: ignore[arg-type]


def letters(rows: Sequence[Row]) -> list[Row]:
    """Graded by the share of an answer's characters that are ASCII letters: a random model has some of them."""
    shares = [sum(c.isascii() and c.isalpha() for c in row.answer) / max(1, len(row.answer)) for row in rows]
    return [row if row.status else replace(row, grades=(Grade(s),)) for row, s in zip(rows, shares, strict=True)]


def bits(model: HF, rows: Sequence[Row]) -> float:
    return sum(number for number, _ in model.bits(rows))


def weight_hash(folder: Path) -> str:
    files = sorted(folder.glob("*.safetensors"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def progress_lines(folder: Path) -> list[JsonObject]:
    return [json.loads(line) for line in (folder / PROGRESS).read_text().splitlines()]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Train in this process: a worker takes ten seconds to import what it needs.

    Trainers collect garbage at their end, and so do we before another model is read. What was imported is kept out of
    that: to look through it took half of the time of these tests.
    """
    from selfsown.models.hf import sampling_trainers  # here, so that programs that import this file need no trainers

    def run(
        folder: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        tick: Callable[[int, int], None],
        server: GradingServer | None = None,
    ) -> None:
        if server:
            monkeypatch.setattr(sampling_trainers, "grading_client", lambda: server.grade)
        (folder / PROGRESS).unlink(missing_ok=True)
        threads = torch.get_num_threads()
        try:
            worker._train(read_job(folder), folder)
        finally:
            torch.set_num_threads(threads)

    monkeypatch.setattr(training, "run_worker", run)
    monkeypatch.setattr(training, "threads", lambda: 1)
    gc.freeze()
    yield
    gc.unfreeze()
