"""The device and the type of numbers that a model runs with."""

from __future__ import annotations

import torch

from selfsown.errors import ModelError
from selfsown.models.hf.settings import Device, Dtype


def device_for(wanted: Device) -> torch.device:
    """The device; "auto" is a CUDA GPU, else Apple's, else the CPU. Raises ModelError where there is none such."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[wanted]:
        available = " and ".join(name for name in there if there[name])
        raise ModelError(
            f"hf: device is {wanted}, and this machine has none that torch can use; available: {available}"
        )
    return torch.device(wanted)


def dtype_for(wanted: Dtype, device: torch.device) -> torch.dtype:
    """The type of the weights; "auto" is bfloat16 on a GPU that computes in it, else float32.

    On a CPU without its instructions bfloat16 is emulated, and seven times slower than float32.
    """
    if wanted != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[wanted]
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
