"""Training a model of the transformers library: a job is written, a worker process trains, and its result is read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from selfsown.errors import DataError
from selfsown.models.hf.devices import device_for
from selfsown.models.hf.files import adapter_base, model_folder, weights_hash
from selfsown.models.hf.grading import Grading, GradingServer
from selfsown.models.hf.job import MODEL, EncodedRow, Job, read_result, write_job
from selfsown.models.hf.locks import RUN, WORKER, held
from selfsown.models.hf.model import HF
from selfsown.models.hf.needs import parameter_count, trained_weights
from selfsown.models.hf.process import run_worker
from selfsown.models.hf.weights import release
from selfsown.models.tiny.trainer import sample_batches
from selfsown.parallel import usable_cores
from selfsown.records import JsonObject, Mixture, Row

_BUSY = 0.5  # of the cores, used by other programs: torch's threads then wait for one another at every operation


@dataclass(frozen=True)
class Plan:
    """Options that all objectives share, as their `train` takes them. options: those of this objective alone."""

    objective: str
    seed: int
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    average_last: float
    micro_batch: int
    save_steps: int
    options: JsonObject
    patience: int = 0
    teacher: str = ""


# Of full training of a hundred million parameters and of LoRA. Full training of larger models takes less, by the square
# root of their size.
_RATES = {"sft": (1e-4, 2e-4), "distill": (1e-4, 2e-4), "dpo": (5e-6, 5e-5), "grpo": (5e-6, 5e-5)}
_RATES_SIZE = 135_000_000


def _unheeded(done: int, total: int) -> None:
    """Where an objective has no place for `tick` among its inputs, progress alone shows how far it is."""


def encoded(
    parent: HF, mixture: Mixture, objective: str, max_length: int, encode: Callable[[Row], EncodedRow]
) -> tuple[Mixture, list[EncodedRow], int]:
    """(the mixture without rows that are too long, its rows as tokens, the number of those that are too long).

    max_length: in tokens; 0 for the model's context. Raises DataError where no row is left.
    """
    limit = min(max_length or parent.encoder.context, parent.encoder.context)
    drawn = [index for index, weight in enumerate(mixture.weights) if weight]
    rows = {index: encode(mixture.rows[index]) for index in drawn}
    fitting = [i for i, row in rows.items() if max(len(row.tokens), len(row.rejected)) <= limit]
    if not fitting:
        shortest = min((len(row.tokens) for row in rows.values()), default=0)
        raise DataError(
            f"train.{objective}: all {len(drawn):,} rows are too long: the shortest has {shortest:,} tokens, and "
            f"{'max_length' if max_length else 'the context of ' + parent.name} is {limit:,}; shorten the rows, or "
            "take a model with a longer context"
        )
    kept = Mixture([mixture.rows[index] for index in fitting], np.asarray(mixture.weights)[fitting])
    return kept, [rows[index] for index in fitting], len(drawn) - len(fitting)


def trained(
    parent: HF,
    plan: Plan,
    mixture: Mixture,
    rows: Sequence[EncodedRow],
    work_dir: Path,
    tick: Callable[[int, int], None] = _unheeded,
    *,
    aside: Sequence[EncodedRow] = (),
    grade: Grading | None = None,
) -> tuple[HF, JsonObject]:
    """(the parent, trained on rows drawn by the mixture's weights; what the worker says about it).

    rows: of the mixture, as tokens. aside: rows for early stopping. grade: for GRPO. What is in work_dir from the same
    training goes on. Raises ModelError and RunFolderError.
    """
    updates = int(plan.options.get("updates_per_group", 1))
    generator = torch.Generator().manual_seed(plan.seed)
    draws = sample_batches(mixture, -(-plan.steps // updates), plan.batch_size, generator).flatten().tolist()
    used = sorted(set(draws))
    places = {index: place for place, index in enumerate(used)}
    job = _job(parent, plan, len(aside))
    tokenizer = parent.encoder.tokenizer
    work_dir.mkdir(parents=True, exist_ok=True)
    with held(work_dir / RUN):
        with held(work_dir / WORKER):  # a worker whose run was killed may still be ending
            order = [places[index] for index in draws]
            write_job(work_dir, job, [*(rows[index] for index in used), *aside], order, tokenizer)
        if not (work_dir / MODEL).exists():
            release()
            with GradingServer(grade) if grade else nullcontext() as server:
                run_worker(work_dir, _command(parent, work_dir), _environment(job, parent, server), tick, server)
    return parent.trained(work_dir / MODEL), read_result(work_dir)


def _job(parent: HF, plan: Plan, stopping_rows: int) -> Job:
    settings, encoder = parent.settings, parent.encoder
    base = adapter_base(parent.folder)
    source = model_folder(base, settings.revision) if base else parent.folder
    parameters = parameter_count(source)
    weights = trained_weights(settings.train_weights, parameters)
    full, lora = _RATES[plan.objective]
    default = full * min(1.0, (_RATES_SIZE / max(1, parameters)) ** 0.5) if weights == "full" else lora
    identities = [weights_hash(Path(folder)) for folder in (source, parent.folder, plan.teacher) if folder]
    return Job(
        objective=plan.objective, source=str(source.resolve()), adapter=str(parent.folder.resolve()) if base else "",
        weights=weights, lora_rank=settings.lora_rank, device=device_for(settings.device).type,  # type: ignore[arg-type]
        dtype=settings.dtype, seed=plan.seed, steps=plan.steps, batch_size=plan.batch_size,
        learning_rate=plan.learning_rate or default, weight_decay=plan.weight_decay, average_last=plan.average_last,
        ends=sorted({encoder.end, encoder.tokenizer.eos_token_id}), max_new=settings.max_new_tokens,
        micro_batch=plan.micro_batch, save_steps=plan.save_steps, threads=threads(),
        teacher=plan.teacher, stopping_rows=stopping_rows, patience=plan.patience, identities=identities,
        options={**plan.options, "parameters": parameters},
    )  # fmt: skip


def threads() -> int:
    """How many threads train on a CPU: one for each core, or one where other programs use them. The bytes are equal."""
    cores = usable_cores()
    return 1 if os.getloadavg()[0] > _BUSY * cores else cores


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
