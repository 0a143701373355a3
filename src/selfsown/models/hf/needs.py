"""What training a model needs of memory and disk, from the size of its weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from selfsown.models.hf.devices import device_for, dtype_for
from selfsown.models.hf.files import ADAPTER, adapter_base, model_folder, weight_bytes
from selfsown.models.hf.settings import Settings, TrainedWeights

LARGE = 1_000_000_000  # parameters from which on LoRA is the default, and activations are recomputed on a GPU
_LORA_SHARE = 0.0023  # of the parameters, for each rank: measured on 135 million, all linear layers (rank 16: 3.6 %)
_QUANTIZED_BYTES = 0.55  # of a parameter in 4 bits, with the constants of its block
_ACTIVATION_BYTES = 1 << 30  # of a pass of a few thousand tokens; longer rows take more


class Step(Protocol):
    """A step of a recipe: a method with its options."""

    method: str
    options: Mapping[str, Any]

    def option(self, name: str) -> Any:
        """The option as the recipe sets it, or its default; None where there is none of the name."""
        ...


@dataclass(frozen=True)
class Needs:
    """Estimates in bytes. memory: while training; disk: for checkpoints and the result, at most at one time."""

    memory: int
    disk: int


def estimated_needs(
    folder: Path,
    settings: Settings,
    objective: str,
    average_last: float | None = None,
    early_stopping: float | None = None,
    start_share: float | None = None,
) -> Needs:
    """What training the model of a folder needs.

    Full training holds weights, gradients and Adam's two moments in float32, 16 bytes a parameter; a checkpoint holds
    all but the gradients, and the one before is deleted only when it is complete. A teacher, and the reference model
    of GRPO's divergence, are not counted.
    """
    whole = model_folder(base, settings.revision) if (base := adapter_base(folder)) else folder
    parameters = parameter_count(whole)
    kind = trained_weights(settings.train_weights, parameters)
    trained = parameters if kind == "full" else round(parameters * min(1.0, _LORA_SHARE * settings.lora_rank))
    kept = trained * 4 * (bool(average_last) + 2 * bool(early_stopping))
    number = dtype_for(settings.dtype, device_for(settings.device)).itemsize
    frozen = {"full": 0.0, "lora": parameters * float(number), "qlora": parameters * _QUANTIZED_BYTES}[kind]
    sampled = trained * 4 if objective == "grpo" and kind == "full" else 0
    memory = trained * (16 + 4 * bool(start_share)) + kept + round(frozen) + sampled + _ACTIVATION_BYTES
    checkpoint = trained * 12 + kept
    return Needs(memory, 2 * checkpoint + (weight_bytes(whole) if kind == "full" else trained * 4))


def training_needs(student: Step, objectives: Sequence[Step]) -> tuple[int, int, int] | None:
    """Bytes of memory, of disk, and of each saved model, for the recipe's steps; None for a model that is not here."""
    settings = Settings(**student.options)
    folder = Path(settings.model).expanduser()
    if not (folder / "config.json").exists() and not (folder / ADAPTER).exists():
        return None
    needs = [
        estimated_needs(
            folder,
            settings,
            step.method,
            *(step.option(name) for name in ("average_last", "early_stopping", "start_share")),
        )
        for step in objectives
        if step.method != "none"
    ]
    whole = model_folder(base, settings.revision) if (base := adapter_base(folder)) else folder
    parameters = parameter_count(whole)
    is_full = trained_weights(settings.train_weights, parameters) == "full"
    saved = weight_bytes(whole) if is_full else round(parameters * _LORA_SHARE * settings.lora_rank) * 4
    return max((n.memory for n in needs), default=0), max((n.disk for n in needs), default=0), saved


def trained_weights(choice: TrainedWeights, parameters: int) -> TrainedWeights:
    """Which weights are trained; "auto" is all of them below a billion parameters, else LoRA."""
    if choice != "auto":
        return choice
    return "full" if parameters < LARGE else "lora"


def parameter_count(folder: Path) -> int:
    """The parameters of a folder of whole weights, from the headers of its files."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return weight_bytes(folder) // 2  # of a PyTorch file; these are mostly in 16 bits
    return sum(_in_header(file) for file in files)


def _in_header(file: Path) -> int:
    with file.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
