"""Where a model's files are: a folder, or a name on the Hugging Face Hub, which is downloaded once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from selfsown.errors import ModelError

ADAPTER = "adapter_config.json"  # of a folder that holds LoRA weights and the name of their base
WEIGHTS = ("*.safetensors", "*.bin")
_HASHED_BYTES = 1 << 20  # at the beginning of each file of weights: its header and first tensors


def model_folder(model: str, revision: str = "") -> Path:
    """The folder of a model. Raises ModelError where there is none, or it cannot be downloaded."""
    path = Path(model).expanduser()
    if path.is_dir():
        return _complete(path)
    if path.name == "best" or path.exists() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise ModelError(
            f"hf: there is no model folder {model}; name a folder with a config.json, or OWNER/NAME on the Hub"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        return _complete(Path(snapshot_download(model, revision=revision or None, allow_patterns=patterns)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        why = "".join(str(error).strip().splitlines()[:1])[:160]
        raise ModelError(
            f"hf: {model!r} is no folder here, and cannot be had from the Hugging Face Hub: {why}; name the folder of "
            "a downloaded model, or check the name and the network"
        ) from error


def _complete(folder: Path) -> Path:
    if not (folder / "config.json").exists() and not (folder / ADAPTER).exists():
        raise ModelError(f"hf: {folder} holds no model: it has neither config.json nor {ADAPTER}; name a saved model")
    return folder


def adapter_base(folder: Path) -> str:
    """The base model of a folder of LoRA weights; "" for a folder of whole weights."""
    path = folder / ADAPTER
    if not path.exists():
        return ""
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return str(config["base_model_name_or_path"])


def weight_bytes(folder: Path) -> int:
    """The size of the folder's weights on disk."""
    return sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern))


def weights_hash(folder: Path) -> str:
    """A hash by which other weights are recognised: of all small files and of each weight file's size and beginning.

    Hashing a model of 8 billion parameters whole takes half a minute at each start.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".bin", ".json", ".jinja", ".model"):
            digest.update(f"{file.name} {file.stat().st_size} ".encode())
            with file.open("rb") as opened:
                digest.update(opened.read(_HASHED_BYTES))
    return digest.hexdigest()[:16]


def link_or_copy(source: str, target: str) -> None:
    """A file of weights becomes a second name of the same file, where the file system can, since nobody edits it."""
    if source.endswith((".safetensors", ".bin")):
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)
