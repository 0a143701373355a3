"""The options of a model of the transformers library, as a recipe sets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
TrainedWeights = Literal["auto", "full", "lora", "qlora"]


@dataclass(frozen=True)
class Settings:
    """As `selfsown.models.hf.create` takes them."""

    model: str
    revision: str = ""
    device: Device = "auto"
    dtype: Dtype = "auto"
    train_weights: TrainedWeights = "auto"
    lora_rank: int = 16
    system: str = ""
    chat_template: str = ""
    max_new_tokens: int = 512
    top_p: float = 1.0
    top_k: int = 0
    batch_size: int = 0
    sampler: str = ""
    launch: tuple[str, ...] = ()
    python: str = ""
