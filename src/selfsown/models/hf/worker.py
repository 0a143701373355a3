"""The process that trains: `python -m selfsown.models.hf.worker JOB_FOLDER`, alone or once for each device.

It is a process of its own so that its memory is free afterwards for sure, an interpreter or a launcher of the user's
can run it, and running out of memory ends it alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from selfsown.errors import SelfsownError
from selfsown.models.hf.job import CHECKPOINTS, FAILURE, RESULT, Job, read_job, read_rows, replace_text
from selfsown.models.hf.locks import WORKER, end_with_run, held

_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
_NO_DISK = ("no space left on device", "disk quota exceeded", "pytorchstreamwriter failed writing")


def main(folder: Path) -> int:
    """Train as the folder's job says. Returns the exit code; why it failed is in failure.json."""
    end_with_run(folder)
    first = int(os.environ.get("RANK", "0")) == 0
    with held(folder / WORKER) if first else nullcontext():
        try:
            _train(read_job(folder), folder)
        except BaseException as error:
            traceback.print_exc()
            _report_failure(folder, error)
            return 1
    return 0


def _train(job: Job, folder: Path) -> None:
    import torch

    from selfsown.models.hf.checkpoints import newest
    from selfsown.models.hf.trainers import trainer_for
    from selfsown.models.hf.worker_model import save_model

    if job.device == "cpu":
        torch.set_num_threads(job.threads)
    checkpoint = newest(folder / CHECKPOINTS)
    rows, order = read_rows(folder)
    trainer = trainer_for(job, rows, order, folder, checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if trainer.is_world_process_zero():
        replace_text(folder / RESULT, json.dumps(_result(trainer)))
    save_model(trainer, job, folder)
    if trainer.is_world_process_zero():
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        shutil.rmtree(folder / "merged", ignore_errors=True)


def _result(trainer: Any) -> dict[str, int]:
    stopping = next((c.stopping for c in trainer.callback_handler.callbacks if hasattr(c, "stopping")), None)
    return {"steps": trainer.state.global_step, "best_step": stopping.best_step if stopping else 0}


def _report_failure(folder: Path, error: BaseException) -> None:
    """Say what kind of failure it is; of several processes, the first to fail does."""
    text = " ".join(str(error).split())
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(part in text.lower() for part in _NO_MEMORY):
        kind = "memory"
    elif any(part in text.lower() for part in _NO_DISK):
        kind = "disk"
    else:
        kind = "user" if isinstance(error, SelfsownError) else "crash"
    path = folder / FAILURE
    try:
        if not path.exists():
            replace_text(path, json.dumps({"kind": kind, "text": text[:500] or type(error).__name__}))
    except OSError:  # a full disk has no room for this, either
        traceback.print_exc()


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of libraries may not delay the end
