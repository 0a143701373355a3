"""A training job: what the worker process is given, and what it leaves, as files of one folder.

job.json, rows.jsonl, order.json and tokenizer/ go in; progress.jsonl, worker.log, checkpoints/, result.json and model/
come out. A job with the same hash goes on from its last checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfsown.models.hf.locks import RUN, WORKER
from selfsown.models.hf.settings import Device, Dtype
from selfsown.records import JsonObject

JOB, ROWS, ORDER, TOKENIZER = "job.json", "rows.jsonl", "order.json", "tokenizer"
PROGRESS, LOG, RESULT, FAILURE, MODEL = "progress.jsonl", "worker.log", "result.json", "failure.json", "model"
CHECKPOINTS = "checkpoints"
# These change how fast the result comes, and where from, not what it is.
_UNHASHED = {"source", "adapter", "teacher", "micro_batch", "save_steps", "save_seconds", "threads"}


@dataclass(frozen=True)
class EncodedRow:
    """A row's tokens, how many come before the answer, and the tokens of the prompt with the rejected answer."""

    tokens: list[int]
    start: int
    rejected: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """What to train, and how.

    objective: sft, dpo, grpo or distill. source: the folder of whole weights; adapter: that of the LoRA weights beside
    them, or "". weights: full, lora or qlora. steps, batch_size: of the optimizer. micro_batch: rows in one pass of a
    device; 0 for automatic. ends: tokens that end a sample. max_new: its longest. save_steps: steps between
    checkpoints; 0 for save_seconds between them. threads: of a CPU. teacher: its folder, or "". identities: hashes of
    the weights above. options: of the objective.
    """

    objective: str
    source: str
    adapter: str
    weights: str
    lora_rank: int
    device: Device
    dtype: Dtype
    seed: int
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    average_last: float
    ends: list[int]
    max_new: int
    micro_batch: int = 0
    save_steps: int = 0
    save_seconds: float = 300.0
    threads: int = 1
    teacher: str = ""
    stopping_rows: int = 0
    patience: int = 0
    identities: list[str] = field(default_factory=list)
    options: JsonObject = field(default_factory=dict)


def job_hash(job: Job, rows: Sequence[EncodedRow], order: Sequence[int]) -> str:
    """A hash of all that decides the result."""
    content = {key: value for key, value in asdict(job).items() if key not in _UNHASHED}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for row in rows:
        digest.update(json.dumps([row.tokens, row.start, row.rejected]).encode())
    digest.update(json.dumps(list(order)).encode())
    return digest.hexdigest()


def write_job(folder: Path, job: Job, rows: Sequence[EncodedRow], order: Sequence[int], tokenizer: Any) -> None:
    """Make the folder this job's. What the same job left there stays; what another left is deleted."""
    digest = job_hash(job, rows, order)
    if _hash_in(folder) != digest:
        (folder / JOB).unlink(missing_ok=True)  # first, so that a kill leaves no job without its files
        for path in folder.iterdir():
            if path.name not in (RUN, WORKER):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        tokenizer.save_pretrained(folder / TOKENIZER)
        with (folder / ROWS).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps([row.tokens, row.start, row.rejected]) + "\n" for row in rows)
        (folder / ORDER).write_text(json.dumps(list(order)), encoding="utf-8")
    replace_text(folder / JOB, json.dumps({"hash": digest, **asdict(job)}, indent=1))


def read_job(folder: Path) -> Job:
    content = json.loads((folder / JOB).read_text(encoding="utf-8"))
    del content["hash"]
    return Job(**content)


def read_rows(folder: Path) -> tuple[list[EncodedRow], list[int]]:
    """The rows, and which of them are trained on, in order. Those set aside for early stopping come last."""
    with (folder / ROWS).open(encoding="utf-8") as file:
        rows = [EncodedRow(*json.loads(line)) for line in file]
    return rows, json.loads((folder / ORDER).read_text(encoding="utf-8"))


def _hash_in(folder: Path) -> str:
    try:
        return str(json.loads((folder / JOB).read_text(encoding="utf-8"))["hash"])
    except (OSError, ValueError, KeyError):
        return ""


def replace_text(path: Path, text: str) -> None:
    """Write a small file that is complete or absent."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_result(folder: Path) -> JsonObject:
    """What the worker left beside its model: the steps taken, and the best of them where it stopped early."""
    content: JsonObject = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return content
