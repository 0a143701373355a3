"""Training a model of the transformers library: a job is written, a worker process trains, and its result is read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from selfsown.errors import DataError
from selfsown.files.row_sequences import rows_at
from selfsown.models.hf.devices import device_for
from selfsown.models.hf.files import adapter_base, model_folder, weights_hash
from selfsown.models.hf.grading import Grading, GradingServer
from selfsown.models.hf.job import MODEL, EncodedRow, Job, read_result, write_job
from selfsown.models.hf.locks import RUN, WORKER, held
from selfsown.models.hf.model import HF
from selfsown.models.hf.needs import parameter_count, trained_weights
from selfsown.models.hf.process import run_worker
from selfsown.models.hf.weights import release
from selfsown.models.tiny.objective import draw_batches
from selfsown.parallel import usable_cores
from selfsown.records import JsonObject, Mixture, Row, Training, unreported


@dataclass(frozen=True)
class Schedule:
    """Options that all objectives share, as `selfsown.models.hf.objectives` describes them."""

    steps: int
    epochs: float
    batch_size: int
    micro_batch: int
    max_length: int
    learning_rate: float
    weight_decay: float
    average_last: float
    save_steps: int


@dataclass(frozen=True)
class Objective:
    """What is learned, and from what.

    encode: a row as tokens. options: of this objective, for the worker. answer_room: tokens of the context that are
    sampled after a row's. aside: rows for early stopping. grade: for GRPO. teacher: its folder.
    """

    name: str
    encode: Callable[[Row], EncodedRow]
    options: JsonObject
    answer_room: int = 0
    aside: Sequence[Row] = ()
    patience: int = 0
    grade: Grading | None = None
    teacher: str = ""


# Of full training of a hundred million parameters and of LoRA. Full training of larger models takes less, by the square
# root of their size.
_RATES = {"sft": (1e-4, 2e-4), "distill": (1e-4, 2e-4), "dpo": (5e-6, 5e-5), "grpo": (5e-6, 5e-5)}
_RATES_SIZE = 135_000_000


def _unheeded(done: int, total: int) -> None:
    """Where an objective has no place for `tick` among its inputs, progress alone shows how far it is."""


def train(
    objective: Objective,
    mixture: Mixture,
    parent: HF,
    seed: int,
    schedule: Schedule,
    work_dir: Path,
    *,
    tick: Callable[[int, int], None] = _unheeded,
    report: Callable[[Training], None] = unreported,
) -> HF:
    """The parent, trained on rows drawn by the mixture's weights. What is in work_dir from the same training goes on.

    Raises DataError where no row fits, ModelError and RunFolderError.
    """
    kept, too_long = _fitting(objective, mixture, parent, schedule.max_length)
    limit = _limit(objective, parent, schedule.max_length)
    aside = [row for row in map(objective.encode, objective.aside) if len(row.tokens) <= limit]
    updates = int(objective.options.get("updates_per_group", 1))
    generator = torch.Generator().manual_seed(seed)
    drawn = draw_batches(kept, schedule.steps, schedule.epochs, schedule.batch_size, generator, updates=updates)
    steps, batch = drawn.steps, drawn.indices.shape[1]
    used, places = torch.unique(drawn.indices, return_inverse=True)
    rows = map(objective.encode, rows_at(kept.rows, used.tolist()))
    job = _job(objective, parent, seed, replace(schedule, steps=steps, batch_size=batch), len(aside))
    _run(
        job,
        [*rows, *aside],
        places.flatten().tolist(),
        objective.grade,
        parent,
        work_dir,
        tick=tick,
    )
    done = read_result(work_dir)
    passes = kept.epochs(int(done["steps"]) * batch / updates)
    report(Training(int(done["steps"]), steps, passes, len(aside), int(done["best_step"]), too_long=too_long))
    return parent.trained(work_dir / MODEL)


def _limit(objective: Objective, parent: HF, max_length: int) -> int:
    """The most tokens of a row."""
    return max(1, min(max_length or parent.encoder.context, parent.encoder.context) - objective.answer_room)


def _fitting(objective: Objective, mixture: Mixture, parent: HF, max_length: int) -> tuple[Mixture, int]:
    """(the mixture, in which rows that are too long are not drawn; their number). One row is encoded at a time."""
    limit, weights = _limit(objective, parent, max_length), np.array(mixture.weights)
    encoded = (
        (index, objective.encode(row))
        for index, (row, weight) in enumerate(zip(mixture.rows, weights.tolist(), strict=True))
        if weight
    )
    sizes = {index: max(len(row.tokens), len(row.rejected)) for index, row in encoded}
    too_long = [index for index, size in sizes.items() if size > limit]
    if len(too_long) == len(sizes):
        bound = "max_length" if max_length else f"the context of {parent.name}"
        shortest = min(sizes.values(), default=0)
        raise DataError(
            f"train.{objective.name}: all {len(sizes):,} rows are too long: the shortest has {shortest:,} tokens, and "
            f"{bound} leaves {limit:,}; shorten the rows, or take a model with a longer context"
        )
    weights[too_long] = 0
    return Mixture(mixture.rows, weights), len(too_long)


def _run(
    job: Job,
    rows: Sequence[EncodedRow],
    order: Sequence[int],
    grade: Grading | None,
    parent: HF,
    folder: Path,
    *,
    tick: Callable[[int, int], None],
) -> None:
    """Write the job and train, unless its model is there."""
    tokenizer = parent.encoder.tokenizer
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / RUN):
        with held(folder / WORKER):  # a worker whose run was killed may still be ending
            write_job(folder, job, rows, order, tokenizer)
        if not (folder / MODEL).exists():
            release()
            with GradingServer(grade) if grade else nullcontext() as server:
                run_worker(folder, _command(parent, folder), _environment(job, parent, server), tick, server)


def _job(objective: Objective, parent: HF, seed: int, schedule: Schedule, stopping_rows: int) -> Job:
    settings, encoder = parent.settings, parent.encoder
    base = adapter_base(parent.folder)
    source = model_folder(base, settings.revision) if base else parent.folder
    parameters = parameter_count(source)
    weights = trained_weights(settings.train_weights, parameters)
    full, lora = _RATES[objective.name]
    default = full * min(1.0, (_RATES_SIZE / max(1, parameters)) ** 0.5) if weights == "full" else lora
    identities = [weights_hash(Path(folder)) for folder in (source, parent.folder, objective.teacher) if folder]
    return Job(
        objective=objective.name, source=str(source.resolve()), adapter=str(parent.folder.resolve()) if base else "",
        weights=weights, lora_rank=settings.lora_rank, device=device_for(settings.device).type,  # type: ignore[arg-type]
        dtype=settings.dtype, seed=seed, steps=schedule.steps, batch_size=schedule.batch_size,
        learning_rate=schedule.learning_rate or default, weight_decay=schedule.weight_decay,
        average_last=schedule.average_last, ends=sorted({encoder.end, encoder.tokenizer.eos_token_id}),
        max_new=settings.max_new_tokens, micro_batch=schedule.micro_batch, save_steps=schedule.save_steps,
        threads=threads(), teacher=objective.teacher, stopping_rows=stopping_rows, patience=objective.patience,
        identities=identities, options={**objective.options, "parameters": parameters},
    )  # fmt: skip


def threads() -> int:
    """The most threads that train on a CPU."""
    return usable_cores()


def _command(parent: HF, folder: Path) -> list[str]:
    """What starts the worker. A launcher is a program, such as accelerate or torchrun, that starts one a device."""
    launch = [*parent.settings.launch]
    module = ["-m", "selfsown.models.hf.worker", str(folder.resolve())]
    if not launch:
        return [parent.settings.python or sys.executable, *module]
    beside = Path(sys.executable).parent / launch[0]
    program = str(beside) if beside.exists() and not shutil.which(launch[0]) else launch[0]
    return [program, *launch[1:], *module]


def _environment(job: Job, parent: HF, server: GradingServer | None) -> dict[str, str]:
    """Nothing is downloaded or reported while training; without a launcher one GPU is used."""
    package = Path(__file__).parents[3]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        **(server.environment if server else {}),
    }
    if job.device == "cuda" and not parent.settings.launch:
        environment["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    return environment
