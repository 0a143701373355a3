"""TRL's trainers, set up for a job. They are given tokens, so that they neither tokenize nor truncate.

Rows come in the job's order; within an optimizer step those of similar length stand together, which saves padding.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn import functional as F
from transformers import AutoTokenizer, PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from selfsown.errors import ModelError
from selfsown.models.hf.averages import AverageLast, StopEarly, TowardStart
from selfsown.models.hf.checkpoints import Checkpoints, extra_tensors
from selfsown.models.hf.devices import dtype_for
from selfsown.models.hf.job import CHECKPOINTS, PROGRESS, TOKENIZER, EncodedRow, Job
from selfsown.models.hf.needs import LARGE
from selfsown.models.hf.reporting import ProgressFile
from selfsown.models.hf.sampling_trainers import distillation_trainer, grpo_trainer
from selfsown.models.hf.threads import AdaptThreads
from selfsown.models.hf.worker_model import device_of, trained_model

IGNORED = -100  # the label of a token that is not learned
_WARM_UP = 0.06  # of all steps
_TOKENS_IN_PASS = {"cpu": 1024, "mps": 4096, "cuda": 16384}  # padding included


def trainer_for(
    job: Job, rows: Sequence[EncodedRow], order: Sequence[int], folder: Path, checkpoint: Path | None
) -> Any:
    """The trainer, ready for `train`, with the callbacks that report, save and average."""
    drawn, aside = _by_length_in_steps(rows, order, job), rows[len(rows) - job.stopping_rows :]
    common = common_arguments(job, folder, max((len(row.tokens) + len(row.rejected) for row in rows), default=1))
    tokenizer = AutoTokenizer.from_pretrained(folder / TOKENIZER, local_files_only=True)
    build = {"sft": sft_trainer, "dpo": dpo_trainer, "grpo": grpo_trainer, "distill": distillation_trainer}
    trainer = build[job.objective](job, drawn, common, tokenizer, folder)
    trainer.remove_callback(PrinterCallback)
    tensors = extra_tensors(checkpoint) if checkpoint else {}
    kept = _averaging(trainer, job, aside, tensors)
    every = int(job.options.get("updates_per_group", 1))
    lengths = [len(row.tokens) + len(row.rejected) for row in drawn]
    sums = [sum(lengths[start : start + job.batch_size]) for start in range(0, len(lengths), job.batch_size)]
    sampled = job.objective == "grpo" or bool(job.options.get("on_policy"))
    if job.device == "cpu" and job.threads > 1:
        trainer.add_callback(AdaptThreads(max(1, job.threads // int(os.environ.get("WORLD_SIZE", "1")))))
    for callback in (ProgressFile(folder / PROGRESS, [] if sampled else sums), *kept, Checkpoints(job, kept, every)):
        trainer.add_callback(callback)
    return trainer


def common_arguments(job: Job, folder: Path, longest: int) -> dict[str, Any]:
    """Arguments that all trainers share. longest: tokens of a row."""
    device = device_of(job)
    cuda = device.type == "cuda"
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    share, left = divmod(job.batch_size * int(job.options.get("group_size", 1)), processes)
    if left:
        raise ModelError(
            f"hf: the batch of {job.batch_size} rows cannot be divided among {processes} processes; set a batch_size "
            "that can"
        )
    most = job.micro_batch or max(1, min(64, _TOKENS_IN_PASS[device.type] // longest))
    micro = max(size for size in range(1, min(share, max(1, most)) + 1) if share % size == 0)
    in_bfloat16 = dtype_for(job.dtype, device) == torch.bfloat16
    return {
        "output_dir": str(folder / CHECKPOINTS),
        "max_steps": job.steps,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": share // micro,
        "learning_rate": job.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": min(job.steps - 1, math.ceil(_WARM_UP * job.steps)),
        "weight_decay": job.weight_decay,
        "seed": job.seed,
        "data_seed": job.seed,
        "bf16": in_bfloat16,
        "fp16": cuda and not in_bfloat16 and job.dtype != "float32",
        "use_cpu": device.type == "cpu",
        "dataloader_pin_memory": cuda,
        "activation_checkpointing": cuda and job.options.get("parameters", 0) >= LARGE,
        "save_strategy": "no",  # our callback says when
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "ddp_find_unused_parameters": False,
    }


def sft_trainer(job: Job, rows: Sequence[EncodedRow], common: dict[str, Any], tokenizer: Any, folder: Path) -> Any:
    """Supervised fine-tuning, on answers and their ends or on whole texts."""
    arguments = SFTConfig(max_length=None, train_sampling_strategy="sequential", **common)
    model, lora = trained_model(job, folder)
    data = Dataset.from_dict(
        {
            "input_ids": [row.tokens for row in rows],
            "labels": [labels(row, job.options["answers_only"]) for row in rows],
        }
    )
    return SFTTrainer(model, arguments, train_dataset=data, processing_class=tokenizer, peft_config=lora)


def labels(row: EncodedRow, answers_only: bool) -> list[int]:
    """The row's tokens, with those that are not learned replaced. A text's first token has nothing before it."""
    start = row.start if answers_only else 1
    return [IGNORED] * start + row.tokens[start:]


class _TokenizedDPO(DPOTrainer):  # type: ignore[misc]
    """DPO on tokens; TRL's own preparation would tokenize texts again."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


def dpo_trainer(job: Job, rows: Sequence[EncodedRow], common: dict[str, Any], tokenizer: Any, folder: Path) -> Any:
    """Preference optimization with a likelihood term.

    A row without a rejected answer is a pair with itself: its preference term is a constant without a gradient, and
    only the likelihood of its answer is trained. The weight of the preference term makes up for the mean over these.
    """
    pairs = sum(bool(row.rejected) for row in rows)
    if not pairs:
        raise ModelError("train.dpo: no row that is drawn and short enough has a rejected answer; draw more")
    arguments = DPOConfig(
        max_length=None,
        train_sampling_strategy="sequential",
        beta=job.options["beta"],
        loss_type=["sigmoid", "sft"],
        loss_weights=[len(rows) / pairs, job.options["nll_weight"]],
        precompute_ref_log_probs=True,
        **common,
    )
    model, lora = trained_model(job, folder)
    data = _shared(
        {
            "prompt_ids": [row.tokens[: row.start] for row in rows],
            "chosen_ids": [row.tokens[row.start :] for row in rows],
            "rejected_ids": [(row.rejected or row.tokens)[row.start :] for row in rows],
        },
        folder / "pairs",
    )
    return _TokenizedDPO(model, args=arguments, train_dataset=data, processing_class=tokenizer, peft_config=lora)


def _shared(columns: dict[str, Any], folder: Path) -> Any:
    """A data set on disk, where all processes find what the first of them computes for it."""
    from accelerate import PartialState

    if PartialState().is_main_process and not (folder / "state.json").exists():
        Dataset.from_dict(columns).save_to_disk(folder)
    PartialState().wait_for_everyone()
    return Dataset.load_from_disk(str(folder))


def _by_length_in_steps(rows: Sequence[EncodedRow], order: Sequence[int], job: Job) -> list[EncodedRow]:
    """The rows of each step, the longest first, so that the first pass needs the most memory."""
    drawn = [rows[index] for index in order]
    if job.objective in ("grpo", "distill"):  # its trainer shuffles each batch itself
        return drawn
    steps = [drawn[start : start + job.batch_size] for start in range(0, len(drawn), job.batch_size)]
    return [row for step in steps for row in sorted(step, key=lambda row: -len(row.tokens) - len(row.rejected))]


def _averaging(trainer: Any, job: Job, aside: Sequence[EncodedRow], tensors: dict[str, torch.Tensor]) -> list[Any]:
    """The callbacks that change which weights are returned."""
    start_share = float(job.options.get("start_share", 0.0))
    if (job.average_last or aside or start_share) and (trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled):
        raise ModelError(
            "hf: average_last, early_stopping and start_share need whole weights in each process, and this launcher "
            "spreads them; leave them out, or train without FSDP and DeepSpeed"
        )
    kept: list[Any] = []
    if job.average_last and not aside:
        kept.append(AverageLast(trainer.model, math.ceil(job.steps * job.average_last), tensors))
    if aside:
        loss = _loss_on(trainer, aside, bool(job.options["answers_only"]))
        kept.append(StopEarly(trainer.model, loss, len(aside), job.patience, tensors))
    if start_share:
        kept.append(TowardStart(trainer.model, start_share))  # after the others, whose weights it moves
    return kept


def _loss_on(trainer: Any, rows: Sequence[EncodedRow], answers_only: bool) -> Any:
    """A function that measures the mean loss of a learned token of these rows, in nats."""
    ordered = sorted(rows, key=lambda row: len(row.tokens))
    size = trainer.args.per_device_train_batch_size

    @torch.no_grad()
    def loss() -> float:
        model, total, count = trainer.model, 0.0, 0
        model.eval()
        for start in range(0, len(ordered), size):
            batch = ordered[start : start + size]
            width = max(len(row.tokens) for row in batch)
            tokens = torch.tensor([row.tokens + [0] * (width - len(row.tokens)) for row in batch])
            mask = torch.tensor([[1] * len(row.tokens) + [0] * (width - len(row.tokens)) for row in batch])
            learned = torch.tensor([labels(row, answers_only) + [IGNORED] * (width - len(row.tokens)) for row in batch])
            with trainer.compute_loss_context_manager():
                logits = model(input_ids=tokens.to(model.device), attention_mask=mask.to(model.device)).logits
            targets = learned[:, 1:].to(model.device)
            total += float(F.cross_entropy(logits[:, :-1].float().mT, targets, ignore_index=IGNORED, reduction="sum"))
            count += int((targets != IGNORED).sum())
        model.train()
        return total / max(1, count)

    return loss
