"""The model in the worker process: read for training, and written when it is trained."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from selfsown.errors import ModelError
from selfsown.models.hf.devices import dtype_for
from selfsown.models.hf.files import ADAPTER
from selfsown.models.hf.job import MODEL, Job

_WEIGHTS = (".safetensors", ".bin", ".index.json")  # endings of files of weights, which are not copied


def device_of(job: Job) -> torch.device:
    """The type of the job's device; which of several it is, the launcher decides."""
    return torch.device(job.device)


def trained_model(job: Job, folder: Path) -> tuple[Any, Any]:
    """(the model, the LoRA weights to add to it or None).

    Full training holds its weights in float32. LoRA weights that are there are trained on; new ones are drawn by the
    trainer, under the job's seed.
    """
    if job.weights == "full":
        return _read(_merged(job, folder) if job.adapter else job.source, torch.float32), None
    model = (
        _quantized(job.source) if job.weights == "qlora" else _read(job.source, dtype_for(job.dtype, device_of(job)))
    )
    from peft import LoraConfig, PeftModel

    if job.adapter:
        return PeftModel.from_pretrained(model, job.adapter, is_trainable=True), None
    lora = LoraConfig(
        r=job.lora_rank,
        lora_alpha=2 * job.lora_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        base_model_name_or_path=job.source,
    )
    return model, lora


def _read(source: str | Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=dtype)


def frozen_model(source: str, adapter: str, dtype: torch.dtype) -> Any:
    """A teacher, with its LoRA weights merged."""
    model = _read(source, dtype)
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.eval()


def _merged(job: Job, folder: Path) -> Path:
    """A folder with the whole weights of a base and the LoRA weights beside it, for a trainer that reads it again."""
    from accelerate import PartialState

    merged = folder / "merged"
    if not merged.exists() and int(os.environ.get("RANK", "0")) == 0:
        partial = folder / ".merged.partial"
        frozen_model(job.source, job.adapter, torch.float32).save_pretrained(partial)
        partial.replace(merged)
    PartialState().wait_for_everyone()
    return merged


def _quantized(source: str) -> Any:
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    try:
        import bitsandbytes  # noqa: F401 - transformers would say this in many lines
    except ImportError as error:
        raise ModelError(
            "hf: train_weights is qlora, and bitsandbytes is not installed: pip install bitsandbytes, or take lora"
        ) from error
    bits = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return AutoModelForCausalLM.from_pretrained(source, local_files_only=True, quantization_config=bits)


def save_model(trainer: Any, job: Job, folder: Path) -> None:
    """Write the trained weights into the folder's model/, which appears when it is complete.

    LoRA weights name the folder of their base. Whole weights have the type of numbers that the model runs with, and the
    base's other files beside them.
    """
    partial = folder / f".{MODEL}.partial"
    first = trainer.is_world_process_zero()
    if first:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        trainer.save_model(str(partial))  # collects what is spread over processes; all take part
    elif first:
        _write(trainer.accelerator.unwrap_model(trainer.model), job, partial)
    if first:
        if job.weights == "full":
            _copy_other_files(Path(job.source), partial)
        for file in partial.iterdir():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        partial.replace(folder / MODEL)


def _write(model: Any, job: Job, partial: Path) -> None:
    if job.weights != "full":
        for config in model.peft_config.values():
            config.base_model_name_or_path = job.source
        model.save_pretrained(partial, selected_adapters=["default"])
        (partial / "README.md").unlink(missing_ok=True)  # a card with nothing filled in
        assert (partial / ADAPTER).exists()
        return
    model.to(_dtype_of(job)).save_pretrained(partial)


def _dtype_of(job: Job) -> torch.dtype:
    """The type in which the weights came, so that training rounds them no more than they were."""
    config = json.loads((Path(job.source) / "config.json").read_text(encoding="utf-8"))
    name = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _copy_other_files(source: Path, partial: Path) -> None:
    """The tokenizer and generation settings, as the base has them: the trainer changes its own."""
    for file in source.iterdir():
        if file.is_file() and not file.name.endswith(_WEIGHTS) and file.name != "config.json":
            shutil.copy2(file, partial)
