"""The device and the type of numbers that a model runs with."""

from __future__ import annotations

import torch

from selfsown.errors import ModelError
from selfsown.models.hf.settings import Device, Dtype


def device_for(requested: Device) -> torch.device:
    """The device; "auto" is a CUDA GPU, else Apple's, else the CPU. Raises ModelError where there is none such."""
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if requested == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if usable[name]))
    if not usable[requested]:
        available = " and ".join(name for name in usable if usable[name])
        raise ModelError(
            f"hf: device is {requested}, and this machine has none that torch can use; available: {available}"
        )
    return torch.device(requested)


def dtype_for(requested: Dtype, device: torch.device) -> torch.dtype:
    """The type of the weights; "auto" is bfloat16 where the device computes in it, else float32.

    On a CPU with its instructions bfloat16 is twice as fast as float32; without them it is emulated, and seven times
    slower.
    """
    if requested != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[requested]
    return torch.bfloat16 if _has_bfloat16(device) else torch.float32


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if device.type == "cpu" else ()
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)
