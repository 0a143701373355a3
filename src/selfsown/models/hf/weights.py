"""Weights in memory: one model at a time, read from its folder when it is first used.

A generation's model, the one it came from and a teacher would otherwise be in memory together.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from selfsown.errors import ModelError
from selfsown.models.hf.devices import device_for, dtype_for
from selfsown.models.hf.files import adapter_base, model_folder, weights_hash
from selfsown.models.hf.settings import Settings

_lock = threading.RLock()
_loaded: dict[tuple[str, ...], Any] = {}  # at most one


def network(folder: Path, settings: Settings) -> Any:
    """The model of a folder, ready to run, with its LoRA weights merged into their base. Raises ModelError."""
    device = device_for(settings.device)
    dtype = dtype_for(settings.dtype, device)
    key = (str(folder.resolve()), weights_hash(folder), str(device), str(dtype))
    with _lock:
        if key not in _loaded:
            release()
            _loaded[key] = _read(folder, settings, device, dtype)
        return _loaded[key]


def release() -> None:
    """Give the memory back, as before training, which happens in another process."""
    with _lock:
        if _loaded:  # else there is nothing to look for among all objects, which takes about a second
            _loaded.clear()
            gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _read(folder: Path, settings: Settings, device: torch.device, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM

    base = adapter_base(folder)
    source = model_folder(base, settings.revision) if base else folder
    try:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=dtype)
            if base:
                model = _with_adapter(model, folder)
            return model.to(device).eval()  # type: ignore[arg-type]
    except torch.OutOfMemoryError as error:
        release()
        raise ModelError(
            f"hf: {source.name} does not fit into the memory of {device}; use a smaller model, dtype: bfloat16, or cpu"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        why = "".join(str(error).strip().splitlines()[:1])[:160]
        raise ModelError(f"hf: {folder} cannot be loaded as a causal language model: {why}") from error


def _with_adapter(model: Any, folder: Path) -> Any:
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise ModelError(
            f"hf: {folder} holds LoRA weights, and peft is not installed: pip install 'selfsown[hf]'"
        ) from error
    return PeftModel.from_pretrained(model, folder).merge_and_unload()


def merged(folder: Path, settings: Settings, target: Path) -> Path:
    """A new folder with the LoRA weights of `folder` merged into their base, and its tokenizer."""
    from transformers import AutoTokenizer

    model = _read(folder, settings, torch.device("cpu"), dtype_for(settings.dtype, torch.device("cpu")))
    with quiet():
        model.save_pretrained(target)
        AutoTokenizer.from_pretrained(folder, local_files_only=True).save_pretrained(target)
    return target


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and advice that transformers writes between our own lines."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    bars = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS")
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars is None:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
