"""Checkpoints of a training job: only complete ones count, and only the newest is kept."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import TrainerCallback

from selfsown.models.hf.job import Job, replace_text

_COMPLETE = "complete"  # a file that is written when all others of a checkpoint are
_EXTRA = "selfsown.safetensors"  # what our own callbacks know


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint of this folder. All others, such as one that a kill cut off, are deleted."""
    complete = [path for path in folder.glob("checkpoint-*") if (path / _COMPLETE).exists()]
    latest = max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    for path in folder.glob("checkpoint-*"):
        if path != latest:
            shutil.rmtree(path)
    return latest


def extra_tensors(checkpoint: Path) -> dict[str, Tensor]:
    """What `Checkpoints` added to a checkpoint."""
    file = checkpoint / _EXTRA
    return load_file(file) if file.exists() else {}


class Checkpoints(TrainerCallback):
    """Decides when a checkpoint is written, adds what our callbacks know, and deletes the one before.

    kept: callbacks with `tensors()`, a dictionary. every: steps between which the optimizer may not be interrupted.
    """

    def __init__(self, job: Job, kept: list[Any], every: int = 1) -> None:
        self.job, self.kept, self.every = job, kept, every
        self.saved_at = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step = state.global_step
        if step % self.every or step >= state.max_steps:
            return
        if self.job.save_steps:
            control.should_save = step % self.job.save_steps == 0
        else:
            control.should_save = _agreed(time.monotonic() - self.saved_at >= self.job.save_seconds)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.saved_at = time.monotonic()
        _wait_for_all()
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if tensors := {name: tensor for callback in self.kept for name, tensor in callback.tensors().items()}:
            save_file(tensors, folder / _EXTRA)
        replace_text(folder / _COMPLETE, "")
        newest(folder.parent)


def _distributed() -> Any:
    import torch.distributed as distributed

    return distributed if distributed.is_available() and distributed.is_initialized() else None


def _wait_for_all() -> None:
    if distributed := _distributed():
        distributed.barrier()


def _agreed(mine: bool) -> bool:
    """What the first of all processes decides: their clocks differ."""
    if distributed := _distributed():
        decision = [mine]
        distributed.broadcast_object_list(decision, src=0)
        return decision[0]
    return mine
